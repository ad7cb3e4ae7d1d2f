// Which node is driven, and what the run is doing.

import { by, say } from "../dom.js";

export const NEEDS = ["/state/summary", "/workload/status"];

export function show(answers) {
  const summary = answers["/state/summary"];
  say(by("endpoint"), summary.endpoint ?? "");
  say(by("phase"), answers["/workload/status"].running ? "load runs" : summary.phase);
}
