// Light and dark, wide and narrow: no violation that axe knows, nothing cut off, pictures for people.

import assert from "node:assert/strict";
import { axeSource, open, OUT } from "./harness.mjs";

async function axe(page, what) {
  await page.evaluate(axeSource);
  const { violations, passes } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const told = violations.map((v) => `${what}: ${v.id}: ${v.help}\n  ${v.nodes.slice(0, 5).map((n) => `${n.html} ${n.failureSummary}`).join("\n  ")}`);
  assert.deepEqual(told, []);
  assert.ok(passes.length > 20, "axe has looked");
}

export async function looks({ page }) {
  await page.evaluate(() => window.scrollTo(0, 0));
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await axe(page, colorScheme);
    await page.screenshot({ path: `${OUT}/${colorScheme}.png` });
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.screenshot({ path: `${OUT}/whole.png`, fullPage: true });
}

export async function dialogLooks({ page }) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await axe(page, `dossier, ${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.screenshot({ path: `${OUT}/dossier.png` });
  await page.keyboard.press("Escape");
}

export async function phone({ page }) {
  const before = page.viewportSize();
  await page.setViewportSize({ width: 390, height: 844 });
  // Pictures take a moment to be drawn anew.
  await page.waitForTimeout(400);
  const wide = await page.evaluate(() => document.scrollingElement.scrollWidth - window.innerWidth);
  await page.evaluate(() => window.scrollTo(0, 0));
  await page.screenshot({ path: `${OUT}/phone.png` });
  const widest = await page.evaluate(() => [...document.querySelectorAll("header, main *, footer")]
    .filter((e) => e.getBoundingClientRect().right > window.innerWidth).map((e) => `${e.tagName}#${e.id}.${e.className}`));
  assert.ok(wide <= 0, `${wide} pixels stick out on a phone: ${widest.join(", ")}`);
  await axe(page, "phone");
  await page.setViewportSize(before);
}

// Every control is reached with the keyboard alone, in the order of the page.
export async function keyboard(context) {
  const { page, errors } = await open(context);
  const reached = new Set();
  for (let n = 0; n < 45; n += 1) {
    await page.keyboard.press("Tab");
    reached.add(await page.evaluate(() => document.activeElement.id || document.activeElement.getAttribute("aria-label") || document.activeElement.textContent));
  }
  for (const wanted of ["Skip to the numbers", "start-stop", "set-tps", "set-max-pending", "set-invalid", "Payment on", "Weight of Payment", "Send one Payment"]) {
    assert.ok(reached.has(wanted), `${wanted} is not reached by Tab: ${[...reached].join(", ")}`);
  }
  assert.deepEqual(errors, []);
  await page.close();
}
