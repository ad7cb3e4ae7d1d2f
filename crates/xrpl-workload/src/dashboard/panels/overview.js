// Whether all is well, in one sentence; the rate against its target; how long until validated; what
// fails; and the other figures of the run.

import { at, by, keyed, make, number, say, source } from "../dom.js";
import { heldBack } from "../pressure.js";
import { linkTo } from "./transactions.js";

const FROM = "/state/summary";
export const SECTIONS = ["overview"];
export const NEEDS = [FROM, "/workload/status", "/state/ledgers", "/state/latency", "/state/failure-codes", "/health"];
const NUMBERS = [
  ["Ledger", "ledger_index"], ["Superseded", "superseded"], ["Invalid on purpose", "expected_invalid"],
  ["Random (fuzz)", "fuzzed"], ["Findings", "findings", true], ["Unexpected failures", "valid_failed", true],
  ["Undecided", "undecided", true], ["Overturned", "overturned", true], ["Revoked", "revoked", true],
  ["Ledgers that differ", "ledger_mismatches", true], ["Up, seconds", "uptime_seconds"],
];
// The sentence: a figure and its word; those marked are left out while they are 0.
const STORY = [
  ["total_tracked", " submitted"], ["by_state.VALIDATED", " validated"], ["by_state.REJECTED", " rejected", true],
  ["by_state.EXPIRED", " expired", true], ["by_state.FAILED_NET", " never sent", true], ["pending", " in flight"],
];
const WORRIES = [
  ["valid_failed", "transactions failed that were meant to succeed"], ["undecided", "are undecided: no node can prove their final state"],
  ["contradicted", "results of nodes contradict each other"], ["overturned", "provisional results were overturned by the ledger"],
  ["revoked", "results were taken back with their ledger"], ["findings", "findings: nodes did what no transaction may cause"],
  ["ledger_mismatches", "ledgers have different hashes on different nodes"],
];
const TOP = 3;

export function start() {
  by("numbers").replaceChildren(...NUMBERS.map(([name, path]) => make(
    "div", {}, make("dt", { textContent: name }), make("dd", { textContent: "-", data: source(FROM, path) }),
  )));
  by("story").replaceChildren(...STORY.map(([path, words]) => make(
    "span", {}, make("b", { textContent: "-", data: source(FROM, path) }), `${words}, `,
  )), make("span", { id: "accounted" }));
  by("reached").dataset.from = FROM;
  by("reached").dataset.path = "validated_per_second";
  by("until").replaceChildren(make("b", { textContent: "-", data: source(FROM, "finality_ms.p50") }), " ms for half of them");
  by("until-more").replaceChildren("99 of 100 within ", make("b", { textContent: "-", data: source(FROM, "finality_ms.p99") }), " ms", make("span"));
  by("failing").replaceChildren(make("b", { textContent: "-", data: source("/state/failure-codes", "total") }), " with another result than success");
}

// What was submitted and has neither an end nor is in flight. There must be none, ever.
function missing(summary) {
  const counted = Object.values(summary.by_state).reduce((a, b) => a + b, 0);
  return summary.total_tracked - counted;
}

function story(summary, lost, worries) {
  for (const [n, [path, , optional]] of STORY.entries()) {
    const part = by("story").children[n];
    const value = at(summary, path);
    say(part.firstChild, number(value));
    part.hidden = Boolean(optional) && value === 0;
  }
  say(by("accounted"), lost === 0 ? "nothing unaccounted for." : `${number(lost)} unaccounted for.`);
  by("story").className = lost > 0 ? "bad" : worries.length > 0 ? "warn" : "good";
}

function rate(summary, status, ledgers) {
  const target = status.detail?.stage?.target_tps ?? null;
  const reached = summary.validated_per_second;
  const held = status.running ? heldBack(status.detail, ledgers) : null;
  say(by("reached"), number(reached));
  say(by("target"), target > 0 ? `of ${number(target)} a second` : "a second");
  const bar = by("rate-bar");
  bar.hidden = !(target > 0) || !status.running;
  bar.value = target > 0 ? Math.min(reached / target, 1) : 0;
  let words = summary.expected_invalid + summary.fuzzed > 0 ? "On schedule; some were not meant to be validated." : "On schedule.";
  if (!status.running) words = "Load is stopped.";
  else if (held) words = `Held back by ${held}.`;
  else if (target === 0 || target === null) words = "No target: as fast as it goes.";
  say(by("held"), words);
  by("held").className = held ? "warn" : "quiet";
}

function failures(codes) {
  say(by("failing").firstChild, number(codes.total));
  keyed(by("top-failures"), codes.detail.slice(0, TOP), (code) => code.code, ({ code }) => make(
    "li", {}, linkTo(code, { final: code }), make("span"),
  ), (row, code) => {
    say(row.lastChild, number(code.count));
    row.title = `${code.message} (${code.meaning})`;
  });
}

function nodes(health) {
  const all = health.endpoints ?? [];
  const up = all.filter((node) => node.healthy);
  by("nodes-up").replaceChildren(make("b", { textContent: `${up.length} of ${all.length}` }), " answer");
  const newest = Math.max(0, ...up.map((node) => node.validated ?? 0));
  const behind = up.filter((node) => newest - node.validated > 2).length;
  say(by("nodes-more"), behind ? `${behind} more than 2 ledgers behind.` : up.map((node) => node.server_state).filter((state, n, list) => list.indexOf(state) === n).join(", "));
  by("nodes-up").className = `big ${up.length < all.length ? "bad" : ""}`;
}

export function show(answers) {
  const summary = answers[FROM];
  const status = answers["/workload/status"];
  for (const [n, [, path, alarm]] of NUMBERS.entries()) {
    const cell = by("numbers").children[n].lastChild;
    const value = at(summary, path);
    say(cell, number(value));
    cell.className = alarm && value > 0 ? "bad" : "";
  }
  const worries = WORRIES.filter(([path]) => summary[path] > 0);
  story(summary, missing(summary), worries);
  by("worries").hidden = worries.length === 0;
  keyed(by("worries"), worries, ([path]) => path, ([path, words]) => make("li", {}, make("b", { data: source(FROM, path) }), ` ${words}`),
    (row, [path]) => say(row.firstChild, number(summary[path])));
  rate(summary, status, answers["/state/ledgers"].ledgers ?? []);
  say(by("until").firstChild, number(summary.finality_ms.p50));
  say(by("until-more").children[0], number(summary.finality_ms.p99));
  const { p50 } = answers["/state/latency"].ledgers ?? {};
  say(by("until-more").children[1], p50 ? `, half within ${number(p50)} ledger${p50 === 1 ? "" : "s"}` : "");
  failures(answers["/state/failure-codes"]);
  say(by("apart"), summary.fuzzed > 0 ? "Random ones are counted apart." : "");
  nodes(answers["/health"]);
  const preparing = summary.preparing;
  by("preparing").hidden = !preparing;
  if (preparing) {
    say(by("preparing-text"), `Preparing: ${preparing.stage} ${preparing.done} of ${preparing.total}`);
    by("preparing-bar").max = Math.max(preparing.total, 1);
    by("preparing-bar").value = preparing.done;
  }
}
