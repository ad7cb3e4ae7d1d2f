// Runs of the store, their reports, and two of them side by side.

import { ApiError, get } from "../api.js";
import { by, keyed, make, none, number, say } from "../dom.js";

const EVERY_ROUNDS = 10;
const SAID = { better: "good", worse: "bad" };
let rounds = 0;
let asking = false;

function pick(which, run, title) {
  const input = make("input", { type: "radio", name: which, value: run });
  input.setAttribute("aria-label", `${title} as the ${which} one`);
  return make("td", {}, input);
}

function build(head) {
  const title = head.name ? `${head.name} (${head.run})` : head.run;
  const report = make("a", { href: `/runs/${head.run}/report`, textContent: title, target: "_blank", rel: "noopener" });
  const cells = Array.from({ length: 6 }, (_, n) => make("td", { className: n > 0 && n < 5 ? "number" : "" }));
  return make("tr", {}, make("th", { scope: "row" }, report), ...cells, pick("first", head.run, title), pick("second", head.run, title));
}

function fill(row, head) {
  const figure = (name, unit = "") => (head.figures[name] === undefined ? "-" : number(head.figures[name]) + unit);
  const texts = [
    new Date(head.began_at_ms).toLocaleString("en", { hour12: false }), `${number(Math.round(head.load_seconds))} s`,
    figure("validated_per_second"), figure("finality_ms_p50", " ms"), figure("finality_ms_p99", " ms"),
    [head.condition, ...(head.not_kept ? ["not the requested load"] : []), ...(head.changed_by_hand ? ["changed by hand"] : [])].join(", "),
  ];
  texts.forEach((text, n) => say(row.children[n + 1], text));
}

async function list() {
  if (asking) return;
  asking = true;
  try {
    const { runs } = await get("/runs");
    keyed(by("runs-table").tBodies[0], runs.slice(-50).reverse(), (head) => head.run, build, fill);
    none("runs-scroll", runs.length === 0);
    say(by("runs-none"), "This store has no run yet.");
  } catch (error) {
    // That there is no answer at all stands above every view.
    if (!(error instanceof ApiError)) rounds = 0;
    none("runs-scroll", true);
    say(by("runs-none"), `Not available now: ${error.message}`);
  } finally {
    asking = false;
  }
}

const value = (change, which) => (change[which] === null ? "-" : `${number(change[which])} ${change.unit}`.trim());

function show_comparison({ first, second, changes, settings, verdict }) {
  const table = by("compare-table");
  say(table.caption, `${second.title} compared with ${first.title}: ${verdict}`);
  table.tBodies[0].replaceChildren(...changes.map((change) => make("tr", {},
    make("th", { scope: "row", textContent: change.figure, title: change.about }),
    make("td", { className: "number", textContent: value(change, "first") }),
    make("td", { className: "number", textContent: value(change, "second") }),
    make("td", { className: "number", textContent: change.percent === null ? "" : `${change.percent > 0 ? "+" : ""}${number(change.percent)} %` }),
    make("td", { className: SAID[change.verdict] ?? "", textContent: change.verdict }))));
  const others = settings.map((other) => `${other.key}: ${other.first || "-"} → ${other.second || "-"}`);
  const cut = [first, second].filter((side) => side.condition !== "ended")
    .map((side) => `${side.title} is ${side.condition}: its figures are of ${number(Math.round(side.load_seconds))} s of load. `);
  cut.push(...[first, second].filter((side) => side.changed_by_hand)
    .map((side) => `${side.title} was changed while it went on: ${side.changed_by_hand}. `));
  say(by("compare-said"), cut.join("") + (others.length ? `Also different: ${others.join(", ")}.` : ""));
  table.hidden = false;
}

async function compare() {
  const chosen = (which) => document.querySelector(`#runs input[name=${which}]:checked`)?.value;
  const [first, second] = [chosen("first"), chosen("second")];
  if (!first || !second) return say(by("compare-said"), "Choose a first and a second run.");
  try {
    show_comparison(await get(`/compare?first=${encodeURIComponent(first)}&second=${encodeURIComponent(second)}&partial=true`));
  } catch (error) {
    by("compare-table").hidden = true;
    say(by("compare-said"), error.message);
  }
}

by("compare-runs").addEventListener("click", compare);

export function show() {
  if (rounds % EVERY_ROUNDS === 0) list();
  rounds += 1;
}
