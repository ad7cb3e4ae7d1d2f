// The newest transactions as they move, or those that were looked for.

import { get } from "../api.js";
import { by, clock, keyed, link, make, number, say, short, tone } from "../dom.js";
import { follow } from "../stream.js";
import { open } from "./dossier.js";

const SHOWN = 50;
const PAGE = 50;
const STATES = ["CREATED", "SUBMITTED", "RETRYABLE", "VALIDATED", "REJECTED", "EXPIRED", "FAILED_NET"];

let live = new Map();
let found = null;
let paused = false;
let connected = false;
let events = 0;
let missed = 0;
// What was wrong with the last search, until the next one.
let wrong = "";

function build(tx) {
  const cell = (...children) => make("td", {}, ...children);
  return make(
    "tr", {}, cell(), cell(link(short(tx.tx_hash), () => open(tx.tx_hash), { className: "link mono", title: tx.tx_hash })),
    cell(), cell(link(short(tx.account), () => find({ account: tx.account }, `of ${tx.account}`), { className: "link mono", title: tx.account })),
    cell(), cell(), make("td", { className: "number" }),
  );
}

function fill(row, tx) {
  const [time, , type, , state, result, ledger] = row.children;
  say(time, clock(tx.at_ms));
  say(type, tx.transaction_type);
  say(state, tx.state);
  state.className = tone(tx.state);
  say(result, tx.result ?? "");
  say(ledger, tx.ledger ? number(tx.ledger) : "");
}

function render() {
  const rows = found ? found.rows : [...live.values()].reverse().slice(0, SHOWN);
  keyed(by("list").tBodies[0], rows, (tx) => tx.tx_hash, build, fill);
  by("older").hidden = !found?.cursor;
  by("pause").disabled = found !== null;
  let text;
  if (wrong) text = wrong;
  else if (found?.reading && rows.length === 0) text = "Reading…";
  else if (found) text = `${found.title}: ${rows.length === 0 ? "none" : `${rows.length}${found.cursor ? " and more" : ""}`}`;
  else if (!connected) text = "The event stream is not connected; it is tried again.";
  else if (rows.length === 0) text = "Live: nothing has moved yet.";
  else text = paused ? "Paused." : `Live: the newest state changes.${missed ? ` ${number(missed)} came too fast to be told.` : ""}`;
  say(by("list-says"), text);
  document.body.dataset.events = String(events);
}

const ofRow = (row) => ({
  tx_hash: row.tx_hash, at_ms: row.created_at_ms, transaction_type: row.transaction_type, account: row.account,
  state: row.state, result: row.engine_result_final ?? row.engine_result_first, ledger: row.validated_ledger,
});

async function more() {
  const query = new URLSearchParams({ ...found.query, order: "newest", limit: PAGE });
  if (found.cursor) query.set("cursor", found.cursor);
  const asked = found;
  found.reading = true;
  try {
    const answer = await get(`/state/transactions?${query}`);
    if (found !== asked) return;
    found.reading = false;
    found.rows = [...found.rows, ...answer.transactions.map(ofRow)];
    found.cursor = answer.next_cursor;
    render();
  } catch (error) {
    if (found === asked) refuse(`Not found: ${error.message}`);
  }
}

function refuse(text) {
  wrong = text;
  render();
}

// Shows the transactions of a filter, newest first.
export function find(query, title) {
  const given = Object.fromEntries(Object.entries(query).filter(([, value]) => value));
  wrong = "";
  found = { query: given, title: `Transactions ${title}`, rows: [], cursor: null };
  more();
  by("transactions").scrollIntoView();
  by("list").parentElement.focus({ preventScroll: true });
}

function search(event) {
  event.preventDefault();
  const text = by("query").value.trim();
  if (/^[0-9a-fA-F]{64}$/.test(text)) {
    refuse("");
    open(text.toUpperCase());
    return;
  }
  if (text && !/^r[1-9A-HJ-NP-Za-km-z]{24,34}$/.test(text)) {
    refuse("Neither a hash of 64 hexadecimal digits nor an account's address that begins with r.");
    return;
  }
  const query = { account: text, state: by("of-state").value, type: by("of-type").value };
  const words = Object.values(query).filter(Boolean).join(", ");
  find(query, words ? `of ${words}` : "of the run");
}

function took(batch, all, lost) {
  events = all;
  missed = lost;
  for (const change of batch) {
    live.delete(change.tx_hash);
    live.set(change.tx_hash, {
      tx_hash: change.tx_hash, at_ms: change.at_ms, transaction_type: change.transaction_type, account: change.account,
      state: change.state, result: change.engine_result, ledger: change.validated_ledger,
    });
  }
  while (live.size > 4 * SHOWN) live.delete(live.keys().next().value);
  if (!paused || found) render();
}

export function start() {
  by("of-state").append(...STATES.map((state) => make("option", { value: state, textContent: state })));
  by("search").addEventListener("submit", search);
  by("older").addEventListener("click", more);
  by("live").addEventListener("click", () => {
    found = null;
    wrong = "";
    by("query").value = "";
    render();
  });
  by("pause").addEventListener("click", () => {
    paused = !paused;
    by("pause").setAttribute("aria-pressed", String(paused));
    render();
  });
  follow(took, (now) => {
    connected = now;
    render();
  });
  render();
}

export function show(answers) {
  const select = by("of-type");
  const known = new Set([...select.options].map((option) => option.value));
  for (const type of Object.keys(answers["/state/summary"].by_type).sort()) {
    if (!known.has(type)) select.append(make("option", { value: type, textContent: type }));
  }
}
