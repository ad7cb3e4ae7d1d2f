// Lists, searches, the dossier, and a stream faster than anyone reads.

import assert from "node:assert/strict";
import { api, BASE, OUT, shown, until, view } from "./harness.mjs";

const rows = (page) => page.locator("#list tbody:nth-of-type(2) tr");

export async function live({ page }) {
  await view(page, "transactions");
  await page.locator("#list-says").filter({ hasText: "Live: the newest state changes." }).waitFor();
  await rows(page).first().waitFor();
  const name = await rows(page).first().getAttribute("data-key");
  assert.equal((await api(`/state/tx/${name}`)).tx_hash, name, "what the list shows is tracked");
  assert.ok((await rows(page).count()) <= 50);
}

export async function clickThrough({ page }) {
  await view(page, "results");
  const { cells } = await api("/state/matrix");
  const cell = cells.find((c) => c.state === "REJECTED" && c.preliminary) ?? cells[0];
  const wanted = { preliminary: cell.preliminary, state: cell.state, final: cell.final ?? "none" };
  const of = Object.entries(wanted).map(([key, value]) => `[data-${key}="${value}"]`).join("");
  // By keyboard: what is focused stays focused while numbers move.
  await page.locator(`#matrix-table a${of}`).focus();
  await page.keyboard.press("Enter");
  await page.locator("#list-says").filter({ hasText: `${cell.preliminary} first` }).waitFor();
  await until("its rows are shown", async () => (await rows(page).count()) > 0);
  const texts = await rows(page).evaluateAll((list) => list.map((row) => [...row.children].map((c) => c.textContent)));
  for (const text of texts) assert.deepEqual([text[4], text[5]], [cell.state, cell.final]);
}

// A cell of the heat map and a ledger lead to their transactions, and the back button back.
export async function drillDown({ page }) {
  await view(page, "results");
  const cell = page.locator("#heat-table a").first();
  const { type, final } = await cell.evaluate((anchor) => ({ ...anchor.dataset }));
  await cell.click();
  await page.locator("#list-says").filter({ hasText: `Transactions ${type}, final result ${final}` }).waitFor();
  await rows(page).first().waitFor();
  const texts = await rows(page).evaluateAll((list) => list.map((row) => [...row.children].map((c) => c.textContent)));
  for (const text of texts) assert.deepEqual([text[2], text[5]], [type, final]);
  await page.goBack();
  await page.locator("#heat-table").waitFor();

  await view(page, "ledgers");
  const { ledgers } = await api("/state/ledgers");
  const ledger = ledgers.find((one) => one.complete && one.ours > 0 && one.ours < 40);
  await page.evaluate((index) => { location.hash = `#/transactions?ledger=${index}`; }, ledger.ledger_index);
  await page.locator("#list-says").filter({ hasText: `Transactions in ledger ${ledger.ledger_index}: ${ledger.ours}` }).waitFor();
  assert.equal(await rows(page).count(), ledger.ours);
  await view(page, "ledgers");
  await page.locator("#strip a").first().click();
  await page.locator("#list-says").filter({ hasText: "Transactions in ledger" }).waitFor();
}

export async function search({ page }) {
  await view(page, "transactions");
  const [tx] = (await api("/state/transactions?state=VALIDATED&order=newest&limit=1")).transactions;
  const query = page.getByLabel("Hash, object id, account, result, ledger or type");
  await query.fill("not a hash");
  await query.press("Enter");
  await page.locator("#list-says").filter({ hasText: "neither a hash" }).waitFor();
  await query.fill(tx.account);
  await query.press("Enter");
  await page.locator("#list-says").filter({ hasText: tx.account }).waitFor();
  const keys = await rows(page).evaluateAll((list) => list.map((row) => row.dataset.key));
  const own = (await api(`/state/transactions?account=${tx.account}&limit=10000`)).transactions.map((row) => row.tx_hash);
  assert.ok(keys.length > 0, "some are shown");
  assert.deepEqual(keys.filter((key) => !own.includes(key)), [], "only the account's own");
  for (const [text, words] of [[tx.engine_result_final, `final result ${tx.engine_result_final}`], [String(tx.validated_ledger), `in ledger ${tx.validated_ledger}`], [tx.transaction_type.toLowerCase(), tx.transaction_type]]) {
    await query.fill(text);
    await query.press("Enter");
    await page.locator("#list-says").filter({ hasText: words }).waitFor();
    await rows(page).first().waitFor();
  }
  await query.fill(tx.tx_hash);
  await query.press("Enter");
  await dossier(page, tx.tx_hash);
}

// The id of an object leads to what created, modified and deleted it: here a check that some account still has.
export async function object({ page, errors }) {
  await view(page, "transactions");
  const { endpoint } = await api("/state/summary");
  const { transactions: made } = await api("/state/transactions?state=VALIDATED&type=CheckCreate&final=tesSUCCESS&order=newest&limit=20");
  let id;
  for (const { account } of made) {
    const body = JSON.stringify({ method: "account_objects", params: [{ account, type: "check", ledger_index: "validated" }] });
    const response = await fetch(endpoint, { method: "POST", body, headers: { "content-type": "application/json" } });
    id ??= (await response.json()).result.account_objects[0]?.index;
  }
  assert.ok(id, "there is a check");
  const query = page.getByLabel("Hash, object id, account, result, ledger or type");
  await query.fill(id.toLowerCase());
  await query.press("Enter");
  await page.locator("#list-says").filter({ hasText: /that touched object .* It is of type Check/ }).waitFor();
  await rows(page).first().waitFor();
  const { transactions: touched } = await api(`/state/objects/${id}`);
  const texts = await rows(page).evaluateAll((list) => list.map((row) => [row.dataset.key, ...[...row.children].slice(4, 6).map((c) => c.textContent)]));
  // A node of short history may have forgotten its metadata.
  assert.deepEqual(texts, touched.map((one) => [one.tx_hash, one.effect ?? "not known any more", one.engine_result]));
  assert.equal(await page.locator("#list thead th").nth(4).textContent(), "What it did");
  // The browser itself notes that no transaction has this hash.
  assert.match(errors.pop() ?? "", /status of 404/);
  await page.screenshot({ path: `${OUT}/object.png` });
  // What neither is.
  await query.fill("0".repeat(64));
  await query.press("Enter");
  await page.locator("#list-says").filter({ hasText: "Not found" }).waitFor();
  assert.deepEqual(errors.splice(-2).map((text) => /status of 404/.test(text)), [true, true]);
  await page.getByRole("button", { name: "Live" }).click();
  assert.equal(await page.locator("#list thead th").nth(4).textContent(), "State");
}

async function dossier(page, hash) {
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("heading", { name: "What happened" }).waitFor();
  const known = await api(`/state/tx/${hash}`);
  const text = await dialog.textContent();
  for (const part of [known.tx_hash, known.account, known.engine_result_final, `in validated ledger ${shown(known.validated_ledger)}`, `${shown(known.finality_ms)} ms`]) {
    assert.ok(text.includes(part), `the dossier lacks ${part}`);
  }
  const items = await dialog.locator(".timeline li").allTextContents();
  assert.equal(items.length, 2 + known.preliminary_results.length + known.sightings.length);
  // What proves it can be asked of the node itself.
  const commands = await dialog.locator(".request pre").allTextContents();
  assert.equal(commands.length, 2);
  for (const command of commands) {
    const [, node, request] = command.match(/^curl -s (\S+) -d '(.+)'$/);
    const response = await fetch(node, { method: "POST", body: request, headers: { "content-type": "application/json" } });
    const { result } = await response.json();
    assert.ok(result.validated === true && JSON.stringify(result).includes(hash), command);
  }
  assert.ok(page.url().endsWith(`tx=${hash}`), "it has an address");
  assert.ok(items[0].includes("Created") && items.at(-1).includes("VALIDATED"), items.join("\n"));
}

// A thousand state changes a second for two seconds: frames go on, lists stay bounded.
export async function flood(context) {
  const page = await context.newPage();
  await page.addInitScript(() => {
    window.EventSource = class extends EventTarget {
      constructor() {
        super();
        const types = ["Payment", "TrustSet", "AccountSet"];
        let id = 0;
        setTimeout(() => this.dispatchEvent(new Event("open")), 0);
        const timer = setInterval(() => {
          for (let n = 0; n < 20; n += 1) {
            id += 1;
            const data = JSON.stringify({
              id, at_ms: Date.now(), tx_hash: id.toString(16).toUpperCase().padStart(64, "0"), account: "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh",
              transaction_type: types[id % 3], previous_state: "SUBMITTED", state: "VALIDATED", engine_result: "tesSUCCESS", validated_ledger: 5, source: "WS",
            });
            this.dispatchEvent(new MessageEvent("state", { data }));
          }
          if (id >= 2000) clearInterval(timer);
        }, 20);
      }
    };
    window.gaps = [];
    let last = 0;
    const frame = (now) => {
      if (last) window.gaps.push(now - last);
      last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  await page.goto(`${BASE}/#/transactions`);
  await page.waitForFunction(() => Number(document.body.dataset.events) >= 2000, null, { timeout: 15000 });
  const { gaps, count } = await page.evaluate(() => ({ gaps: window.gaps.sort((a, b) => a - b), count: document.querySelectorAll("#list tbody:nth-of-type(2) tr").length }));
  const slow = gaps[Math.floor(gaps.length * 0.95)];
  console.log(`frames at 1,000 events/s: median ${Math.round(gaps[gaps.length >> 1])} ms, 95 of 100 at most ${Math.round(slow)} ms, ${gaps.length} frames`);
  assert.ok(slow < 200, `frames are ${slow} ms apart`);
  assert.equal(count, 50);
  const pressed = Date.now();
  await page.getByRole("button", { name: "Pause" }).click();
  assert.equal(await page.getByRole("button", { name: "Pause" }).getAttribute("aria-pressed"), "true");
  assert.ok(Date.now() - pressed < 2000);
  await page.close();
}

// A node that hangs: what asks it says so, everything else goes on.
export async function hanging(context) {
  const page = await context.newPage();
  await page.route("**/state/fees", () => {});
  await page.goto(`${BASE}/#/ledgers`);
  await page.locator("#fee-numbers").filter({ hasText: "the node does not answer in time" }).waitFor();
  assert.equal(await page.locator("#trouble").isVisible(), false);
  assert.ok(await page.locator("#strip li").count() > 0, "ledgers are shown all the same");
  await page.close();
}
