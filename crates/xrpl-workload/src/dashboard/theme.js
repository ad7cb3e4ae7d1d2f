// Light, dark, or what the system has. The style sheet holds one dark block behind a media query;
// the switch changes that query, so that no colour is written twice.

const KEY = "xrpl-workload-theme";
const MODES = { system: "(prefers-color-scheme: dark)", light: "not all", dark: "all" };
const listeners = [];

const blocks = [];
for (const sheet of document.styleSheets) {
  for (const rule of sheet.cssRules) if (rule.media?.mediaText === MODES.system) blocks.push(rule);
}

export const onChange = (listener) => listeners.push(listener);

export function mode() {
  const kept = sessionStorage.getItem(KEY);
  return kept in MODES ? kept : "system";
}

function apply() {
  const now = mode();
  for (const rule of blocks) rule.media.mediaText = MODES[now];
  document.documentElement.style.colorScheme = now === "system" ? "" : now;
  const button = document.getElementById("theme");
  button.textContent = { system: "Auto", light: "Light", dark: "Dark" }[now];
  button.setAttribute("aria-label", `Colours: ${button.textContent}`);
  for (const listener of listeners) listener();
}

export function next() {
  const names = Object.keys(MODES);
  sessionStorage.setItem(KEY, names[(names.indexOf(mode()) + 1) % names.length]);
  apply();
}

export function start() {
  document.getElementById("theme").addEventListener("click", next);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
  apply();
}
