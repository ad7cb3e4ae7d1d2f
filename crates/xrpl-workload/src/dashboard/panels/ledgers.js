// The newest validated ledgers: what is in them, how far apart they are, the fees and the queue.

import { draw, drawSets } from "../charts.js";
import { within } from "../clock.js";
import { at, by, keyed, make, none, number, pairs, say, source } from "../dom.js";
import { linkTo } from "./transactions.js";

export const SECTIONS = ["ledgers", "ledger-types", "interval", "fees"];
export const NEEDS = ["/state/ledgers"];
const FEES = [
  ["Open-ledger fee, drops", "open_ledger_fee"], ["Base fee, drops", "base_fee"], ["Median fee, drops", "median_fee"],
  ["In the open ledger", "current_ledger_size"], ["Expected in a ledger", "expected_ledger_size"],
  ["In the queue", "current_queue_size"], ["Queue capacity", "max_queue_size"], ["In the last ledger", "last_closed_txn_count"],
];
// Close times count seconds from 2000-01-01.
const EPOCH_MS = 946684800000;
const TONES = ["--one", "--two", "--three", "--four", "--five", "--six", "--seven"];
// A type keeps the colour that it was given first.
const tones = new Map();

function kind(ledger) {
  if (ledger.backfilled) return "backfilled";
  return ledger.complete ? "complete" : "short";
}

function build(ledger) {
  const line = (name) => make("span", { className: name });
  const open = linkTo(number(ledger.ledger_index), { ledger: ledger.ledger_index });
  return make("li", {}, make("b", {}, open), line("count"), make("br"), line("ours"), make("br"), line("fee"));
}

function fill(item, ledger) {
  item.className = kind(ledger);
  const [, count, , ours, , fee] = item.childNodes;
  say(count, `${number(ledger.txn_count)} tx`);
  say(ours, `${number(ledger.ours)} ours`);
  say(fee, `fee ${number(ledger.open_ledger_fee)}`);
  item.title = `${ledger.ledger_hash ?? "hash not known"}: ${kind(ledger)}`;
}

// The most frequent types by name, all others together, and what is not of this run.
function byType(ledgers) {
  const totals = new Map();
  for (const { ours_by_type: types = {} } of ledgers) for (const [type, n] of Object.entries(types)) totals.set(type, (totals.get(type) ?? 0) + n);
  const named = [...totals].sort((a, b) => b[1] - a[1]).slice(0, TONES.length).map(([type]) => type);
  for (const type of [...tones.keys()]) if (!named.includes(type)) tones.delete(type);
  const free = TONES.filter((tone) => ![...tones.values()].includes(tone));
  for (const type of named) if (!tones.has(type)) tones.set(type, free.shift());
  const of = (ledger, type) => ledger.ours_by_type?.[type] ?? 0;
  const rest = (ledger) => ledger.ours - named.reduce((sum, type) => sum + of(ledger, type), 0);
  const foreign = (ledger) => Math.max(0, (ledger.txn_count ?? ledger.ours) - ledger.ours);
  const sets = named.map((type) => [type, tones.get(type), ledgers.map((ledger) => of(ledger, type))]);
  sets.push(["other types", "--eight", ledgers.map(rest)], ["not of this run", "--line", ledgers.map(foreign)]);
  return sets.filter(([, , values]) => values.some((n) => n > 0));
}

function interval(ledgers) {
  return ledgers.map(({ close_time: time }, n) => {
    const before = ledgers[n - 1]?.close_time ?? null;
    return time === null || before === null ? null : time - before;
  });
}

export function show(answers) {
  const { ledgers } = answers["/state/ledgers"];
  none("strip", ledgers.length === 0);
  keyed(by("strip"), ledgers, (ledger) => ledger.ledger_index, build, fill);
  const oldest = within([...ledgers].reverse().filter((l) => l.close_time !== null), (l) => EPOCH_MS + l.close_time * 1000);
  const labels = oldest.map((l) => l.ledger_index);
  drawSets("chart-types", labels, byType(oldest));
  draw("chart-interval", labels, interval(oldest));
  draw("chart-fees", labels, oldest.map((l) => l.open_ledger_fee), oldest.map((l) => l.queue_size));
  const fees = answers["/state/fees"];
  pairs(by("fee-numbers").tBodies[0], fees.unavailable
    ? [["No answer", fees.unavailable, {}]]
    : FEES.map(([name, path]) => [name, number(at(fees, path)), source("/state/fees", path)]));
}
