// Where the run stands, in a dozen numbers.

import { at, by, make, number, say, source } from "../dom.js";

const FROM = "/state/summary";
const NUMBERS = [
  ["Ledger", "ledger_index"], ["Transactions", "total_tracked"], ["Validated / s", "validated_per_second"],
  ["In flight", "pending"], ["Finality p50, ms", "finality_ms.p50"], ["Finality p99, ms", "finality_ms.p99"],
  ["Failed, of valid intent", "valid_failed", true], ["Invalid on purpose", "expected_invalid"],
  ["At random", "fuzzed"], ["Findings", "findings", true],
  ["Undecided", "undecided", true], ["Overturned", "overturned", true],
  ["Revoked", "revoked", true], ["Up, seconds", "uptime_seconds"],
];

export function start() {
  by("numbers").replaceChildren(...NUMBERS.map(([name, path]) => make(
    "div", {}, make("dt", { textContent: name }), make("dd", { textContent: "-", data: source(FROM, path) }),
  )));
}

export function show(answers) {
  const summary = answers[FROM];
  say(by("endpoint"), summary.endpoint ?? "");
  say(by("phase"), answers["/workload/status"].running ? "load runs" : summary.phase);
  for (const [n, [, path, alarm]] of NUMBERS.entries()) {
    const cell = by("numbers").children[n].lastChild;
    const value = at(summary, path);
    say(cell, number(value));
    cell.className = alarm && value > 0 ? "bad" : "";
  }
  const preparing = summary.preparing;
  by("preparing").hidden = !preparing;
  if (preparing) {
    say(by("preparing-text"), `Preparing: ${preparing.stage} ${preparing.done} of ${preparing.total}`);
    by("preparing-bar").max = Math.max(preparing.total, 1);
    by("preparing-bar").value = preparing.done;
  }
}
