// Types by final result. The colour says what kind of result it is, its strength how many there are.

import { by, link, make, number } from "../dom.js";
import { find } from "./transactions.js";

const STEPS = 4;
let drawn = "";

const final = (cell) => cell.final ?? "none";
function kind(result) {
  if (result.startsWith("tes")) return "tes";
  return result.startsWith("tec") ? "tec" : "other";
}
const ORDER = ["tes", "tec", "other"];

function sums(cells) {
  const types = new Map();
  for (const cell of cells) {
    // Those in flight have no result yet.
    if (["CREATED", "SUBMITTED", "RETRYABLE"].includes(cell.state)) continue;
    const row = types.get(cell.transaction_type) ?? types.set(cell.transaction_type, new Map()).get(cell.transaction_type);
    row.set(final(cell), (row.get(final(cell)) ?? 0) + cell.count);
  }
  return types;
}

function box(type, result, n, most) {
  if (!n) return make("td");
  const full = Math.max(1, Math.ceil((STEPS * Math.log(n + 1)) / Math.log(most + 1)));
  const button = link(number(n), () => find({ type, final: result }), {
    data: { type, final: result }, "aria-label": `${number(n)} ${type} with ${result}`,
  });
  return make("td", { className: `number ${kind(result)} full${full}` }, button);
}

export function show(answers) {
  const { cells } = answers["/state/matrix"];
  if (!cells) return;
  const print = JSON.stringify(cells);
  if (print === drawn) return;
  drawn = print;
  const types = sums(cells);
  const results = [...new Set([...types.values()].flatMap((row) => [...row.keys()]))]
    .sort((a, b) => ORDER.indexOf(kind(a)) - ORDER.indexOf(kind(b)) || a.localeCompare(b));
  const most = Math.max(1, ...[...types.values()].flatMap((row) => [...row.values()]));
  const table = by("heat-table");
  const on = table.contains(document.activeElement) ? { ...document.activeElement.dataset } : null;
  table.tHead.replaceChildren(make("tr", {}, make("th", { scope: "col", textContent: types.size ? "Type" : "Nothing has ended yet." }),
    ...results.map((name) => make("th", { scope: "col", className: "upright" }, make("span", { textContent: name })))));
  table.tBodies[0].replaceChildren(...[...types].sort(([a], [b]) => a.localeCompare(b)).map(([type, row]) => make(
    "tr", {}, make("th", { scope: "row", textContent: type }), ...results.map((result) => box(type, result, row.get(result), most)),
  )));
  // Who stands on a number stays on it.
  if (on) [...table.querySelectorAll("button")].find((b) => b.dataset.type === on.type && b.dataset.final === on.final)?.focus();
}
