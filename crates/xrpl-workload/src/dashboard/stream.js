// /events: every state change. Bounded: what comes faster than frames is merged by transaction, and
// only the newest are kept. The browser reconnects by itself and says where it left off; what the
// server could not keep for it, it reports as a gap.

const KEPT = 200;

export function follow(onBatch, onCondition) {
  const newest = new Map();
  let waiting = false;
  let events = 0;
  let missed = 0;
  let last = 0;

  function frame(now) {
    // Four times a second is as fast as anyone reads.
    if (now - last < 250) {
      requestAnimationFrame(frame);
      return;
    }
    last = now;
    waiting = false;
    const batch = [...newest.values()];
    newest.clear();
    onBatch(batch, events, missed);
  }

  function take(message) {
    let change;
    try {
      change = JSON.parse(message.data);
    } catch {
      return;
    }
    if (!change.tx_hash) return;
    events += 1;
    newest.delete(change.tx_hash);
    newest.set(change.tx_hash, change);
    if (newest.size > KEPT) newest.delete(newest.keys().next().value);
    if (!waiting) {
      waiting = true;
      requestAnimationFrame(frame);
    }
  }

  function lost(message) {
    // How many is not known where the server was started again.
    missed += JSON.parse(message.data).missed ?? 0;
  }

  function open() {
    const source = new EventSource("/events?events=state");
    source.addEventListener("state", take);
    for (const name of ["gap", "cut"]) source.addEventListener(name, lost);
    source.addEventListener("open", () => onCondition(true));
    source.addEventListener("error", () => {
      onCondition(false);
      // Closed for good (a server that restarts answers with an error): begin again.
      if (source.readyState === EventSource.CLOSED) setTimeout(open, 1000);
    });
  }
  open();
}
