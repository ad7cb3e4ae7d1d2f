// What all views share: addresses, the time that charts cover, pause, colours, exports.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { api, BASE, rounds, until, view, VIEWS } from "./harness.mjs";

const shownView = (page) => page.evaluate(() => [...document.querySelectorAll("[data-view]")].filter((one) => !one.hidden).map((one) => one.dataset.view));

export async function addresses({ page }) {
  await page.goto(BASE);
  for (const name of VIEWS) {
    await page.locator("#views").getByRole("link", { name, exact: false }).click();
    // The page learns of the new address a moment later.
    await until("the view is shown, and no other", async () => (await shownView(page)).join() === name);
    assert.equal((await page.title()).toLowerCase(), `${name} - xrpl-workload`);
    assert.equal((await page.locator("#views [aria-current]").textContent()).toLowerCase(), name);
  }
  await page.goBack();
  await page.locator("[data-view=nodes]").waitFor();
  // A copied address leads to the same search and the same transaction.
  const [tx] = (await api("/state/transactions?state=VALIDATED&order=newest&limit=1")).transactions;
  await page.goto("about:blank");
  await page.goto(`${BASE}/#/transactions?account=${tx.account}&tx=${tx.tx_hash}`);
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("heading", { name: "What happened" }).waitFor();
  assert.equal(await dialog.locator("td").first().textContent(), tx.tx_hash);
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  // The event comes a moment after the dialog is gone.
  await until("the address is that of the search again", async () => !page.url().includes("tx="));
  await page.locator("#list-says").filter({ hasText: `of ${tx.account}` }).waitFor();
  await page.goto("about:blank");
  await page.goto(`${BASE}/#/no-such-view`);
  await page.locator("[data-view=overview]").waitFor();
  await rounds(page, 2);
}

const points = (page, id) => page.evaluate((of) => window.Chart.getChart(of).data.labels.length, id);

export async function tools({ page }) {
  await view(page, "overview");
  await until("more than a minute of samples", async () => (await points(page, "chart-throughput")) > 62, 60000);
  await page.getByLabel("Time that charts cover").selectOption("60");
  for (const id of ["chart-throughput", "chart-percentiles"]) assert.ok(await points(page, id) <= 61, id);
  await page.getByLabel("Time that charts cover").selectOption("0");
  assert.ok(await points(page, "chart-throughput") > 62);

  const labels = () => page.evaluate(() => [...document.querySelectorAll("canvas")].map((canvas) => window.Chart.getChart(canvas).data.labels.join()));
  await page.getByRole("button", { name: "Pause" }).click();
  const before = await labels();
  await rounds(page, 2);
  assert.deepEqual(await labels(), before, "charts stand still");
  await page.getByRole("button", { name: "Pause" }).click();
  await until("charts go on", async () => (await labels()).join() !== before.join());

  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  const theme = page.locator("#theme");
  const seen = [];
  for (const name of ["Light", "Dark", "Auto"]) {
    await theme.click();
    assert.equal(await theme.getAttribute("aria-label"), `Colours: ${name}`);
    seen.push(await ground());
  }
  assert.notEqual(seen[1], light);
  assert.deepEqual([seen[0], seen[2]], [light, light]);
}

async function download(page, section, name) {
  await page.locator(`#${section} .export summary`).click();
  const [file] = await Promise.all([page.waitForEvent("download"), page.locator(`#${section} .export`).getByRole("button", { name }).click()]);
  return { name: file.suggestedFilename(), content: await readFile(await file.path()) };
}

export async function exports({ page }) {
  await view(page, "overview");
  await page.getByRole("button", { name: "Pause" }).click();
  const chart = await page.evaluate(() => window.Chart.getChart("chart-throughput").data.labels.length);
  const png = await download(page, "throughput", /over time as PNG/);
  assert.equal(png.name, "chart-throughput.png");
  assert.equal(png.content.subarray(1, 4).toString(), "PNG");
  const csv = await download(page, "throughput", /over time as CSV/);
  const lines = csv.content.toString().trim().split("\n");
  assert.equal(lines[0], ",validated / s,target / s,in flight");
  assert.equal(lines.length, chart + 1);
  const json = JSON.parse((await download(page, "throughput", /over time as JSON/)).content);
  assert.equal(json.length, chart);
  await page.getByRole("button", { name: "Pause" }).click();

  // Of a long list all of it, the rows out of sight too.
  await page.goto(`${BASE}/#/transactions?all=1`);
  await page.locator("#list-says").filter({ hasText: "Transactions of the run: 200 and more" }).waitFor();
  const list = JSON.parse((await download(page, "transactions", "transactions as JSON")).content);
  assert.equal(list.length, 200);
  assert.ok(await page.locator("#list tbody:nth-of-type(2) tr").count() < 100, "few of them are in the document");

  await view(page, "nodes");
  const nodes = JSON.parse((await download(page, "node", "nodes as JSON")).content);
  const { endpoints } = await api("/health");
  assert.deepEqual(nodes.map((node) => [node.Node, node.Health, node["Behind, ledgers"]]), endpoints.map((node) => [node.name, "answers", 0]));
}
