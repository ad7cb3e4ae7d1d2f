// Each control changes the run: the API says so, and the counters show it.

import assert from "node:assert/strict";
import { api, rounds, until, view } from "./harness.mjs";

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const sent = async (type) => {
  const { detail } = await api("/workload/status");
  return type ? detail.stats.by_type[type]?.submitted ?? 0 : detail.stats.submitted + detail.stats.submitted_invalid;
};

async function set(page, label, value) {
  const input = page.locator("#controls").getByLabel(label);
  await input.fill(String(value));
  await input.press("Enter");
}

export async function settings({ page, errors }) {
  await view(page, "load");
  for (const [label, value, path, read] of [
    ["Transactions a second", 12, "/workload/target-tps", (c) => c.target_tps],
    ["In flight per account", 3, "/workload/max-pending", (c) => c.max_pending],
    ["Deliberately invalid, %", 25, "/workload/intent", (c) => c.invalid],
    ["Random (fuzz)", 5, "/workload/fuzz", (c) => c.percent],
  ]) {
    assert.notEqual(read(await api(path)), value);
    await set(page, label, value);
    await until(`${path} is ${value}`, async () => read(await api(path)) === value);
    await page.locator("#control-said.good").filter({ hasText: `is now ${value}` }).waitFor();
  }
  // What the API refuses is said in its words.
  await page.evaluate(() => { document.getElementById("set-max-pending").removeAttribute("min"); });
  await set(page, "In flight per account", 0);
  await page.locator("#control-said.bad").filter({ hasText: "at least 1" }).waitFor();
  // The browser itself notes the refusal; nothing else may be noted.
  assert.match(errors.pop() ?? "", /status of 400/);
  await set(page, "In flight per account", 3);
}

export async function startStop({ page }) {
  const button = page.locator("#start-stop");
  assert.equal(await button.textContent(), "Stop load");
  await button.click();
  await until("load is stopped", async () => !(await api("/workload/status")).running);
  await until("nothing is in flight", async () => (await api("/state/summary")).pending === 0);
  const before = await sent();
  await pause(700);
  assert.equal(await sent(), before, "nothing is sent while load is stopped");
  await page.getByRole("button", { name: "Start load" }).click();
  const start = Date.now();
  await until("load runs", async () => (await sent()) > before);
  await pause(2000);
  const rate = ((await sent()) - before) / ((Date.now() - start) / 1000);
  assert.ok(rate > 6 && rate < 18, `12 a second were asked for, ${rate} came`);
}

export async function types({ page }) {
  const name = "AccountSet";
  const box = page.getByLabel(`${name} on`, { exact: true });
  await until("the type is used", async () => (await sent(name)) > 0, 15000);
  await box.uncheck();
  await until("it is off", async () => (await api("/workload/disabled-types")).disabled_types.includes(name));
  const [of, all] = [await sent(name), await sent()];
  await until("others go on", async () => (await sent()) >= all + 6);
  assert.equal(await sent(name), of, "none of a type that is off");
  const weight = page.getByLabel(`Weight of ${name}`, { exact: true });
  await weight.fill("1000");
  await weight.press("Enter");
  await until("its weight is changed", async () => (await api("/workload/rate-controls")).weights[name] === 1000);
  await box.check();
  await until("it is on", async () => !(await api("/workload/disabled-types")).disabled_types.includes(name));
  const [from, allFrom] = [await sent(name), await sent()];
  await until("some time passes", async () => (await sent()) >= allFrom + 30);
  const share = ((await sent(name)) - from) / ((await sent()) - allFrom);
  // Two of three by weight, where it was one in fifty: of thirty, chance takes no more than that.
  assert.ok(share > 0.3, `with such a weight most are of it: ${share}`);
}

// The table of types is searched by name and by family.
export async function findType({ page }) {
  const rows = page.locator("#types tr[data-type]:visible");
  const all = await rows.count();
  assert.ok(all > 60, `${all} types`);
  await page.getByLabel("Find a type").fill("nft");
  assert.deepEqual(await rows.evaluateAll((list) => list.filter((row) => !row.dataset.type.startsWith("NFToken"))), []);
  assert.equal(await page.locator("#type-count").textContent(), `${await rows.count()} types`);
  await page.getByLabel("Find a type").fill("no such type");
  assert.equal(await page.locator("#type-count").textContent(), "No type matches.");
  await page.getByLabel("Find a type").fill("");
  assert.equal(await rows.count(), all);
}

export async function one({ page }) {
  const [before] = (await api("/state/transactions?order=newest&type=TrustSet&limit=1")).transactions;
  await page.getByRole("button", { name: "Send one TrustSet" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("heading", { name: "What happened" }).waitFor();
  const hash = await dialog.locator("td").first().textContent();
  assert.notEqual(hash, before?.tx_hash);
  // The dossier follows it to its end.
  await dialog.locator(".timeline li.good").filter({ hasText: "VALIDATED" }).waitFor();
  assert.equal((await api(`/state/tx/${hash}`)).transaction_type, "TrustSet");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  await rounds(page, 1);
}

// Where actions need a token, the page asks for it at the first one.
export async function token({ page, errors }) {
  const before = errors.length;
  await view(page, "load");
  await page.locator("#start-stop").click();
  await page.locator("#control-said.bad").filter({ hasText: "Authorization" }).waitFor();
  assert.deepEqual(errors.splice(before).map((text) => /status of 401/.test(text)), [true]);
  await page.getByLabel("API token").fill("open-sesame");
  await page.getByLabel("API token").press("Enter");
  await page.locator("#start-stop").click();
  await until("load is stopped", async () => !(await api("/workload/status")).running);
  await page.getByRole("button", { name: "Start load" }).click();
  await until("load runs", async () => (await api("/workload/status")).running);
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), [], "the token is kept by this tab only");
}
