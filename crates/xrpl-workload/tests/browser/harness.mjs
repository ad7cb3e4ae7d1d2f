// What the steps share: the browser, the answers the page was given, the test that started this.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import assert from "node:assert/strict";

const require = createRequire(`${process.env.TEST_LIBRARIES}/package.json`);
export const { chromium } = require("playwright-core");
export const axeSource = require("axe-core").source;
export const BASE = process.env.BASE;
export const OUT = process.env.OUT;

// Asked of the API itself, not by the page.
export async function api(path, options) {
  const response = await fetch(BASE + path, options);
  return response.json();
}

export async function until(what, work, ms = 8000) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await work();
    if (value) return value;
    if (Date.now() > end) assert.fail(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

// The test that started this does what a browser cannot: it ends servers and begins them.
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
export async function please(what) {
  process.stdout.write(`please ${what}\n`);
  const { value } = await lines.next();
  assert.equal(value, "done");
}

export async function browser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM,
    // Its sandbox needs a user of its own; the pages are ours.
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--force-color-profile=srgb"],
  });
}

// A page whose every answer of a polled route is kept, with the round that asked: the summary is asked for first in
// each.
export async function open(context) {
  const page = await context.newPage();
  const answers = {};
  const errors = [];
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) errors.push(message.text()); });
  page.on("pageerror", (error) => errors.push(String(error)));
  let asked = 0;
  await page.route((url) => /^\/(state|health|workload)/.test(url.pathname), async (route) => {
    const { pathname: path } = new URL(route.request().url());
    if (route.request().method() !== "GET" || path.startsWith("/state/t") || path.startsWith("/state/objects")) return route.continue();
    if (path === "/state/summary") asked += 1;
    const round = asked;
    try {
      const response = await route.fetch();
      (answers[path] ??= []).push({ round, answer: await response.json() });
      await route.fulfill({ response });
    } catch {
      await route.abort().catch(() => {});
    }
  });
  await page.goto(BASE);
  await rounds(page, 2);
  return { page, answers, errors };
}

// What the page had of a route when it drew a round.
export function answerOf(answers, path, round) {
  assert.ok(answers[path], `the page does not ask ${path}`);
  return answers[path].findLast((one) => one.round <= round)?.answer;
}

export const VIEWS = ["overview", "load", "transactions", "results", "accounts", "ledgers", "nodes", "runs"];

// Goes to a view as its link does.
export async function view(page, name) {
  await page.evaluate((to) => { location.hash = `#/${to === "overview" ? "" : to}`; }, name);
  await page.locator(`[data-view=${name}]`).waitFor();
}

export const count = (page) => page.evaluate(() => Number(document.body.dataset.rounds ?? 0));

// Waits until the page has drawn so many more answers.
export async function rounds(page, more) {
  const from = await count(page);
  await page.waitForFunction((n) => Number(document.body.dataset.rounds ?? 0) >= n, from + more, { polling: 50, timeout: 15000 });
}

export const at = (object, path) => path.split(".").reduce((value, key) => value?.[key], object);

export function shown(value) {
  if (value === null || value === undefined) return "-";
  return Number(value).toLocaleString("en", { maximumFractionDigits: 1 });
}

let passed = 0;
export async function step(name, work) {
  const start = Date.now();
  await work();
  passed += 1;
  console.log(`ok ${passed} ${name} (${Date.now() - start} ms)`);
}
