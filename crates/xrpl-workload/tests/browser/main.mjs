// Looks at the page in a real browser. Started by tests/browser.rs, which runs the program.

import assert from "node:assert/strict";
import * as controls from "./controls.mjs";
import { api, browser, open, OUT, please, rounds, step, until, view } from "./harness.mjs";
import { journey } from "./journeys.mjs";
import * as looks from "./looks.mjs";
import { panels, runs } from "./panels.mjs";
import * as states from "./states.mjs";
import * as transactions from "./transactions.mjs";
import * as views from "./views.mjs";

const chromium = await browser();
try {
  const context = await chromium.newContext({ viewport: { width: 1280, height: 900 } });
  context.setDefaultTimeout(10000);
  const it = await open(context);
  await until("something has failed on purpose", async () => (await api("/state/failure-codes")).total > 0, 15000);
  await step("live transactions", () => transactions.live(it));
  await step("every panel shows what the API says", () => panels(it, api));
  await step("runs and their comparison", () => runs(it, api));
  await step("settings", () => controls.settings(it));
  await step("start and stop", () => controls.startStop(it));
  await step("types and weights", () => controls.types(it));
  await step("find a type", () => controls.findType(it));
  await step("one of a type", () => controls.one(it));
  await step("a journey", () => journey(it));
  await step("every panel again", () => panels(it, api));
  await step("light, dark, axe", () => looks.looks(it));
  await step("addresses and the back button", () => views.addresses(it));
  await step("time range, pause and theme", () => views.tools(it));
  await step("exports", () => views.exports(it));
  await step("heat map and ledgers to transactions", () => transactions.drillDown(it));
  await step("matrix to transactions", () => transactions.clickThrough(it));
  await step("an object's transactions", () => transactions.object(it));
  await step("search and dossier", () => transactions.search(it));
  await step("the dossier's looks", () => looks.dialogLooks(it));
  await step("on a phone", () => looks.phone(it));
  await step("by keyboard", () => looks.keyboard(context));
  await step("a thousand events a second", () => transactions.flood(context));
  await step("a node that hangs", () => transactions.hanging(context));
  await step("before the first answer", () => states.waiting(context));
  await step("where there is nothing", () => states.empty(context));
  await step("where a route has no answer", () => states.unavailable(context));
  await step("no console errors", () => assert.deepEqual(it.errors, []));

  const trouble = it.page.locator("#trouble");
  await step("the server goes away", async () => {
    await please("stop");
    await trouble.filter({ hasText: /The API does not answer .*; what you see is of \d\d:\d\d:\d\d/ }).waitFor({ timeout: 15000 });
    await it.page.screenshot({ path: `${OUT}/stale.png` });
  });
  await step("the server comes back", async () => {
    await please("start");
    await trouble.waitFor({ state: "hidden", timeout: 15000 });
    const page = it.page;
    await view(page, "transactions");
    await page.getByRole("button", { name: "Live" }).click();
    await page.locator("#list-says").filter({ hasText: "Live: the newest state changes." }).waitFor({ timeout: 15000 });
    await rounds(page, 1);
    // What it said while accounts were prepared is gone.
    await view(page, "overview");
    assert.equal(await page.locator("#preparing").isVisible(), false);
    assert.equal(await page.locator("#control-said").textContent(), "");
    await until("something has failed again", async () => (await api("/state/failure-codes")).total > 0, 15000);
    const fresh = await open(context);
    await panels(fresh, api);
    await controls.token(fresh);
    assert.deepEqual(fresh.errors, []);
  });
  await step("the node goes down", async () => {
    await please("node-down");
    await trouble.filter({ hasText: "Node down" }).waitFor({ timeout: 15000 });
    await view(it.page, "nodes");
    await it.page.locator("#nodes td.bad").filter({ hasText: "does not answer" }).waitFor();
  });
} finally {
  await chromium.close();
}
console.log("all steps passed");
process.exit(0);
