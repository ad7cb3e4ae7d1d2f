// What can be changed while load runs.

import { post, useToken } from "../api.js";
import { by, make, number, say } from "../dom.js";
import { open } from "./dossier.js";

export const NEEDS = ["/workload/status"];
const SETTINGS = {
  tps: ["set-tps", "/workload/target-tps", (v) => ({ tps: v }), (c) => c.target_tps],
  max_pending: ["set-max-pending", "/workload/max-pending", (v) => ({ max_pending: v }), (c) => c.max_pending],
  invalid: ["set-invalid", "/workload/intent", (v) => ({ invalid: v }), (c) => c.intent.invalid],
  fuzz: ["set-fuzz", "/workload/fuzz", (v) => ({ percent: v }), (c) => c.fuzz],
};
const touched = new Set();
let running = false;
// Whether the last answer was that nothing can be controlled now.
let unavailable = false;

function said(text, className = "") {
  by("control-said").className = className;
  say(by("control-said"), text);
}

async function act(what, work) {
  try {
    said(await work(), "good");
  } catch (error) {
    if (error.status === 401) document.querySelector("[data-control=token]").hidden = false;
    said(`${what}: ${error.message}`, "bad");
  }
}

const change = (what, path, body) => act(what, async () => {
  const answer = await post(path, body);
  return `${what}: ${answer.old_value} is now ${answer.new_value}`;
});

const once = (type) => act(`One ${type}`, async () => {
  const sent = await post(`/transaction/create/${encodeURIComponent(type)}`);
  open(sent.tx_hash);
  return `One ${type}: ${sent.engine_result ?? sent.state}`;
});

// What somebody is writing is not written over.
function offer(input, value) {
  if (!touched.has(input) && document.activeElement !== input) input.value = value;
}

function watch(input) {
  input.addEventListener("input", () => touched.add(input));
  return input;
}

function build({ name }) {
  const on = make("input", { type: "checkbox", "aria-label": `${name} on` });
  on.addEventListener("change", () => change(name, "/workload/toggle-type", { type: name, enabled: on.checked }));
  const weight = watch(make("input", { type: "number", min: 0, step: 1, required: true, "aria-label": `Weight of ${name}` }));
  weight.addEventListener("change", async () => {
    if (!weight.reportValidity()) return;
    await change(`Weight of ${name}`, "/workload/weight", { type: name, weight: weight.valueAsNumber });
    touched.delete(weight);
  });
  const send = make("button", { type: "button", textContent: "Send one", "aria-label": `Send one ${name}` });
  send.addEventListener("click", () => once(name));
  const cell = (...children) => make("td", {}, ...children);
  const count = (of) => make("td", { className: "number", data: { from: "/workload/status", path: `detail.stats.by_type.${name}.${of}`, none: "0" } });
  return make("tr", { data: { type: name } }, make("th", { scope: "row", textContent: name }), cell(on), cell(weight), count("submitted"), count("validated"), cell(send), make("td", { className: "quiet" }));
}

function fill(row, type) {
  const [name, on, weight, sent, validated, , waits] = row.children;
  const box = on.firstChild;
  if (document.activeElement !== box) box.checked = !type.off;
  offer(weight.firstChild, type.weight);
  say(sent, number(type.stats?.submitted ?? 0));
  say(validated, number(type.stats?.validated ?? 0));
  say(waits, type.waits ?? "");
  name.title = type.off?.refused_with ? `the network answered ${type.off.refused_with}` : "";
}

// A body for each family, under a row that names it.
function table(types) {
  const families = Map.groupBy(types, (type) => type.family);
  const body = (family) => make("tbody", {}, make("tr", { className: "family" }, make("th", { scope: "rowgroup", colSpan: 7, textContent: family })));
  const bodies = by("types");
  const known = new Map([...bodies.tBodies].map((one) => [one.dataset.key, one]));
  for (const [family, members] of [...families].sort(([a], [b]) => a.localeCompare(b))) {
    let one = known.get(family);
    if (!one) {
      one = body(family);
      one.dataset.key = family;
      bodies.append(one);
    }
    known.delete(family);
    const rows = new Map([...one.rows].map((row) => [row.dataset.type, row]));
    for (const type of members) {
      if (!rows.has(type.name)) one.append(rows.set(type.name, build(type)).get(type.name));
      fill(rows.get(type.name), type);
    }
  }
  for (const one of known.values()) one.remove();
  search();
}

function search() {
  const wanted = by("type-search").value.trim().toLowerCase();
  let found = 0;
  for (const body of by("types").tBodies) {
    const family = body.dataset.key.toLowerCase().includes(wanted);
    let any = false;
    for (const row of body.querySelectorAll("[data-type]")) {
      row.hidden = !family && !row.dataset.type.toLowerCase().includes(wanted);
      if (!row.hidden) { any = true; found += 1; }
    }
    body.hidden = !any;
  }
  say(by("type-count"), found ? `${found} types` : "No type matches.");
}

export function start() {
  by("type-search").addEventListener("input", search);
  for (const [name, [id, path, body]] of Object.entries(SETTINGS)) {
    const input = watch(by(id));
    document.querySelector(`[data-control=${name}]`).addEventListener("submit", async (event) => {
      event.preventDefault();
      await change(input.labels[0].firstChild.textContent.trim(), path, body(input.valueAsNumber));
      touched.delete(input);
    });
  }
  document.querySelector("[data-control=token]").addEventListener("submit", (event) => {
    event.preventDefault();
    useToken(by("set-token").value);
    by("set-token").value = "";
    said("The token is used for what follows, in this tab only.");
  });
  by("start-stop").addEventListener("click", () => {
    const what = running ? "stop" : "start";
    act(`Could not ${what}`, async () => {
      running = (await post(`/workload/${what}`)).running;
      button();
      return running ? "Load runs." : "Load is stopped; what is in flight comes to its end.";
    });
  });
}

function button() {
  say(by("start-stop"), running ? "Stop load" : "Start load");
}

export function show(answers) {
  const controls = answers["/workload/rate-controls"];
  const status = answers["/workload/status"];
  running = status.running;
  by("start-stop").disabled = Boolean(controls.unavailable);
  button();
  if (controls.unavailable) {
    unavailable = true;
    said(controls.unavailable);
    return;
  }
  if (unavailable) said("");
  unavailable = false;
  for (const [id, , , value] of Object.values(SETTINGS)) offer(by(id), value(controls));
  const off = new Map(controls.disabled_types.map((type) => [type.name, type]));
  const diagnoses = answers["/state/diagnostics"].types ?? [];
  const waits = new Map(diagnoses.map((type) => [type.name, type.why_not]));
  const families = new Map(diagnoses.map((type) => [type.name, type.family]));
  const types = controls.types.map((name) => ({
    name, family: families.get(name) ?? "Other", waits: waits.get(name), off: off.get(name), weight: controls.weights[name], stats: status.detail.stats.by_type[name],
  }));
  table(types);
}
