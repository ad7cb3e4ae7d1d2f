// What a view shows where there is nothing, not yet an answer, or no answer any more.

import assert from "node:assert/strict";
import { axe } from "./looks.mjs";
import { BASE, OUT, rounds, view, VIEWS } from "./harness.mjs";

// Routes of a run that has done nothing yet.
const NOTHING = {
  "/state/matrix": { cells: [], total: 0 },
  "/state/failure-codes": { failure_codes: [], total: 0, detail: [] },
  "/state/lanes": { total: 0, blocked: 0, lanes: [] },
  "/state/ledgers": { ledgers: [] },
  "/state/coverage": { reached: [], never: [], not_sent: [] },
  "/journeys": { journeys: [], runs: [] },
  "/runs": { present: "1", runs: [] },
};
const SAID = {
  load: ["No journey has been requested yet."],
  results: ["No transaction has its final result yet.", "Nothing has failed."],
  accounts: ["No account takes part yet."],
  ledgers: ["No ledger has been validated since the program began."],
  runs: ["This store has no run yet."],
};

const text = (page, name) => page.locator(`[data-view=${name}]`).innerText();
const answering = (page, answers) => page.route((url) => url.pathname in answers, (route) => {
  const { status = 200, ...body } = answers[new URL(route.request().url()).pathname];
  return route.fulfill({ status, json: body });
});

export async function empty(context) {
  const page = await context.newPage();
  await answering(page, NOTHING);
  await page.goto(BASE);
  await rounds(page, 1);
  for (const name of VIEWS) {
    await view(page, name);
    await page.locator(`[data-view=${name}]:not(:has(.waiting))`).waitFor();
    for (const words of SAID[name] ?? []) await page.locator(`[data-view=${name}]`).getByText(words).first().waitFor();
    await axe(page, `${name}, empty`);
  }
  // A search that finds none.
  await page.goto(`${BASE}/#/transactions?final=tecNO_SUCH`);
  await page.locator("#list-says").filter({ hasText: "final result tecNO_SUCH: none" }).waitFor();
  await view(page, "ledgers");
  await page.screenshot({ path: `${OUT}/ledgers-empty.png` });
  await page.close();
}

// Until the first answer each card says that it waits, and nothing of it looks like a figure.
export async function waiting(context) {
  const page = await context.newPage();
  let go;
  const held = new Promise((resolve) => { go = resolve; });
  await page.route("**/state/summary", async (route) => { await held; await route.continue().catch(() => {}); });
  await page.goto(BASE);
  for (const name of VIEWS) {
    await view(page, name);
    const words = await page.evaluate((of) => [...document.querySelectorAll(`[data-view=${of}] section:not([hidden])`)].map((s) => getComputedStyle(s, "::after").content), name);
    assert.ok(words.length > 0 && words.every((word) => word.includes("Waiting for the first answer")), `${name}: ${words}`);
    const figures = await page.locator(`[data-view=${name}] table, [data-view=${name}] canvas`).evaluateAll((all) => all.filter((one) => one.checkVisibility({ visibilityProperty: true })).map((one) => one.id));
    assert.deepEqual(figures, [], name);
  }
  await view(page, "overview");
  await page.screenshot({ path: `${OUT}/overview-waiting.png` });
  await axe(page, "waiting");
  go();
  await page.locator("#story").filter({ hasText: "nothing unaccounted for" }).waitFor();
  assert.ok(await page.locator("#chart-throughput").isVisible());
  await page.close();
}

// What one route cannot answer is said in its cards alone, in the API's words; everything else goes on.
export async function unavailable(context) {
  const page = await context.newPage();
  const message = "accounts are being prepared: fund 3/10";
  const down = { status: 503, error: { code: "unavailable", message } };
  await answering(page, Object.fromEntries(["/state/matrix", "/state/lanes", "/state/amendments", "/state/latency", "/runs"].map((path) => [path, down])));
  await page.goto(BASE);
  await rounds(page, 1);
  for (const [name, sections] of Object.entries({
    overview: ["overview", "finality", "histograms"], results: ["heat", "matrix"], accounts: ["accounts"], nodes: ["amendments"], runs: ["runs"],
  })) {
    await view(page, name);
    for (const id of sections) await page.locator(`#${id}`).getByText(`Not available now: ${message}`).waitFor();
    await axe(page, `${name}, unavailable`);
  }
  assert.equal(await page.locator("#trouble").isVisible(), false);
  await view(page, "overview");
  assert.ok((await text(page, "overview")).includes("VALIDATED"), "throughput is shown all the same");
  await view(page, "nodes");
  await page.locator("#amendments .notice").waitFor();
  // While a card waits for what only it shows, the others do not.
  assert.ok(await page.locator("#nodes").isVisible());
  await page.screenshot({ path: `${OUT}/nodes-unavailable.png` });
  // It comes back by itself.
  await page.unrouteAll({ behavior: "ignoreErrors" });
  await page.locator("#amendments").getByText("are enabled").waitFor();
  await page.close();
}
