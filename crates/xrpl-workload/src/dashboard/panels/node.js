// The nodes' health and how far they are behind, the streams and the event queue.

import { draw } from "../charts.js";
import { within } from "../clock.js";
import { at, by, clock, keyed, make, number, pairs, say, source } from "../dom.js";

const FROM = "/state/ws/stats";
export const SECTIONS = ["node", "stream-section", "node-load"];
export const NEEDS = [FROM, "/health", "/state/summary"];
const STREAMS = [
  ["Streams connected", "connected"], ["Streams configured", "endpoints"], ["Reconnects", "reconnects"],
  ["Ledgers read afterwards", "ledgers_backfilled"], ["Events waiting", "queue_size"], ["Event queue capacity", "queue_maxsize"],
  ["Events not understood", "failed_events"],
];

export function show(answers) {
  const cell = (className = "") => make("td", { className });
  const nodes = answers["/health"].endpoints ?? [];
  const followed = nodes.filter((node) => !node.passed_over);
  const newest = Math.max(0, ...followed.map((node) => node.validated ?? 0));
  keyed(by("nodes").tBodies[0], nodes, (node) => node.id, (node) => make(
    "tr", {}, make("th", { scope: "row", className: "mono", textContent: node.name }), cell(), cell(), cell("number"), cell("number"), cell(),
  ), (row, node) => {
    const behind = node.validated && !node.passed_over ? newest - node.validated : null;
    const word = node.passed_over ? "another chain" : node.healthy ? "answers" : "does not answer";
    const values = [word, node.server_state || "-", number(node.validated), number(behind), node.last_error ?? ""];
    values.forEach((value, n) => say(row.children[n + 1], value));
    row.children[1].className = node.healthy ? "good" : "bad";
    row.children[4].className = `number ${behind > 2 ? "warn" : ""}`;
  });
  const samples = within(answers.samples, (s) => s.at_ms);
  draw("chart-node", samples.map((s) => clock(s.at_ms)), ...["load_factor", "lag_ledgers", "job_ms"].map((name) => samples.map((s) => s.node[name])));
  pairs(by("streams").tBodies[0], [
    ...STREAMS.map(([name, path]) => [name, number(at(answers[FROM], path)), source(FROM, path)]),
    ["Ledgers whose hash differs between nodes", number(answers["/state/summary"].ledger_mismatches),
      source("/state/summary", "ledger_mismatches"), answers["/state/summary"].ledger_mismatches > 0 ? "bad" : "good"],
  ]);
}
