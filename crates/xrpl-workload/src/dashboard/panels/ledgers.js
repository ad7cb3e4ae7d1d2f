// The newest validated ledgers, the queue and the fees.

import { draw } from "../charts.js";
import { at, by, keyed, make, number, pairs, say, source } from "../dom.js";

const FEES = [
  ["Open-ledger fee, drops", "open_ledger_fee"], ["Base fee, drops", "base_fee"], ["Median fee, drops", "median_fee"],
  ["In the open ledger", "current_ledger_size"], ["Expected in a ledger", "expected_ledger_size"],
  ["In the queue", "current_queue_size"], ["Places in the queue", "max_queue_size"], ["In the last ledger", "last_closed_txn_count"],
];

function kind(ledger) {
  if (ledger.backfilled) return "backfilled";
  return ledger.complete ? "complete" : "short";
}

function build() {
  const line = (name) => make("span", { className: name });
  return make("li", {}, make("b"), line("count"), make("br"), line("ours"), make("br"), line("fee"));
}

function fill(item, ledger) {
  item.className = kind(ledger);
  const [title, count, , ours, , fee] = item.childNodes;
  say(title, number(ledger.ledger_index));
  say(count, `${number(ledger.txn_count)} tx`);
  say(ours, `${number(ledger.ours)} ours`);
  say(fee, `fee ${number(ledger.open_ledger_fee)}`);
  item.title = `${ledger.ledger_hash ?? "hash not told"}: ${kind(ledger)}`;
}

export function show(answers) {
  const ledgers = answers["/state/ledgers"].ledgers;
  keyed(by("strip"), ledgers, (ledger) => ledger.ledger_index, build, fill);
  const oldest = [...ledgers].reverse();
  draw("chart-fees", oldest.map((l) => l.ledger_index), oldest.map((l) => l.open_ledger_fee), oldest.map((l) => l.queue_size));
  const fees = answers["/state/fees"];
  pairs(by("fee-numbers").tBodies[0], fees.unavailable
    ? [["No answer", fees.unavailable, {}]]
    : FEES.map(([name, path]) => [name, number(at(fees, path)), source("/state/fees", path)]));
}
