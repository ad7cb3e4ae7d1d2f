// The keyboard: `?` lists what there is.

import { togglePause } from "./clock.js";
import { by, make } from "./dom.js";
import { go } from "./router.js";
import { next } from "./theme.js";

const VIEWS = { o: "overview", l: "load", t: "transactions", r: "results", a: "accounts", e: "ledgers", n: "nodes", u: "runs" };
const OTHERS = {
  "/": ["find a transaction", () => { go("transactions"); by("query").focus(); }],
  p: ["pause charts and lists, or let them go on", togglePause],
  d: ["light, dark, or as the system has it", next],
  "?": ["this list", () => by("help").showModal()],
};
// How long `g` waits for the letter after it.
const SECOND_KEY_MS = 1500;
let prefix = 0;

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input, select, textarea")) return;
  if (prefix && Date.now() - prefix < SECOND_KEY_MS && VIEWS[event.key]) {
    go(VIEWS[event.key]);
  } else if (OTHERS[event.key]) {
    event.preventDefault();
    OTHERS[event.key][1]();
  }
  prefix = event.key === "g" ? Date.now() : 0;
}

export function start() {
  const rows = [
    ...Object.entries(VIEWS).map(([key, view]) => [`g ${key}`, `the view ${view}`]),
    ...Object.entries(OTHERS).map(([key, [words]]) => [key, words]), ["Esc", "close what is open"],
  ];
  by("help-keys").replaceChildren(...rows.map(([key, words]) => make(
    "tr", {}, make("th", { scope: "row" }, make("kbd", { textContent: key })), make("td", { textContent: words }),
  )));
  by("show-help").addEventListener("click", () => by("help").showModal());
  document.addEventListener("keydown", press);
}
