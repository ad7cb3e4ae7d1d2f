// What the node said first against what the ledger did.

import { by, keyed, make, none, number } from "../dom.js";
import { linkTo } from "./transactions.js";

export const SECTIONS = ["matrix"];
export const NEEDS = ["/state/matrix"];

const first = (cell) => cell.preliminary ?? "none";
const final = (cell) => cell.final ?? "none";
// Where the ledger did what the node said, one column serves all results; the rest stands out.
const column = (cell) => `${cell.state} ${final(cell) === first(cell) ? "as said" : final(cell)}`;

function options(types) {
  const select = by("matrix-type");
  const known = new Set([...select.options].map((option) => option.value));
  for (const type of types) if (!known.has(type)) select.append(make("option", { value: type, textContent: type }));
}

// What the ledger did by what the node said first; and what of it each cell counts.
function sums(cells) {
  const rows = new Map();
  for (const cell of cells) {
    const row = rows.get(first(cell)) ?? rows.set(first(cell), new Map()).get(first(cell));
    const sum = row.get(column(cell)) ?? { state: cell.state, final: final(cell), count: 0 };
    row.set(column(cell), { ...sum, count: sum.count + cell.count });
  }
  return rows;
}

// A cell stays where it is while its number grows, and who stands on it stays on it.
function fillCell(cell, name, sum, type) {
  if (!sum) return cell.replaceChildren();
  const wanted = { preliminary: name, state: sum.state, final: sum.final };
  if (!cell.firstChild || cell.dataset.type !== type) {
    cell.dataset.type = type;
    cell.replaceChildren(linkTo("", { type, ...wanted }, { data: wanted }));
  }
  const text = number(sum.count);
  if (cell.firstChild.textContent === text) return undefined;
  cell.firstChild.textContent = text;
  return cell.firstChild.setAttribute("aria-label", `${text} transactions: ${name} first, then ${sum.state} ${sum.final}`);
}

export function show(answers) {
  const all = answers["/state/matrix"].cells;
  options([...new Set(all.map((cell) => cell.transaction_type))].sort());
  const type = by("matrix-type").value;
  const rows = sums(all.filter((cell) => !type || cell.transaction_type === type));
  const columns = [...new Set([...rows.values()].flatMap((row) => [...row.keys()]))]
    .sort((a, b) => b.endsWith("as said") - a.endsWith("as said") || b.localeCompare(a));
  none("matrix-scroll", rows.size === 0);
  keyed(by("matrix-table").tHead.rows[0], ["", ...columns], (name) => name,
    (name) => (name ? make("th", { scope: "col", textContent: name }) : make("td")), () => {});
  keyed(by("matrix-table").tBodies[0], [...rows].sort(([a], [b]) => (a < b ? -1 : 1)), ([name]) => name, () => make("tr"), (row, [name, of]) => {
    keyed(row, ["", ...columns], (key) => key, (key) => (key ? make("td", { className: "number" }) : make("th", { scope: "row", textContent: name })),
      (cell, key) => { if (key) fillCell(cell, name, of.get(key), type); });
  });
}
