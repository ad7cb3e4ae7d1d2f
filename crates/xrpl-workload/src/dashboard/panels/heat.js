// Types by final result. The colour says what kind of result it is, its strength how many there are.

import { by, dress, keyed, make, none, number } from "../dom.js";
import { linkTo } from "./transactions.js";

export const SECTIONS = ["heat"];
export const NEEDS = ["/state/matrix"];
const STEPS = 4;

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

// A cell stays where it is while its number grows: to build thousands anew each second would cost frames.
function fillCell(cell, [type, result, n, most]) {
  if (!n) {
    if (cell.firstChild) cell.replaceChildren();
    dress(cell, "");
    return;
  }
  if (!cell.firstChild) cell.append(linkTo("", { type, final: result }, { data: { type, final: result } }));
  const anchor = cell.firstChild;
  const text = number(n);
  if (anchor.textContent !== text) {
    anchor.textContent = text;
    anchor.setAttribute("aria-label", `${text} ${type} with ${result}`);
  }
  const full = Math.max(1, Math.ceil((STEPS * Math.log(n + 1)) / Math.log(most + 1)));
  dress(cell, `number ${kind(result)} full${full}`);
}

function fillRow(row, [type, counts, results, most]) {
  keyed(row, [null, ...results], (result) => result ?? "", (result) => (result === null
    ? make("th", { scope: "row", textContent: type }) : make("td")),
  (cell, result) => { if (result !== null) fillCell(cell, [type, result, counts.get(result), most]); });
}

export function show(answers) {
  const { cells } = answers["/state/matrix"];
  const types = sums(cells);
  const results = [...new Set([...types.values()].flatMap((row) => [...row.keys()]))]
    .sort((a, b) => ORDER.indexOf(kind(a)) - ORDER.indexOf(kind(b)) || a.localeCompare(b));
  const most = Math.max(1, ...[...types.values()].flatMap((row) => [...row.values()]));
  none("heat-scroll", types.size === 0);
  keyed(by("heat-table").tHead.rows[0], [null, ...results], (result) => result ?? "", (result) => (result === null
    ? make("th", { scope: "col", textContent: "Type" })
    : make("th", { scope: "col", className: "upright" }, make("span", { textContent: result }))), () => {});
  const rows = [...types].sort(([a], [b]) => a.localeCompare(b)).map(([type, counts]) => [type, counts, results, most]);
  keyed(by("heat-table").tBodies[0], rows, ([type]) => type, () => make("tr"), fillRow);
}
