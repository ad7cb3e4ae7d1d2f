// The newest transactions as they move, or those of a search. Only the rows in sight are in the document.

import { get } from "../api.js";
import * as pause from "../clock.js";
import { by, clock, keyed, link, make, number, say, short, tone } from "../dom.js";
import * as router from "../router.js";
import { follow } from "../stream.js";
import { open } from "./dossier.js";

const LIVE = 50;
const PAGE = 200;
const ROW_PX = 32;
const BEYOND = 8;
const STATES = ["CREATED", "SUBMITTED", "RETRYABLE", "VALIDATED", "REJECTED", "EXPIRED", "FAILED_NET"];
// What can be asked for, and how the list says it.
const FILTERS = {
  type: (v) => v, state: (v) => v, account: (v) => `of ${v}`, preliminary: (v) => `${v} first`, final: (v) => `final result ${v}`, ledger: (v) => `in ledger ${v}`,
};

let live = new Map();
let found = null;
let connected = false;
let events = 0;
let missed = 0;
// What was wrong with the last search, until the next one.
let wrong = "";

function build(tx) {
  const cell = (...children) => make("td", {}, ...children);
  return make(
    "tr", {}, cell(), cell(link(short(tx.tx_hash), () => open(tx.tx_hash), { className: "link mono", title: tx.tx_hash })),
    cell(), cell(link(short(tx.account), () => find({ account: tx.account }), { className: "link mono", title: tx.account })),
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

// Space above and below stands for the rows that are not in sight.
function space(body, rows) {
  const height = `${rows * ROW_PX}px`;
  if (body.dataset.height === height) return;
  body.dataset.height = height;
  if (!body.firstChild) body.append(make("tr", {}, make("td", { colSpan: 7 })));
  body.firstChild.hidden = rows === 0;
  body.firstChild.firstChild.style.height = height;
}

function rows(all) {
  const box = by("list-scroll");
  const first = Math.max(0, Math.min(Math.floor(box.scrollTop / ROW_PX) - BEYOND, all.length - 1));
  const count = Math.ceil(Math.max(box.clientHeight, LIVE * ROW_PX / 2) / ROW_PX) + 2 * BEYOND;
  const shown = all.length > LIVE ? all.slice(first, first + count) : all;
  const before = all.length > LIVE ? first : 0;
  const [above, body, below] = by("list").tBodies;
  space(above, before);
  keyed(body, shown, (tx) => tx.tx_hash, build, fill);
  space(below, all.length - before - shown.length);
}

function standing(all) {
  if (wrong) return wrong;
  if (found?.reading && all.length === 0) return "Reading…";
  if (found) return `Transactions ${found.title}: ${all.length === 0 ? "none" : `${number(all.length)}${found.cursor ? " and more" : ""}`}`;
  if (!connected) return "The event stream is not connected; trying again.";
  if (all.length === 0) return "Live: nothing has moved yet.";
  if (pause.isPaused()) return "Paused.";
  return `Live: the newest state changes.${missed ? ` ${number(missed)} came too fast and are not shown.` : ""}`;
}

function render() {
  document.body.dataset.events = String(events);
  if (router.current().view !== "transactions") return;
  const all = found ? found.rows : [...live.values()].reverse().slice(0, LIVE);
  rows(all);
  by("older").hidden = !found?.cursor;
  say(by("list-says"), standing(all));
}

const ofRow = (row) => ({
  tx_hash: row.tx_hash, at_ms: row.created_at_ms, transaction_type: row.transaction_type, account: row.account,
  state: row.state, result: row.engine_result_final ?? row.engine_result_first, ledger: row.validated_ledger,
});

async function more() {
  if (found.reading) return;
  const query = new URLSearchParams({ ...found.query, order: "newest", limit: PAGE });
  if (found.cursor) query.set("cursor", found.cursor);
  const asked = found;
  found.reading = true;
  try {
    const answer = await get(`/state/transactions?${query}`);
    if (found !== asked) return;
    found.rows.push(...answer.transactions.map(ofRow));
    found.cursor = answer.next_cursor;
  } catch (error) {
    if (found === asked) wrong = `Not found: ${error.message}`;
  } finally {
    asked.reading = false;
    render();
  }
}

// Shows the transactions of a filter, newest first.
export function find(query) {
  router.go("transactions", query);
  by("list-scroll").focus({ preventScroll: true });
}

// What a text in the search field asks for; nothing if it is none of these.
function understood(text) {
  if (/^r[1-9A-HJ-NP-Za-km-z]{24,34}$/.test(text)) return { account: text };
  if (/^(tes|tec|tem|tef|ter|tel)[A-Z]?[A-Za-z_]+$/.test(text)) return { final: text };
  if (/^[\d,]+$/.test(text)) return { ledger: text.replaceAll(",", "") };
  const type = [...by("of-type").options].find((option) => option.value.toLowerCase() === text.toLowerCase());
  return type ? { type: type.value } : null;
}

function search(event) {
  event.preventDefault();
  const text = by("query").value.trim();
  if (/^[0-9a-fA-F]{64}$/.test(text)) return open(text.toUpperCase());
  const meant = text ? understood(text) : {};
  if (!meant) {
    wrong = `${text}: neither a hash of 64 hexadecimal digits, nor an account's address (r…), a result (tec…), a ledger's index or a type.`;
    return render();
  }
  const query = { state: by("of-state").value, type: by("of-type").value, ...meant };
  // Without a filter it is everything, which has an address too.
  return find(Object.values(query).some(Boolean) ? query : { all: 1 });
}

function place({ view, params }) {
  if (view !== "transactions") return;
  const { tx, all, ...query } = params;
  const asked = JSON.stringify([all, query]);
  if (asked === found?.asked) return;
  wrong = "";
  by("list-scroll").scrollTop = 0;
  by("of-state").value = query.state ?? "";
  by("of-type").value = query.type ?? "";
  by("query").value = query.account ?? query.final ?? query.ledger ?? "";
  if (!all && Object.keys(query).length === 0) {
    found = null;
    render();
    return;
  }
  const words = Object.entries(FILTERS).filter(([name]) => query[name]).map(([name, say]) => say(query[name])).join(", ");
  found = { asked, query, title: words || "of the run", rows: [], cursor: null, reading: false };
  more();
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
  while (live.size > 4 * LIVE) live.delete(live.keys().next().value);
  if (!pause.isPaused() || found) render();
  else document.body.dataset.events = String(events);
}

export function start() {
  by("of-state").append(...STATES.map((state) => make("option", { value: state, textContent: state })));
  by("search").addEventListener("submit", search);
  by("older").addEventListener("click", more);
  by("live").addEventListener("click", () => {
    wrong = "";
    for (const id of ["query", "of-state", "of-type"]) by(id).value = "";
    router.go("transactions");
  });
  // Once a frame, however many events there are in one.
  let due = false;
  by("list-scroll").addEventListener("scroll", () => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => {
      due = false;
      const box = by("list-scroll");
      if (found?.cursor && box.scrollTop + box.clientHeight > box.scrollHeight - 20 * ROW_PX) more();
      render();
    });
  }, { passive: true });
  pause.onChange(render);
  follow(took, (now) => {
    connected = now;
    render();
  });
  router.onChange(place);
}

export function show(answers) {
  const select = by("of-type");
  const known = new Set([...select.options].map((option) => option.value));
  for (const type of Object.keys(answers["/state/summary"].by_type).sort()) {
    if (!known.has(type)) select.append(make("option", { value: type, textContent: type }));
  }
  const wanted = router.current().params.type;
  if (wanted && router.current().view === "transactions" && !select.value) select.value = wanted;
}
