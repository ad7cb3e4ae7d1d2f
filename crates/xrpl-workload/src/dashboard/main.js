// Asks the API once a second and hands the answers to the panels. Every number on the page comes
// from one of these routes, unchanged.

import { ApiError, get } from "./api.js";
import * as charts from "./charts.js";
import * as clock from "./clock.js";
import { by, clock as time, make, say } from "./dom.js";
import * as exporting from "./export.js";
import * as keys from "./keys.js";
import * as accounts from "./panels/accounts.js";
import * as amendments from "./panels/amendments.js";
import * as controls from "./panels/controls.js";
import * as coverage from "./panels/coverage.js";
import * as dossier from "./panels/dossier.js";
import * as failures from "./panels/failures.js";
import * as finality from "./panels/finality.js";
import * as fuzz from "./panels/fuzz.js";
import * as header from "./panels/header.js";
import * as heat from "./panels/heat.js";
import * as journeys from "./panels/journeys.js";
import * as ledgers from "./panels/ledgers.js";
import * as matrix from "./panels/matrix.js";
import * as node from "./panels/node.js";
import * as overview from "./panels/overview.js";
import * as runs from "./panels/runs.js";
import * as scenario from "./panels/scenario.js";
import * as shadow from "./panels/shadow.js";
import * as throughput from "./panels/throughput.js";
import * as transactions from "./panels/transactions.js";
import * as router from "./router.js";
import * as theme from "./theme.js";

const EVERY_MS = 1000;
const ROUTES = [
  "/state/summary", "/state/latency", "/state/ledgers", "/state/matrix", "/state/failure-codes",
  "/state/ws/stats", "/state/fees", "/state/fuzz", "/state/findings", "/state/shadow", "/health", "/workload/status", "/workload/rate-controls",
  "/workload/scenario", journeys.FROM,
];
// These are large, and change slowly.
const SELDOM = ["/state/coverage", "/state/diagnostics"];
const SELDOM_ROUNDS = 5;
// The panels of each view; only those of the one that is shown are drawn. A panel may name the routes without
// which it has nothing to show (NEEDS), those that only its view asks for (ASKS), and the sections that are its own.
const VIEWS = {
  overview: [overview, throughput, finality],
  load: [controls, scenario, fuzz, journeys],
  transactions: [transactions],
  results: [heat, failures, matrix, coverage],
  accounts: [accounts],
  ledgers: [ledgers],
  nodes: [node, amendments, shadow],
  runs: [runs],
};
// What belongs to no view, and is always there.
const ALWAYS = [header, dossier];

// These ask the node, which may hang; the others need not wait for it.
const ASKS_NODE = new Set(["/state/fees"]);
const PATIENCE_MS = 2000;

async function one(path) {
  try {
    return [path, await get(path, ASKS_NODE.has(path) ? PATIENCE_MS : undefined)];
  } catch (error) {
    // A route may have no answer now (accounts are being prepared, the node is down).
    if (error instanceof ApiError) return [path, { unavailable: error.message }];
    if (error.name === "TimeoutError" && ASKS_NODE.has(path)) return [path, { unavailable: "the node does not answer in time" }];
    throw error;
  }
}

function trouble(text) {
  say(by("trouble"), text);
  by("trouble").hidden = text === "";
  document.body.classList.toggle("old", text.startsWith("The API"));
}

let lost = 0;
let rounds = 0;
let seldom = {};
let latest = null;
let answeredAt = 0;
let next = 0;

// In the place of what a section shows: why it cannot be had now.
function notice(section, why) {
  let text = section.querySelector(":scope > .notice");
  if (why && !text) {
    text = make("p", { className: "notice", role: "status" });
    section.querySelector("h2").after(text);
  }
  if (text) say(text, why ? `Not available now: ${why}` : "");
  section.classList.toggle("unavailable", Boolean(why));
}

function drawPanel(panel) {
  const needs = [...(panel.NEEDS ?? []), ...(panel.ASKS ?? [])].map((route) => latest[route]);
  // The view was opened after the last round: its own routes come with the next.
  const waits = needs.includes(undefined);
  for (const id of panel.SECTIONS ?? []) by(id).classList.toggle("waiting", waits);
  if (waits) return;
  const why = needs.find((answer) => answer.unavailable)?.unavailable;
  for (const id of panel.SECTIONS ?? []) notice(by(id), why);
  if (!why) panel.show(latest);
}

function draw() {
  if (!latest) return;
  for (const panel of [...ALWAYS, ...VIEWS[router.current().view]]) drawPanel(panel);
}

async function round() {
  const { view } = router.current();
  next = 0;
  try {
    const slow = rounds % SELDOM_ROUNDS === 0 ? SELDOM : [];
    const routes = [...ROUTES, ...slow, ...VIEWS[view].flatMap((panel) => panel.ASKS ?? [])];
    const answers = { ...seldom, ...Object.fromEntries(await Promise.all(routes.map(one))) };
    seldom = Object.fromEntries(SELDOM.map((route) => [route, answers[route]]));
    rounds += 1;
    const summary = answers["/state/summary"];
    answers.samples = summary.unavailable ? [] : await throughput.newest(summary);
    latest = answers;
    answeredAt = Date.now();
    document.body.classList.remove("waiting");
    draw();
    lost = 0;
    const health = answers["/health"];
    trouble(health.status === "ok" ? "" : `Node down: ${health.status ?? health.unavailable}. Transactions in flight stay as they are until one answers.`);
  } catch (error) {
    lost += 1;
    const shown = answeredAt ? `; what you see is of ${time(answeredAt)}` : "";
    trouble(`The API does not answer (${error.message})${shown}. Trying again, ${lost} so far.`);
  }
  document.body.dataset.rounds = String(Number(document.body.dataset.rounds ?? 0) + 1);
  // A view that was opened meanwhile does not wait for what only it shows.
  next = setTimeout(round, router.current().view === view ? EVERY_MS : 0);
}

// What the view asks for is asked for at once, unless a round is on its way already.
function opened() {
  draw();
  const asks = VIEWS[router.current().view].flatMap((panel) => panel.ASKS ?? []);
  if (!latest || !next || asks.every((route) => latest[route])) return;
  clearTimeout(next);
  round();
}

theme.start();
clock.start();
charts.start();
exporting.start();
keys.start();
for (const panel of [...ALWAYS, ...Object.values(VIEWS).flat()]) panel.start?.();
// A view is drawn when it is shown; a chart has no size before.
router.onChange(opened);
router.onChange(charts.shown);
router.start();
// Another time range is drawn at once, and so is what was missed while paused.
clock.onChange(draw);
round();
