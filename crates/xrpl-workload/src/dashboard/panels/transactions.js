// The newest transactions as they move, or those of a search. Only the rows in sight are in the document.

import { get } from "../api.js";
import * as pause from "../clock.js";
import { by, clock, dress, link, make, number, say, short, tone } from "../dom.js";
import * as router from "../router.js";
import { follow } from "../stream.js";
import { virtual } from "../virtual.js";
import { open } from "./dossier.js";

export const NEEDS = ["/state/summary"];
const LIVE = 50;
const PAGE = 200;
// Each transaction of an object's history is a request to the node.
const OBJECT_PAGE = 20;
const STATE_COLUMN = 4;
const STATES = ["CREATED", "SUBMITTED", "RETRYABLE", "VALIDATED", "REJECTED", "EXPIRED", "FAILED_NET"];
// What can be asked for, and how the list says it.
const FILTERS = {
  type: (v) => v, state: (v) => v, account: (v) => `of ${v}`, preliminary: (v) => `${v} first`, final: (v) => `final result ${v}`, ledger: (v) => `in ledger ${v}`,
  object: (v) => `that touched object ${short(v)}`,
};
// Close times count seconds from 2000-01-01.
const EPOCH_MS = 946684800000;

let live = new Map();
let found = null;
let connected = false;
let events = 0;
let missed = 0;
// What was wrong with the last search, until the next one.
let wrong = "";

function build() {
  const cell = (...children) => make("td", {}, ...children);
  const row = make("tr", {}, cell(), cell(link("", () => open(row.dataset.key), { className: "link mono" })),
    cell(), cell(linkTo("", {}, { className: "mono" })), cell(), cell(), make("td", { className: "number" }));
  return row;
}

function fill(row, tx) {
  const [time, { firstChild: hash }, type, { firstChild: account }, state, result, ledger] = row.children;
  say(time, tx.at_ms === null ? "" : clock(tx.at_ms));
  if (hash.title !== tx.tx_hash) {
    hash.title = tx.tx_hash;
    say(hash, short(tx.tx_hash));
  }
  if (account.title !== tx.account) {
    account.title = tx.account;
    account.href = router.address("transactions", { account: tx.account });
    say(account, short(tx.account));
  }
  say(type, tx.transaction_type);
  say(state, tx.state);
  dress(state, tone(tx.state));
  say(result, tx.result ?? "");
  say(ledger, tx.ledger ? number(tx.ledger) : "");
}

function standing(all) {
  if (wrong) return wrong;
  if (found?.reading && all.length === 0) return "Reading…";
  if (found) return `Transactions ${found.title}: ${all.length === 0 ? "none" : `${number(all.length)}${found.cursor ? " and more" : ""}`}.${found.about}`;
  if (!connected) return "The event stream is not connected; trying again.";
  if (all.length === 0) return "Live: nothing has moved yet.";
  if (pause.isPaused()) return "Paused.";
  return `Live: the newest state changes.${missed ? ` ${number(missed)} came too fast and are not shown.` : ""}`;
}

const newest = () => [...live.values()].slice(-LIVE).reverse();
const items = () => (found ? found.rows : newest());
let drawList = () => {};

function render() {
  document.body.dataset.events = String(events);
  if (router.current().view !== "transactions") return;
  drawList();
  const all = items();
  const head = by("list").tHead.rows[0].cells;
  say(head[0], found?.query.object ? "Closed" : "Time");
  say(head[STATE_COLUMN], found?.query.object ? "What it did" : "State");
  by("older").hidden = !found?.cursor;
  say(by("list-says"), standing(all));
}

const ofRow = (row) => ({
  tx_hash: row.tx_hash, at_ms: row.created_at_ms, transaction_type: row.transaction_type, account: row.account,
  state: row.state, result: row.engine_result_final ?? row.engine_result_first, ledger: row.validated_ledger,
});

// One that touched an object: validated, and perhaps not of this run.
const ofTouch = (touch) => ({
  tx_hash: touch.tx_hash, at_ms: touch.close_time === null ? null : EPOCH_MS + touch.close_time * 1000,
  transaction_type: touch.transaction_type, account: touch.account ?? "", state: `${touch.effect ?? "not known any more"}${touch.tracked ? "" : " (of others)"}`,
  result: touch.engine_result, ledger: touch.ledger_index,
});

// A page of what is asked for, and what else the list says of it.
async function page({ query, cursor }) {
  const { object, ...filter } = query;
  const more = cursor ? { cursor } : {};
  if (!object) {
    const answer = await get(`/state/transactions?${new URLSearchParams({ ...filter, ...more, order: "newest", limit: PAGE })}`);
    return { rows: answer.transactions.map(ofRow), cursor: answer.next_cursor, about: "" };
  }
  const answer = await get(`/state/objects/${object}?${new URLSearchParams({ ...more, limit: OBJECT_PAGE })}`);
  const standing = answer.entry ? "" : ", which is not on the ledger any more";
  const end = answer.incomplete ? ` The list ends here: ${answer.incomplete}.` : "";
  return { rows: answer.transactions.map(ofTouch), cursor: answer.next_cursor, about: ` It is of type ${answer.entry_type}${standing}.${end}` };
}

async function more() {
  if (found.reading) return;
  const asked = found;
  found.reading = true;
  try {
    const answer = await page(found);
    if (found !== asked) return;
    found.rows.push(...answer.rows);
    found.cursor = answer.cursor;
    found.about = answer.about;
  } catch (error) {
    if (found === asked) wrong = `Not found: ${error.message}`;
  } finally {
    asked.reading = false;
    render();
  }
}

// A link to the transactions of a filter. A link and no button: of tables with thousands, it is laid out faster.
export const linkTo = (text, query, options = {}) => make("a", { href: router.address("transactions", query), textContent: text, ...options });

// Shows the transactions of a filter, newest first.
function find(query) {
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

// 64 digits are the hash of a transaction of this run, or else the id of an object.
async function byHash(id) {
  try {
    await get(`/state/tx/${id}`);
    open(id);
  } catch (error) {
    if (error.status === 404) return find({ object: id });
    wrong = `Not found: ${error.message}`;
    render();
  }
  return undefined;
}

function search(event) {
  event.preventDefault();
  const text = by("query").value.trim();
  if (/^[0-9a-fA-F]{64}$/.test(text)) return byHash(text.toUpperCase());
  const meant = text ? understood(text) : {};
  if (!meant) {
    wrong = `${text}: neither a hash or an object's id (64 hexadecimal digits), nor an account's address (r…), a result (tec…), a ledger's index or a type.`;
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
  by("query").value = query.object ?? query.account ?? query.final ?? query.ledger ?? "";
  if (!all && Object.keys(query).length === 0) {
    found = null;
    render();
    return;
  }
  const words = Object.entries(FILTERS).filter(([name]) => query[name]).map(([name, say]) => say(query[name])).join(", ");
  found = { asked, query, title: words || "of the run", rows: [], cursor: null, reading: false, about: "" };
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
  drawList = virtual(by("list-scroll"), by("list"), {
    items, key: (tx) => tx.tx_hash, build, fill, near: () => { if (found?.cursor) more(); },
  });
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
