// Random transactions by result, and what nodes did meanwhile that they must not.

import { by, keyed, make, number, pairs, say, source } from "../dom.js";

const FUZZ = "/state/fuzz";

export const SECTIONS = ["fuzz"];
export const NEEDS = [FUZZ, "/state/findings"];

function results(types) {
  const all = new Map();
  for (const of of Object.values(types)) for (const [name, n] of Object.entries(of)) all.set(name, (all.get(name) ?? 0) + n);
  return [...all].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
}

function build(finding) {
  const blobs = finding.suspects.map((one) => make("li", {}, make("code", { textContent: one.tx_hash })));
  return make("li", {}, make("p"), make("details", {}, make("summary", { textContent: "Transactions that may have done it" }), make("ul", {}, ...blobs)));
}

function fill(row, { kind, node, what, times, ledger_index: ledger }) {
  say(row.firstChild, `${kind}${node ? ` at ${node}` : ""}, ledger ${ledger}: ${what}${times > 1 ? ` (${times} times)` : ""}`);
}

export function show(answers) {
  const fuzz = answers[FUZZ];
  const { findings } = answers["/state/findings"];
  by("fuzz").hidden = !(fuzz.percent > 0 || findings.length > 0);
  const { accounts, accounts_lost: lost } = fuzz.process;
  pairs(by("fuzz-numbers").tBodies[0], [
    ["Share of the load, %", number(fuzz.percent), source(FUZZ, "percent")],
    ["Tracked", number(fuzz.tracked), source(FUZZ, "tracked")],
    ["Accounts that send", number(accounts), source(FUZZ, "process.accounts")],
    ["Accounts lost", number(lost), source(FUZZ, "process.accounts_lost")],
  ]);
  keyed(by("fuzz-results").tBodies[0], results(fuzz.by_type), ([name]) => name,
    ([name]) => make("tr", {}, make("th", { scope: "row", textContent: name }), make("td", { className: "number" })),
    (row, [, n]) => say(row.lastChild, number(n)));
  say(by("findings-say"), findings.length ? "" : "Nothing was found.");
  keyed(by("findings"), findings, (finding) => finding.id, build, fill);
}
