// What the run does stage by stage, where it stands, and its limits.

import { post } from "../api.js";
import { by, keyed, make, number, say, source } from "../dom.js";

const FROM = "/workload/scenario";
export const SECTIONS = ["scenario"];
export const NEEDS = [FROM];
const MEASURED = [
  ["submitted"], ["validated"], ["failed", true], ["late"], ["missed"], ["finality_ms.p99"], ["scheduled_ms.p99"],
];

function time(seconds) {
  const whole = Math.floor(seconds);
  const parts = [[Math.floor(whole / 3600), "h"], [Math.floor(whole / 60) % 60, "m"], [whole % 60, "s"]];
  return parts.filter(([n]) => n > 0).map(([n, unit]) => `${n}${unit}`).join("") || "0s";
}

function standing(progress) {
  const parts = [`Stage ${progress.stage} of ${progress.stages}, ${progress.name}: ${progress.pace}`];
  if (progress.step !== null) parts.push(`step ${progress.step} of ${progress.steps}`);
  if (progress.target_tps !== null) parts.push(`${number(progress.target_tps)}/s now`);
  if (progress.seconds_left !== null) parts.push(`${time(progress.seconds_left)} left`);
  if (progress.ledgers_left !== null) parts.push(`${progress.ledgers_left} ledgers left`);
  if (progress.stages > 1 && progress.run_seconds_left !== null) parts.push(`the run ${time(progress.run_seconds_left)}`);
  if (progress.over) parts.push("the load is over");
  return parts.join(", ");
}

async function act(what, path) {
  try {
    await post(path);
    say(by("scenario-said"), what);
  } catch (error) {
    if (error.status === 401) document.querySelector("[data-control=token]").hidden = false;
    say(by("scenario-said"), error.message);
  }
}

function build({ n }) {
  const cell = ([path]) => make("td", { className: "number", data: source(FROM, `measured.${n}.${path}`) });
  return make("tr", {}, make("th", { scope: "row" }), make("td"), ...MEASURED.map(cell));
}

function fill(row, { stage, measured, present }) {
  const [name, pace, ...cells] = row.children;
  say(name, measured?.stage ?? stage.name);
  say(pace, stage?.pace ?? "");
  row.className = present ? "present" : "";
  for (const [n, [path, alarm]] of MEASURED.entries()) {
    const value = path.split(".").reduce((of, key) => of?.[key], measured);
    say(cells[n], number(value));
    cells[n].className = `number${alarm && value > 0 ? " bad" : ""}`;
  }
}

export function start() {
  by("skip-stage").addEventListener("click", () => act("The next stage has begun", `${FROM}/skip`));
  by("end-load").addEventListener("click", () => {
    if (window.confirm("End the load? The run ends once what is in flight has its end.")) act("The load has ended", `${FROM}/stop`);
  });
}

export function show(answers) {
  const { outline, progress, measured, limits } = answers[FROM];
  say(by("scenario-name"), outline.about ? `${outline.name}: ${outline.about}` : outline.name);
  say(by("scenario-standing"), progress ? standing(progress) : "Accounts are being prepared");
  const over = !progress || progress.over;
  by("skip-stage").disabled = over;
  by("end-load").disabled = over;
  const bar = by("scenario-bar");
  bar.hidden = over || progress.seconds_left === null;
  if (!bar.hidden) {
    bar.max = Math.max(progress.seconds + progress.seconds_left, 0.001);
    bar.value = progress.seconds;
  }
  const rows = Array.from({ length: Math.max(outline.stages.length, measured.length) }, (_, n) => ({
    n, stage: outline.stages[n], measured: measured[n], present: !over && progress.stage === n + 1,
  }));
  keyed(by("stages").tBodies[0], rows, (row) => row.n, build, fill);
  by("limits").hidden = limits.length === 0;
  keyed(by("limits"), limits, (limit) => `${limit.figure} ${limit.stage} ${limit.asked}`, () => make("li"), (item, limit) => {
    const of = limit.stage === null ? "" : ` of ${limit.stage}`;
    say(item, `${limit.figure}${of}: ${number(limit.measured)} ${limit.unit}, ${limit.asked} is asked`);
    item.className = limit.broken ? "bad" : "";
  });
}
