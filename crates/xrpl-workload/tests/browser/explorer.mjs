// The explorer of a ledger to develop on: what people see, that it is alive, light and dark, and
// that it leads everywhere. The ledger is asked over its own JSON-RPC.

import assert from "node:assert/strict";
import { axeSource, BASE, browser, OUT, until } from "./harness.mjs";

async function ask(method, params = {}) {
  const body = JSON.stringify({ method, params: [params] });
  const { result } = await (await fetch(BASE, { method: "POST", body })).json();
  assert.equal(result.status, "success", JSON.stringify(result));
  return result;
}

async function axe(page, what) {
  await page.evaluate(axeSource);
  const { violations, passes } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const told = violations.map((v) => `${what}: ${v.id}: ${v.help}\n  ${v.nodes.slice(0, 5).map((n) => `${n.html} ${n.failureSummary}`).join("\n  ")}`);
  assert.deepEqual(told, []);
  assert.ok(passes.length > 15, "axe has looked");
}

const chromium = await browser();
try {
  const context = await chromium.newContext({ viewport: { width: 1200, height: 900 } });
  const page = await context.newPage();
  const errors = [];
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) errors.push(message.text()); });
  page.on("pageerror", (error) => errors.push(String(error)));
  const { accounts } = await ask("standalone_accounts");
  const pay = async () => {
    const tx_json = { TransactionType: "Payment", Account: accounts[0].address, Destination: accounts[1].address, Amount: "5000000" };
    return (await ask("submit", { secret: accounts[0].seed, tx_json })).tx_json.hash;
  };

  await page.goto(BASE);
  await page.locator("#live.good").filter({ hasText: "ledger 3" }).waitFor();
  // It is alive: what is submitted and closed appears without a hand.
  const hash = await pay();
  await page.getByRole("link", { name: hash.slice(0, 12) }).waitFor({ timeout: 5000 });
  await ask("ledger_accept");
  await page.getByRole("link", { name: "4", exact: true }).waitFor({ timeout: 5000 });
  await page.locator("#live").filter({ hasText: "ledger 4" }).waitFor();

  // From ledger to transaction to account, by links alone.
  await page.getByRole("link", { name: "4", exact: true }).click();
  await page.getByRole("heading", { name: "Ledger 4", exact: true }).waitFor();
  await page.getByRole("link", { name: hash.slice(0, 12) }).click();
  await page.getByText("It succeeded and delivered 5 XRP.").waitFor();
  const twin = await (await fetch(`${BASE}/transactions/${hash}.json`)).json();
  for (const { words } of twin.words.effects) await page.getByRole("heading", { name: words }).waitFor();
  await page.screenshot({ path: `${OUT}/explorer-transaction.png`, fullPage: true });
  const json = await page.getByRole("link", { name: "JSON" }).getAttribute("href");
  assert.equal(json, `/transactions/${hash}.json`);
  await page.getByRole("link", { name: accounts[1].address }).first().click();
  await page.getByRole("heading", { name: `Account ${accounts[1].address}` }).waitFor();
  await page.getByText("10005000000").waitFor();
  // An account's page is alive too.
  await pay();
  await ask("ledger_accept");
  await page.getByText("10010000000").waitFor({ timeout: 5000 });

  // What is searched for is found, and what is not is said.
  await page.getByLabel("Find").fill(hash);
  await page.getByLabel("Find").press("Enter");
  await page.getByText("It succeeded and delivered 5 XRP.").waitFor();
  assert.deepEqual(errors.splice(0), []);
  await page.getByLabel("Find").fill("<script>alert(1)</script>");
  await page.getByLabel("Find").press("Enter");
  await page.getByText("This ledger has nothing of that name.").waitFor();
  // The browser itself notes the 404.
  assert.match(errors.pop() ?? "", /status of 404/);

  for (const path of ["/", "/ledgers/4", `/transactions/${hash}`, `/accounts/${accounts[0].address}`, "/books", "/pools"]) {
    await page.goto(BASE + path);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await axe(page, `${path} ${colorScheme}`);
    }
    await page.setViewportSize({ width: 360, height: 700 });
    const { wide, seen } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, seen: innerWidth }));
    assert.ok(wide <= seen, `${path} is ${wide} wide on a phone of ${seen}`);
    await page.setViewportSize({ width: 1200, height: 900 });
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto(BASE);
  await page.screenshot({ path: `${OUT}/explorer.png`, fullPage: true });

  // Without scripts the pages are the same.
  const still = await (await chromium.newContext({ javaScriptEnabled: false })).newPage();
  await still.goto(`${BASE}/transactions/${hash}`);
  await still.getByText("It succeeded and delivered 5 XRP.").waitFor();
  await until("no errors", () => true);
  assert.deepEqual(errors, []);
} finally {
  await chromium.close();
}
console.log("all steps passed");
process.exit(0);
