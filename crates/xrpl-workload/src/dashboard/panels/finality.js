// How long validation takes, in milliseconds and in ledgers.

import { draw } from "../charts.js";
import { within } from "../clock.js";
import { at, by, clock, keyed, make, number, say, source } from "../dom.js";

const FROM = "/state/latency";
export const SECTIONS = ["finality", "histograms"];
export const NEEDS = [FROM];
const ROWS = [["Milliseconds", "finality_ms"], ["Ledgers", "ledgers"]];
const PARTS = ["p50", "p90", "p99", "max"];
const OVER_TIME = ["finality_ms_p50", "finality_ms_p90", "finality_ms_p99"];

export function show(answers) {
  const latency = answers[FROM];
  keyed(by("percentiles").tBodies[0], ROWS, ([name]) => name, ([name, path]) => make(
    "tr", {}, make("th", { scope: "row", textContent: name }),
    ...PARTS.map((part) => make("td", { className: "number", data: source(FROM, `${path}.${part}`) })),
  ), (row, [, path]) => PARTS.forEach((part, n) => say(row.children[n + 1], number(at(latency, `${path}.${part}`)))));
  const samples = within(answers.samples, (s) => s.at_ms);
  draw("chart-percentiles", samples.map((s) => clock(s.at_ms)), ...OVER_TIME.map((name) => samples.map((s) => s[name])));
  const buckets = latency.finality_buckets_ms;
  // They are cumulative, as Prometheus has them; a picture shows each for itself.
  const each = buckets.map(([, n], index) => n - (buckets[index - 1]?.[1] ?? 0));
  draw("chart-ms", buckets.map(([bound]) => number(bound)), each);
  draw("chart-ledgers", latency.finality_ledgers.map(([n]) => n), latency.finality_ledgers.map(([, n]) => n));
}
