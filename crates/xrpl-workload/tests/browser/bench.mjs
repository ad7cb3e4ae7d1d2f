// How fast the page is, in Chromium: the first paint, and frames while 1,000 events a second arrive and
// the API answers with 77 types, 2,000 accounts and 100,000 transactions. Prints figures, judges nothing.
// usage: BASE=http://127.0.0.1:PORT TEST_LIBRARIES=target/test-libraries CHROMIUM=/usr/bin/chromium node bench.mjs

import { browser, BASE, VIEWS } from "./harness.mjs";

const TYPES = 77;
const ACCOUNTS = 2000;
const TRANSACTIONS = 100000;
const PER_SECOND = 1000;
const SECONDS = 3;

const hash = (n) => n.toString(16).toUpperCase().padStart(64, "0");
const names = Array.from({ length: TYPES }, (_, n) => `Type${n}`);
const results = ["tesSUCCESS", ...Array.from({ length: 30 }, (_, n) => `tecRESULT_${n}`)];
const row = (n) => ({
  tx_hash: hash(n), created_at_ms: n, transaction_type: names[n % TYPES], account: `r${String(n % ACCOUNTS).padStart(33, "1")}`,
  state: "VALIDATED", engine_result_final: "tesSUCCESS", validated_ledger: n,
});
// Counters that move, so that every round draws anew.
let round = 0;
const LARGE = {
  "/state/matrix": () => ({ total: 0, cells: names.flatMap((type) => results.map((result) => ({
    transaction_type: type, preliminary: result, state: "VALIDATED", final: result, intent: "valid", count: (round += 1) % 5000,
  }))) }),
  "/state/lanes": () => ({ total: ACCOUNTS, blocked: 0, lanes: Array.from({ length: ACCOUNTS }, (_, n) => ({
    account: `r${String(n).padStart(33, "1")}`, role: "user", in_flight: (round += 1) % 5, next_sequence: round, free_tickets: 0, blocked: null, reason: null,
  })) }),
  "/state/transactions": () => ({ transactions: Array.from({ length: TRANSACTIONS }, (_, n) => row(n)), next_cursor: null }),
};

const middle = (list, part) => list.sort((a, b) => a - b)[Math.floor(list.length * part)];

function flood(perSecond) {
  window.EventSource = class extends EventTarget {
    constructor() {
      super();
      let id = 0;
      setTimeout(() => this.dispatchEvent(new Event("open")), 0);
      setInterval(() => {
        for (let n = 0; n < perSecond / 50; n += 1) {
          id += 1;
          const data = JSON.stringify({
            id, at_ms: Date.now(), tx_hash: id.toString(16).toUpperCase().padStart(64, "0"), account: "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh",
            transaction_type: "Payment", previous_state: "SUBMITTED", state: "VALIDATED", engine_result: "tesSUCCESS", validated_ledger: 5, source: "WS",
          });
          this.dispatchEvent(new MessageEvent("state", { data }));
        }
      }, 20);
    }
  };
}

// Seconds that the page's main thread has worked so far, by what it did; where others keep the processors busy, their time is in it.
async function work(session) {
  const { metrics } = await session.send("Performance.getMetrics");
  const of = (name) => metrics.find((metric) => metric.name === name).value;
  return { script: of("ScriptDuration"), styles: of("RecalcStyleDuration"), layout: of("LayoutDuration"), all: of("TaskDuration") };
}

const chromium = await browser();
try {
  const paints = [];
  for (let n = 0; n < 5; n += 1) {
    const page = await (await chromium.newContext()).newPage();
    await page.goto(BASE);
    await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length > 0);
    paints.push(await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime));
    await page.context().close();
  }
  console.log(`first contentful paint: median ${Math.round(middle(paints, 0.5))} ms of ${paints.length}`);

  const page = await (await chromium.newContext({ viewport: { width: 1360, height: 900 } })).newPage();
  await page.addInitScript(flood, PER_SECOND);
  for (const [path, answer] of Object.entries(LARGE)) {
    await page.route((url) => url.pathname === path, (route) => route.fulfill({ json: answer() }));
  }
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  await page.goto(BASE);
  for (const view of [...VIEWS, "transactions?all=1"]) {
    await page.evaluate((to) => { location.hash = `#/${to === "overview" ? "" : to}`; }, view);
    await page.waitForTimeout(1500);
    const before = await work(session);
    const { gaps, long, longest } = await page.evaluate((ms) => new Promise((done) => {
      const seen = [];
      const tasks = [];
      const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((entry) => entry.duration)));
      observer.observe({ entryTypes: ["longtask"] });
      const start = performance.now();
      let last = start;
      const box = document.querySelector("[data-view]:not([hidden]) .taller");
      const frame = (now) => {
        seen.push(now - last);
        last = now;
        if (box) box.scrollTop += 40;
        if (now - start < ms) requestAnimationFrame(frame);
        else done({ gaps: seen.slice(1), long: tasks.length, longest: Math.round(Math.max(0, ...tasks)) });
      };
      requestAnimationFrame(frame);
    }), SECONDS * 1000);
    const after = await work(session);
    const each = (part) => Math.round(middle(gaps, part));
    const spent = Object.keys(after).map((name) => `${name} ${Math.round((after[name] - before[name]) * 1000 / SECONDS)}`).join(", ");
    console.log(`${view.padEnd(20)} ${(gaps.length / SECONDS).toFixed(1)} frames/s; ms between frames: median ${each(0.5)}, 99 of 100 ${each(0.99)}, most ${each(0.9999)}; main thread, ms of each second: ${spent}; ${long} tasks over 50 ms, the longest ${longest} ms`);
  }
} finally {
  await chromium.close();
}
process.exit(0);
