// Asks the API once a second and hands the answers to the panels. Every number on the page comes
// from one of these routes, unchanged.

import { ApiError, get } from "./api.js";
import * as charts from "./charts.js";
import * as clock from "./clock.js";
import { by, say } from "./dom.js";
import * as exporting from "./export.js";
import * as keys from "./keys.js";
import * as accounts from "./panels/accounts.js";
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
  "/state/summary", "/state/latency", "/state/ledgers", "/state/matrix", "/state/failure-codes", "/state/lanes",
  "/state/ws/stats", "/state/fees", "/state/fuzz", "/state/findings", "/state/shadow", "/health", "/workload/status", "/workload/rate-controls",
  "/workload/scenario", journeys.FROM,
];
// These are large, and change slowly.
const SELDOM = ["/state/coverage", "/state/diagnostics"];
const SELDOM_ROUNDS = 5;
// The panels of each view; only those of the one that is shown are drawn.
const VIEWS = {
  overview: [overview, throughput, finality],
  load: [controls, scenario, fuzz, journeys],
  transactions: [transactions],
  results: [heat, failures, matrix, coverage],
  accounts: [accounts],
  ledgers: [ledgers],
  nodes: [node, shadow],
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
    // A route may have nothing to tell now (accounts are being prepared, the node is down).
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

function draw() {
  if (!latest) return;
  for (const panel of [...ALWAYS, ...VIEWS[router.current().view]]) panel.show(latest);
}

async function round() {
  try {
    if (rounds % SELDOM_ROUNDS === 0) seldom = Object.fromEntries(await Promise.all(SELDOM.map(one)));
    rounds += 1;
    const answers = { ...seldom, ...Object.fromEntries(await Promise.all(ROUTES.map(one))) };
    answers.samples = await throughput.newest(answers["/state/summary"]);
    latest = answers;
    draw();
    lost = 0;
    const health = answers["/health"];
    trouble(health.status === "ok" ? "" : `Node down: ${health.status ?? health.unavailable}. Transactions in flight stay as they are until one answers.`);
  } catch (error) {
    lost += 1;
    trouble(`The API does not answer (${error.message}); what you see is old. Trying again, ${lost} so far.`);
  }
  document.body.dataset.rounds = String(Number(document.body.dataset.rounds ?? 0) + 1);
  setTimeout(round, EVERY_MS);
}

theme.start();
clock.start();
charts.start();
exporting.start();
keys.start();
for (const panel of [...ALWAYS, ...Object.values(VIEWS).flat()]) panel.start?.();
// A view is drawn when it is shown; a chart has no size before.
router.onChange(draw);
router.onChange(charts.shown);
router.start();
// Another time range is drawn at once, and so is what was missed while paused.
clock.onChange(draw);
round();
