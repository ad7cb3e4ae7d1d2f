// Journeys: each run as a row of steps, and one more on request.

import { ApiError, post } from "../api.js";
import { by, keyed, link, make, none, say, short } from "../dom.js";
import * as dossier from "./dossier.js";

export const FROM = "/journeys?limit=6";
export const SECTIONS = ["journeys"];
export const NEEDS = [FROM];
const TONES = { done: "good", failed: "bad", running: "", waiting: "warn" };

async function begin(event) {
  event.preventDefault();
  const said = by("journey-said");
  try {
    const run = await post(`/journeys/${by("journey-name").value}`);
    say(said, `Journey ${run.id} has begun.`);
    said.className = "good";
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) document.querySelector("[data-control=token]").hidden = false;
    say(said, error.message);
    said.className = "bad";
  }
}

// What stands under a step's name: its result, or what keeps it.
function standing(step) {
  if (step.state === "waiting") return step.waits_for ? `waiting: ${step.waits_for}` : "is next";
  if (step.state === "done") return `${step.engine_result}, ledger ${step.ledger_index}`;
  if (step.state === "failed") return step.engine_result ?? step.tx_state ?? "not sent";
  return step.state;
}

function buildStep(step) {
  return make("li", {}, make("b", { textContent: step.name, title: step.does }), make("span", { textContent: step.transaction_type }),
    make("br"), make("span", { className: "hash" }), make("span", { className: "says" }));
}

function fillStep(item, step) {
  item.className = step.state;
  const hash = item.querySelector(".hash");
  if (step.tx_hash && !hash.firstChild) hash.append(link(short(step.tx_hash), () => dossier.open(step.tx_hash)), make("br"));
  const says = item.querySelector(".says");
  say(says, standing(step));
  says.className = `says ${TONES[step.state] ?? ""}`;
}

function build(run) {
  const steps = make("ol", { className: "strip", tabIndex: 0, "aria-label": `Steps of journey ${run.id}, ${run.name}` });
  return make("li", {}, make("p", {}, make("b", { textContent: `${run.id} ${run.name}`, title: run.shows }), " ", make("span")), steps);
}

function fill(item, run) {
  const [head, steps] = item.children;
  say(head.lastChild, run.why ? `failed: ${run.why}` : run.state);
  head.lastChild.className = TONES[run.state];
  keyed(steps, run.steps, (step) => step.name, buildStep, fillStep);
}

export function start() {
  by("journey-form").addEventListener("submit", begin);
}

export function show(answers) {
  const { journeys, runs } = answers[FROM];
  keyed(by("journey-name"), journeys, (journey) => journey.name, ({ name }) => make("option", { value: name, textContent: name }),
    (option, { shows }) => { option.title = shows; });
  say(by("journey-shows"), journeys.find((journey) => journey.name === by("journey-name").value)?.shows ?? "");
  none("journey-runs", runs.length === 0);
  keyed(by("journey-runs"), runs, (run) => run.id, build, fill);
}
