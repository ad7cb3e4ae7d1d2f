// What the node said first against what the ledger did.

import { by, link, make, number } from "../dom.js";
import { find } from "./transactions.js";

let drawn = "";

const first = (cell) => cell.preliminary ?? "none";
const final = (cell) => cell.final ?? "none";
// Where the ledger did what the node said, one column serves all results; the rest stands out.
const column = (cell) => `${cell.state} ${final(cell) === first(cell) ? "as said" : final(cell)}`;

function options(types) {
  const select = by("matrix-type");
  const known = new Set([...select.options].map((option) => option.value));
  for (const type of types) if (!known.has(type)) select.append(make("option", { value: type, textContent: type }));
}

function table(cells, type) {
  const firsts = [...new Set(cells.map(first))].sort();
  const columns = [...new Set(cells.map(column))].sort((a, b) => b.endsWith("as said") - a.endsWith("as said") || b.localeCompare(a));
  const sums = new Map();
  for (const cell of cells) {
    const key = `${first(cell)} ${column(cell)}`;
    const sum = sums.get(key) ?? { state: cell.state, final: final(cell), count: 0 };
    sums.set(key, { ...sum, count: sum.count + cell.count });
  }
  const head = make("tr", {}, make("td"), ...columns.map((name) => make("th", { scope: "col", textContent: name })));
  const rows = firsts.map((name) => make("tr", {}, make("th", { scope: "row", textContent: name }), ...columns.map((of) => {
    const sum = sums.get(`${name} ${of}`);
    const cell = make("td", { className: "number" });
    if (!sum) return cell;
    const wanted = { preliminary: name, state: sum.state, final: sum.final };
    const words = `${name} first, then ${sum.state} ${sum.final}`;
    cell.append(link(number(sum.count), () => find({ type, ...wanted }), { data: wanted, "aria-label": `${number(sum.count)} transactions: ${words}` }));
    return cell;
  })));
  return [make("thead", {}, head), make("tbody", {}, ...rows)];
}

export function start() {
  by("matrix-type").addEventListener("change", () => { drawn = ""; });
}

export function show(answers) {
  const cells = answers["/state/matrix"].cells;
  options([...new Set(cells.map((cell) => cell.transaction_type))].sort());
  const type = by("matrix-type").value;
  const print = type + JSON.stringify(cells);
  const target = by("matrix-table");
  if (print === drawn) return;
  drawn = print;
  // Who stands on a number stays on it.
  const on = target.contains(document.activeElement) ? { ...document.activeElement.dataset } : null;
  const caption = target.caption;
  caption.textContent = cells.length ? "Provisional by final result" : "Nothing has ended yet.";
  target.replaceChildren(caption, ...(cells.length ? table(cells.filter((cell) => !type || cell.transaction_type === type), type) : []));
  if (on) {
    const same = [...target.querySelectorAll("button")].find((b) => ["preliminary", "state", "final"].every((key) => b.dataset[key] === on[key]));
    same?.focus();
  }
}
