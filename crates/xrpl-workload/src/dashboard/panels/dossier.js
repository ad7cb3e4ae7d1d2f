// Everything known about one transaction, in the order it happened, and how to check it oneself.

import { get } from "../api.js";
import { by, clock, link, make, number, say, tone } from "../dom.js";
import * as router from "../router.js";

export const NEEDS = ["/state/summary"];
const EVIDENCE = {
  validated: (e) => `in validated ledger ${number(e.ledger_index)} with ${e.result}, first seen by ${e.source}`,
  refused_by_node: (e) => `refused by the only node that had it, which does not keep it: ${e.engine_result}`,
  never_sent: (e) => `not one byte ever left, in ${e.attempts} attempts`,
  last_ledger_passed: (e) => `LastLedgerSequence ${number(e.last_ledger_sequence)} is validated, and no ledger that could contain it does (${e.proof?.kind})`,
  sequence_consumed: (e) => `its Sequence or Ticket was consumed by ${e.by} in ledger ${number(e.ledger)}`,
  slot_gone: (e) => `its Sequence or Ticket is used up, as ledger ${number(e.ledger_index)} shows, and no ledger that could contain it does`,
};

function answer(result) {
  if (result.engine_result) return `${result.endpoint} answered ${result.engine_result}`;
  if (result.error) return `${result.endpoint} answered with the error ${result.error}`;
  const left = JSON.stringify(result).includes("not_written");
  return left ? `${result.endpoint}: not a byte was written` : `${result.endpoint}: sent, no answer came`;
}

function steps(tx) {
  const list = [[tx.created_at_ms, `Created: ${tx.transaction_type} of ${tx.account}, after ledger ${number(tx.created_ledger)}`, ""]];
  for (const result of tx.preliminary_results) list.push([result.at_ms, `Submitted: ${answer(result)}`, ""]);
  for (const seen of tx.sightings) list.push([seen.at_ms, `Seen by ${seen.source} in validated ledger ${number(seen.ledger_index)}`, ""]);
  list.sort((a, b) => a[0] - b[0]);
  if (tx.evidence) {
    const words = EVIDENCE[tx.evidence.kind]?.(tx.evidence) ?? JSON.stringify(tx.evidence);
    list.push([tx.finality_ms === null ? null : tx.created_at_ms + tx.finality_ms, `${tx.state}: ${words}`, tone(tx.state)]);
  }
  return list;
}

// The JSON-RPC requests that show the same on any node that keeps this history.
function requests(tx) {
  const list = [["What a node says of the transaction", { method: "tx", params: [{ transaction: tx.tx_hash, binary: false }] }]];
  const proof = tx.evidence;
  if (proof?.kind === "validated") {
    const ledger = proof.ledger_hash ? { ledger_hash: proof.ledger_hash } : { ledger_index: proof.ledger_index };
    list.push(["That ledger, and that it is validated", { method: "ledger", params: [{ ...ledger, transactions: true }] }]);
  } else if (proof && proof.kind !== "refused_by_node" && proof.kind !== "never_sent") {
    const until = proof.last_ledger_sequence ?? proof.ledger ?? proof.ledger_index;
    list.push(["All that the account did in the ledgers in question", { method: "account_tx",
      params: [{ account: tx.account, ledger_index_min: tx.created_ledger, ledger_index_max: until, forward: true }] }]);
    list.push(["The Sequence that the account has now", { method: "account_info", params: [{ account: tx.account, ledger_index: "validated" }] }]);
  }
  return list;
}

function request([words, body], endpoint) {
  const text = `curl -s ${endpoint} -d '${JSON.stringify(body)}'`;
  const copy = make("button", { type: "button", textContent: "Copy", "aria-label": `Copy: ${words}` });
  copy.addEventListener("click", async () => {
    copy.removeAttribute("aria-label");
    try {
      await navigator.clipboard.writeText(text);
      say(copy, "Copied");
    } catch {
      // Pages that are not from this machine or HTTPS have no clipboard: then it is selected.
      getSelection().selectAllChildren(copy.previousSibling);
      say(copy, "Selected");
    }
  });
  return [make("p", { className: "quiet", textContent: words }), make("div", { className: "request" }, make("pre", { textContent: text, tabIndex: 0 }), copy)];
}

function raw(title, value) {
  return make("details", {}, make("summary", { textContent: title }), make("pre", { textContent: value, tabIndex: 0 }));
}

function meant({ intent }) {
  if (intent === "valid") return "to succeed";
  if (intent === "any") return "nothing: it is random";
  return `to fail with ${intent?.invalid?.expected?.join(" or ") ?? "an error"}`;
}

function body(tx, endpoint) {
  const facts = [
    ["Hash", tx.tx_hash], ["State", tx.undecided ? `${tx.state}, undecided` : tx.state],
    ["Result", [tx.engine_result_final ?? tx.engine_result_first ?? "-", tx.engine_result_message].filter(Boolean).join(": ")],
    ...(tx.reason ? [["Also known", tx.reason.text]] : []),
    ["Account", tx.account], ["Intended", meant(tx)],
    [tx.ticket_sequence ? "Ticket" : "Sequence", String(tx.ticket_sequence ?? tx.sequence)], ["LastLedgerSequence", String(tx.last_ledger_seq ?? "-")],
    ["Until validated", tx.finality_ms === null ? "-" : `${number(tx.finality_ms)} ms; ledgers: ${number(tx.finality_ledgers)}`],
  ];
  const others = link("All transactions of this account", () => router.go("transactions", { account: tx.account }));
  return [
    make("table", {}, make("tbody", {}, ...facts.map(([name, text]) => make("tr", {}, make("th", { scope: "row", textContent: name }), make("td", { className: "mono", textContent: text }))))),
    make("p", {}, others),
    make("h3", { textContent: "What happened" }),
    make("ol", { className: "timeline" }, ...steps(tx).map(([at, text, className]) => make("li", { className }, make("time", { textContent: at === null ? "" : clock(at) }), text))),
    make("h3", { textContent: "Check it yourself" }), ...requests(tx).flatMap((one) => request(one, endpoint)),
    raw("Fields", JSON.stringify(tx.tx_json, null, 2)), raw("Signed blob", tx.tx_blob), raw("The whole record", JSON.stringify(tx, null, 2)),
  ];
}

// The one that is shown, as it was read last.
let shown = { hash: "", text: "", ended: true };
let endpoint = "";

async function read(hash) {
  const tx = await get(`/state/tx/${hash}`);
  const text = JSON.stringify(tx);
  if (shown.hash !== hash || shown.text === text) return;
  shown = { hash, text, ended: tx.evidence !== null };
  by("dossier-body").replaceChildren(...body(tx, endpoint));
}

// Its address is the view's with `tx`, so that it can be copied and the back button closes it.
export const open = (hash) => router.set("tx", hash);

async function display(hash) {
  const dialog = by("dossier");
  if (!hash) return dialog.close();
  if (dialog.open && shown.hash === hash) return undefined;
  shown = { hash, text: "", ended: true };
  by("dossier-body").replaceChildren(make("p", { textContent: "Reading…" }));
  if (!dialog.open) dialog.showModal();
  try {
    await read(hash);
  } catch (error) {
    if (shown.hash === hash) by("dossier-body").replaceChildren(make("p", { className: "bad", textContent: error.message }));
  }
  return undefined;
}

export function start() {
  by("dossier").addEventListener("close", () => { if (router.current().params.tx) router.set("tx", ""); });
  router.onChange(({ params }) => display(params.tx));
}

// One that has no end yet is read again; what cannot be read now stays as it is.
export function show(answers) {
  endpoint = answers["/state/summary"].endpoint ?? endpoint;
  if (by("dossier").open && !shown.ended) read(shown.hash).catch(() => {});
}
