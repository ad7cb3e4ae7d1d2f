// The nodes' health, the streams and the event queue.

import { at, by, keyed, make, number, pairs, say, source } from "../dom.js";

const FROM = "/state/ws/stats";
const STREAMS = [
  ["Streams connected", "connected"], ["Streams configured", "endpoints"], ["Connected again", "reconnects"],
  ["Ledgers read afterwards", "ledgers_backfilled"], ["Events waiting", "queue_size"], ["Room for events", "queue_maxsize"],
  ["Events not understood", "failed_events"],
];

export function show(answers) {
  const cell = () => make("td");
  keyed(by("nodes").tBodies[0], answers["/health"].endpoints ?? [], (node) => node.id, (node) => make(
    "tr", {}, make("th", { scope: "row", className: "mono", textContent: node.name }), cell(), cell(), make("td", { className: "number" }), cell(),
  ), (row, node) => {
    const values = [node.healthy ? "answers" : "does not answer", node.server_state || "-", number(node.validated), node.last_error ?? ""];
    values.forEach((value, n) => say(row.children[n + 1], value));
    row.children[1].className = node.healthy ? "good" : "bad";
  });
  pairs(by("streams").tBodies[0], STREAMS.map(([name, path]) => [name, number(at(answers[FROM], path)), source(FROM, path)]));
}
