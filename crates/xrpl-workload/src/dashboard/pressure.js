// What holds the load back: the cause of most slots of the schedule that were late or missed lately.
// The same rule and words as the terminal's live view.

const TOLERATED = 0.05;
const LOOK_BACK = 10;
let before = [];

const CAUSES = ["lanes_empty", "node_queue", "endpoint", "generator"];
const slots = ({ on_time, late, missed }) => on_time + [late, missed].flatMap(Object.values).reduce((a, b) => a + b, 0);

// Seconds between ledgers, as far as those that are known show.
export function ledgerSeconds(ledgers) {
  const times = ledgers.map((ledger) => ledger.close_time).filter((time) => time !== null);
  return times.length > 1 ? (times[0] - times.at(-1)) / (times.length - 1) : null;
}

export function heldBack(detail, ledgers) {
  const { pacing } = detail.stats;
  if (before.length && slots(before[0]) > slots(pacing)) before = [];
  const first = before[0] ?? pacing;
  before = [...before, pacing].slice(-LOOK_BACK);
  const since = (cause) => ["late", "missed"].reduce((sum, kind) => sum + pacing[kind][cause] - first[kind][cause], 0);
  const [cause, most] = CAUSES.map((name) => [name, since(name)]).sort((a, b) => b[1] - a[1])[0];
  const due = slots(pacing) - slots(first);
  if (due === 0 || most <= due * TOLERATED) return null;
  const seconds = ledgerSeconds(ledgers);
  const every = seconds === null ? "" : `, and a ledger comes every ${seconds.toFixed(1)} s`;
  return {
    lanes_empty: `accounts: all of ${detail.total_accounts} have ${detail.max_pending} in flight${every}`,
    node_queue: "the node's queue: it accepts no more from the accounts that could send",
    endpoint: "the node: every request allowed at once waits for its answer",
    generator: "this machine: the generator is late by itself; give it more processor time",
  }[cause];
}
