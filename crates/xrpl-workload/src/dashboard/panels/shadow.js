// The node's ledgers, executed once more: what came out equal, and what did not.

import { by, keyed, make, number, pairs, say, source } from "../dom.js";

const SHADOW = "/state/shadow";

export const SECTIONS = ["shadow"];
export const NEEDS = [SHADOW];
const WORDS = {
  reading: "reads all entries of a ledger",
  following: "follows the node",
  behind: "does not keep up with the node",
  waiting: "waits for the node",
  ended: "has ended",
};

function fill(row, { ledger_index: ledger, tx_hash: hash, differences, file }) {
  const where = `Ledger ${ledger}${hash ? `, transaction ${hash}` : ""}`;
  say(row.firstChild, file ? `${where}; replay: xrpl-workload shadow --replay ${file}` : where);
  keyed(row.lastChild, differences, (line) => line, () => make("li"), (item, line) => say(item, line));
}

export function show(answers) {
  const shadow = answers[SHADOW];
  by("shadow").hidden = !shadow?.state || shadow.state === "off";
  if (by("shadow").hidden) return;
  const because = Object.entries(shadow.taken_over_because).map(([why, n]) => `${n}: ${why}`);
  pairs(by("shadow-numbers").tBodies[0], [
    ["Ledgers checked", number(shadow.ledgers_checked), source(SHADOW, "ledgers_checked")],
    ["Transactions in them", number(shadow.transactions_checked), source(SHADOW, "transactions_checked")],
    ["Different", number(shadow.ledgers_different), source(SHADOW, "ledgers_different"), shadow.ledgers_different ? "bad" : "good"],
    ["Taken over", number(shadow.ledgers_taken_over), source(SHADOW, "ledgers_taken_over"), shadow.ledgers_taken_over ? "warn" : ""],
    ["Skipped", number(shadow.ledgers_skipped), source(SHADOW, "ledgers_skipped"), shadow.ledgers_skipped ? "warn" : ""],
    ["Behind, ledgers", number(shadow.behind), source(SHADOW, "behind")],
  ]);
  say(by("shadow-says"), [`It ${WORDS[shadow.state]}.`, ...because].join(" "));
  keyed(by("shadow-findings"), shadow.findings, (finding) => `${finding.ledger_index} ${finding.tx_hash}`,
    () => make("li", {}, make("p"), make("ul")), fill);
}
