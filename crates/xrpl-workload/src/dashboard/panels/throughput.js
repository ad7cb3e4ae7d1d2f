// Validated a second and in flight over time, by state, by source.

import { get } from "../api.js";
import { draw } from "../charts.js";
import { within } from "../clock.js";
import { by, clock, number, pairs, source, tone } from "../dom.js";

export const SECTIONS = ["throughput"];
export const NEEDS = ["/state/summary", "/workload/status"];
const KEPT = 600;
let samples = [];
let run = "";

// The samples so far; only new ones are asked for.
export async function newest(summary) {
  // Another process: its samples are other ones.
  const now = `${summary.started_at} ${summary.run}`;
  if (now !== run) samples = [];
  run = now;
  const last = samples.at(-1)?.at_ms ?? 0;
  const answer = await get(`/state/timeline?since_ms=${last}`);
  samples = [...samples, ...answer.samples].slice(-KEPT);
  return samples;
}

export function show(answers) {
  const summary = answers["/state/summary"];
  const shown = within(samples, (s) => s.at_ms);
  const target = answers["/workload/status"].detail?.stage?.target_tps || null;
  draw("chart-throughput", shown.map((s) => clock(s.at_ms)), shown.map((s) => s.validated_per_second), shown.map(() => target), shown.map((s) => s.pending));
  const rows = (key) => Object.entries(summary[key]).map(([name, n]) => [
    name, number(n), source("/state/summary", `${key}.${name}`), key === "by_state" && n > 0 ? tone(name) : "",
  ]);
  pairs(by("by-state").tBodies[0], rows("by_state"));
  pairs(by("by-source").tBodies[0], rows("validated_by_source"));
}
