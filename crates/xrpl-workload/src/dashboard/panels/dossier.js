// Everything known about one transaction, in the order it happened.

import { get } from "../api.js";
import { by, clock, make, number, tone } from "../dom.js";

const EVIDENCE = {
  validated: (e) => `in validated ledger ${number(e.ledger_index)} with ${e.result}, first seen by ${e.source}`,
  refused_by_node: (e) => `refused by the only node that had it, which does not keep it: ${e.engine_result}`,
  never_sent: (e) => `not one byte ever left, in ${e.attempts} attempts`,
  last_ledger_passed: (e) => `LastLedgerSequence ${number(e.last_ledger_sequence)} is validated, and no ledger that could have it does (${e.proof?.kind})`,
  sequence_consumed: (e) => `its Sequence or Ticket went to ${e.by} in ledger ${number(e.ledger)}`,
  slot_gone: (e) => `its Sequence or Ticket is used up, as ledger ${number(e.ledger_index)} shows, and no ledger that could have it does`,
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

function raw(title, value) {
  return make("details", {}, make("summary", { textContent: title }), make("pre", { textContent: value, tabIndex: 0 }));
}

function body(tx) {
  const facts = [
    ["Hash", tx.tx_hash], ["State", tx.undecided ? `${tx.state}, undecided` : tx.state],
    ["Result", [tx.engine_result_final ?? tx.engine_result_first ?? "-", tx.engine_result_message].filter(Boolean).join(": ")],
    ...(tx.reason ? [["Known besides", tx.reason.text]] : []),
    ["Meant", tx.intent === "valid" ? "to succeed" : tx.intent === "any" ? "nothing: it was drawn at random" : `to fail with ${tx.intent?.invalid?.expected?.join(" or ") ?? "an error"}`],
    [tx.ticket_sequence ? "Ticket" : "Sequence", String(tx.ticket_sequence ?? tx.sequence)], ["LastLedgerSequence", String(tx.last_ledger_seq ?? "-")],
    ["Finality", tx.finality_ms === null ? "-" : `${number(tx.finality_ms)} ms; ledgers: ${number(tx.finality_ledgers)}`],
  ];
  return [
    make("table", {}, make("tbody", {}, ...facts.map(([name, text]) => make("tr", {}, make("th", { scope: "row", textContent: name }), make("td", { className: "mono", textContent: text }))))),
    make("h3", { textContent: "What happened" }),
    make("ol", { className: "timeline" }, ...steps(tx).map(([at, text, className]) => make("li", { className }, make("time", { textContent: at === null ? "" : clock(at) }), text))),
    raw("Fields", JSON.stringify(tx.tx_json, null, 2)), raw("Signed blob", tx.tx_blob), raw("The whole dossier", JSON.stringify(tx, null, 2)),
  ];
}

// The one that is shown, as it was told last.
let shown = { hash: "", text: "", ended: true };

async function read(hash) {
  const tx = await get(`/state/tx/${hash}`);
  const text = JSON.stringify(tx);
  if (shown.hash !== hash || shown.text === text) return;
  shown = { hash, text, ended: tx.evidence !== null };
  by("dossier-body").replaceChildren(...body(tx));
}

export async function open(hash) {
  const dialog = by("dossier");
  shown = { hash, text: "", ended: true };
  by("dossier-body").replaceChildren(make("p", { textContent: "Reading…" }));
  if (!dialog.open) dialog.showModal();
  try {
    await read(hash);
  } catch (error) {
    by("dossier-body").replaceChildren(make("p", { className: "bad", textContent: error.message }));
  }
}

// One that has no end yet is read again; what cannot be read now stays as it is.
export function show() {
  if (by("dossier").open && !shown.ended) read(shown.hash).catch(() => {});
}
