// A run's report as a file in Chromium: without a network, light and dark, on a phone, on paper; its
// figures are those that the API told of the run.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { axeSource, browser, OUT } from "./harness.mjs";

const record = JSON.parse(readFileSync(process.env.RECORD, "utf8"));

async function axe(page, what) {
  await page.evaluate(axeSource);
  const { violations, passes } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const told = violations.map((v) => `${what}: ${v.id}: ${v.help}\n  ${v.nodes.slice(0, 5).map((n) => `${n.html} ${n.failureSummary}`).join("\n  ")}`);
  assert.deepEqual(told, []);
  assert.ok(passes.length > 15, "axe has looked");
}

const chromium = await browser();
try {
  const context = await chromium.newContext({ viewport: { width: 1240, height: 1000 }, offline: true });
  const page = await context.newPage();
  const errors = [];
  const asked = [];
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) errors.push(message.text()); });
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("request", (request) => { if (!request.url().startsWith("file:")) asked.push(request.url()); });
  await page.goto(`file://${process.env.REPORT}`);
  await page.waitForFunction(() => Number(document.body.dataset.charts) > 0);

  // Every figure of the record, to the last digit, and no other.
  const shown = await page.evaluate(() => Object.fromEntries(
    [...document.querySelectorAll("data[data-of]")].map((e) => [e.dataset.of, Number(e.value)])));
  assert.deepEqual(shown, record.figures);
  // On a machine that has other things to do the load may not be kept: then that is what it says.
  const verdict = record.not_kept ? "the load was not the one that was asked for" : "all went well";
  assert.equal(await page.locator("#verdict").textContent(), verdict);
  assert.equal(await page.locator("#warnings li").count(), record.not_kept ? 1 : 0);
  assert.equal(await page.title(), `${record.name} (run ${record.run}): ${verdict}`);
  for (const { name, version } of record.nodes) {
    const row = page.locator("#nodes-table tbody tr").filter({ hasText: name });
    assert.ok((await row.textContent()).includes(version));
  }
  const settings = record.settings.filter((told) => !told.is_default);
  assert.equal(await page.locator("#settings-table tbody tr").count(), settings.length);

  // Each chart has drawn something.
  const drawn = await page.evaluate(() => [...document.querySelectorAll("canvas")].map((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const colours = new Set();
    for (let n = 0; n < data.length; n += 4) if (data[n + 3] > 200) colours.add((data[n] << 16) | (data[n + 1] << 8) | data[n + 2]);
    return [canvas.id, colours.size];
  }));
  assert.equal(drawn.length, Number(await page.evaluate(() => document.body.dataset.charts)));
  for (const [id, colours] of drawn) assert.ok(colours > 3, `${id} is empty`);

  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await page.waitForTimeout(200);
    await axe(page, colorScheme);
    await page.screenshot({ path: `${OUT}/report-${colorScheme}.png` });
    await page.screenshot({ path: `${OUT}/report-${colorScheme}-whole.png`, fullPage: true });
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.getByText("All other settings").click();
  await axe(page, "with all settings");
  const pdf = await page.pdf({ format: "A4", path: `${OUT}/report.pdf` });
  assert.ok(pdf.length > 20_000, "it can be printed");

  await page.setViewportSize({ width: 390, height: 844 });
  await page.waitForTimeout(300);
  const wide = await page.evaluate(() => document.scrollingElement.scrollWidth - window.innerWidth);
  await page.screenshot({ path: `${OUT}/report-phone.png` });
  assert.ok(wide <= 0, `${wide} pixels stick out on a phone`);
  assert.deepEqual(errors, []);
  assert.deepEqual(asked, [], "it asks nobody for anything");

  // Without scripts everything but the charts is there.
  const still = await (await chromium.newContext({ javaScriptEnabled: false })).newPage();
  await still.goto(`file://${process.env.REPORT}`);
  assert.equal(await still.locator("data[data-of]").count(), Object.keys(record.figures).length);
} finally {
  await chromium.close();
}
console.log("all steps passed");
process.exit(0);
