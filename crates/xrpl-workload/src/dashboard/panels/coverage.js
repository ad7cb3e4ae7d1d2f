// Which type was sent in which way, with which results; and what was never reached.

import { by, make, number, say } from "../dom.js";

export const SECTIONS = ["coverage"];
export const NEEDS = ["/state/coverage"];
const WAYS = ["plain", "ticket", "regular_key", "multisign", "delegated", "batch", "memos", "mutation"];

let drawn = "";

// "plain: XRP" and "mutation: nothing" are forms of one way.
const way = (text) => text.split(":")[0];

function collect({ reached, never }) {
  const types = new Map();
  const cell = (type, name) => {
    const ways = types.get(type) ?? types.set(type, new Map()).get(type);
    return ways.get(name) ?? ways.set(name, { count: 0, reached: [], never: [] }).get(name);
  };
  for (const { transaction_type: type, way: text, results } of reached) {
    const into = cell(type, way(text));
    into.count += Object.values(results).reduce((sum, n) => sum + n, 0);
    into.reached.push(`${text}: ${Object.entries(results).map(([result, n]) => `${result} ${n}`).join(", ")}`);
  }
  for (const text of never) {
    const split = text.indexOf(": ");
    cell(text.slice(0, split), way(text.slice(split + 2))).never.push(text.slice(split + 2));
  }
  return types;
}

function box(found) {
  if (!found) return make("td", { className: "number quiet", textContent: "" });
  const words = [...found.reached, ...found.never.map((text) => `${text}: not yet`)].join("\n");
  const missing = found.never.length && found.count ? ` (${found.never.length} not yet)` : "";
  return make("td", { className: found.never.length ? "number warn" : "number", title: words, textContent: found.count ? number(found.count) + missing : "not yet" });
}

export function show(answers) {
  const coverage = answers["/state/coverage"];
  const print = JSON.stringify(coverage);
  if (print === drawn) return;
  drawn = print;
  const types = collect(coverage);
  const ways = WAYS.filter((name) => [...types.values()].some((of) => of.has(name)));
  const others = [...new Set([...types.values()].flatMap((of) => [...of.keys()]))].filter((name) => !WAYS.includes(name));
  const columns = [...ways, ...others];
  const head = make("tr", {}, make("th", { scope: "col", textContent: "Type" }), ...columns.map((name) => make("th", { scope: "col", className: "number", textContent: name.replace("_", " ") })));
  const rows = [...types].sort(([a], [b]) => a.localeCompare(b)).map(([type, of]) => make("tr", {}, make("th", { scope: "row", textContent: type }), ...columns.map((name) => box(of.get(name)))));
  const table = by("coverage-table");
  table.tHead.replaceChildren(head);
  table.tBodies[0].replaceChildren(...rows);
  const { never, not_sent: off } = coverage;
  say(by("coverage-says"), never.length ? `${number(never.length)} combinations have not been reached yet.` : "Every combination was reached.");
  by("coverage-off").replaceChildren(...off.map(({ transaction_type: type, why }) => make("li", { textContent: `${type}: ${why}` })));
}
