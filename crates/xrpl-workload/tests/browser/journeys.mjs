// A journey begun on the page is shown step by step, as the API says.

import assert from "node:assert/strict";
import { api, rounds, view } from "./harness.mjs";

export async function journey({ page }) {
  await view(page, "load");
  await page.getByLabel("Journey", { exact: true }).selectOption("check_cash");
  await page.getByRole("button", { name: "Begin" }).click();
  await page.locator("#journey-said.good").filter({ hasText: "has begun" }).waitFor();
  const row = page.locator("#journey-runs > li").first();
  await row.locator("p span.good").filter({ hasText: "done" }).waitFor({ timeout: 20000 });
  await rounds(page, 1);
  const { runs: [run] } = await api("/journeys?limit=1");
  assert.equal(run.name, "check_cash");
  assert.equal(await row.locator("p b").textContent(), `${run.id} check_cash`);
  const steps = row.locator("ol > li");
  assert.equal(await steps.count(), run.steps.length);
  for (const [n, step] of run.steps.entries()) {
    const text = await steps.nth(n).textContent();
    for (const part of [step.name, step.transaction_type, step.tx_hash.slice(0, 8), `${step.engine_result}, ledger ${step.ledger_index}`]) {
      assert.ok(text.includes(part), `${part} is not in ${text}`);
    }
  }
  // A step leads to its transaction.
  await steps.first().getByRole("button").click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("heading", { name: "What happened" }).waitFor();
  assert.equal(await dialog.locator("td").first().textContent(), run.steps[0].tx_hash);
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
}
