// Light and dark, wide and narrow: no violation that axe knows, nothing cut off, pictures for people.

import assert from "node:assert/strict";
import { axeSource, open, OUT, view, VIEWS } from "./harness.mjs";

// Colours alone differ between light and dark.
const COLOURS = { runOnly: ["color-contrast"] };

async function violations(page, what, options = {}) {
  await page.evaluate(axeSource);
  // Views that are not shown are left out: axe would go through thousands of their cells.
  const { violations: found, passes } = await page.evaluate((more) => window.axe.run({ exclude: ["[data-view][hidden]"] }, { resultTypes: ["violations"], ...more }), options);
  assert.ok(passes.length > (options.runOnly ? 0 : 20), "axe has looked");
  return found.map((v) => `${what}: ${v.id}: ${v.help}\n  ${v.nodes.slice(0, 5).map((n) => `${n.html} ${n.failureSummary}`).join("\n  ")}`);
}

export const axe = async (page, what, options) => assert.deepEqual(await violations(page, what, options), []);

// What the size of the window or the colours have changed is drawn within this time.
const settle = (page) => page.waitForTimeout(300);

export async function looks({ page }) {
  const all = [];
  for (const name of VIEWS) {
    await view(page, name);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await settle(page);
      all.push(...await violations(page, `${name}, ${colorScheme}`, colorScheme === "dark" ? COLOURS : {}));
      await page.screenshot({ path: `${OUT}/${name}-${colorScheme}.png` });
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  assert.deepEqual(all, []);
}

export async function dialogLooks({ page }) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await axe(page, `dossier, ${colorScheme}`, colorScheme === "dark" ? COLOURS : {});
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.screenshot({ path: `${OUT}/dossier.png` });
  await page.keyboard.press("Escape");
}

export async function phone({ page }) {
  const before = page.viewportSize();
  await page.setViewportSize({ width: 390, height: 844 });
  for (const name of VIEWS) {
    await view(page, name);
    await settle(page);
    const wide = await page.evaluate(() => document.scrollingElement.scrollWidth - window.innerWidth);
    const widest = await page.evaluate(() => [...document.querySelectorAll("header, main *, footer")]
      .filter((e) => e.getBoundingClientRect().right > window.innerWidth).map((e) => `${e.tagName}#${e.id}.${e.className}`));
    assert.ok(wide <= 0, `${wide} pixels of ${name} stick out on a phone: ${widest.join(", ")}`);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await settle(page);
      await page.screenshot({ path: `${OUT}/${name}-phone-${colorScheme}.png` });
    }
    await axe(page, `${name}, phone`);
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(before);
}

// Every control is reached with the keyboard alone; letters lead to the views, and `?` lists them.
export async function keyboard(context) {
  const { page, errors } = await open(context);
  await page.keyboard.press("?");
  const help = page.getByRole("dialog", { name: "Keyboard" });
  await help.waitFor();
  await axe(page, "keyboard help");
  const keys = await help.locator("kbd").allTextContents();
  await page.keyboard.press("Escape");
  await help.waitFor({ state: "hidden" });
  const letters = keys.filter((key) => key.startsWith("g "));
  assert.equal(letters.length, VIEWS.length);
  for (const [n, key] of letters.entries()) {
    for (const letter of key.split(" ")) await page.keyboard.press(letter);
    await page.locator(`[data-view=${VIEWS[n]}]`).waitFor();
  }
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement.id), "query");
  // A letter in a field is a letter.
  await page.keyboard.press("p");
  assert.equal(await page.getByRole("button", { name: "Pause" }).getAttribute("aria-pressed"), "false");
  await view(page, "load");
  await page.evaluate(() => document.activeElement.blur());
  const reached = new Set();
  for (let n = 0; n < 45; n += 1) {
    await page.keyboard.press("Tab");
    reached.add(await page.evaluate(() => document.activeElement.id || document.activeElement.getAttribute("aria-label") || document.activeElement.textContent));
  }
  const type = await page.locator("#types tr[data-type]").first().getAttribute("data-type");
  for (const wanted of ["start-stop", "set-tps", "set-max-pending", "set-invalid", "type-search", `${type} on`, `Weight of ${type}`, `Send one ${type}`]) {
    assert.ok(reached.has(wanted), `${wanted} is not reached by Tab: ${[...reached].join(", ")}`);
  }
  assert.deepEqual(errors, []);
  await page.close();
}
