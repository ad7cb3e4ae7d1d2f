// Every number and every picture is what the API said in the same round.

import assert from "node:assert/strict";
import { answerOf, at, rounds, shown, view } from "./harness.mjs";

// A view and what stands around it at one instant, with the number of the round that drew it. The other
// views are as they were when they were shown last.
const snapshot = () => ({
  round: Number(document.body.dataset.rounds),
  numbers: [...document.querySelectorAll("[data-from]")].filter((e) => !e.closest("[data-view][hidden]")).map((e) => ({ ...e.dataset, text: e.textContent })),
  strip: [...document.querySelectorAll("#strip li")].map((e) => ({ kind: e.className, parts: [...e.querySelectorAll("b, span")].map((p) => p.textContent) })),
  matrix: [...document.querySelectorAll("#matrix-table a")].map((e) => ({ ...e.dataset, text: e.textContent })),
  failures: [...document.querySelectorAll("#failure-table tbody tr")].map((r) => [...r.children].map((c) => c.textContent)),
  heat: [...document.querySelectorAll("#heat-table a")].map((e) => ({ ...e.dataset, text: e.textContent })),
  story: document.getElementById("story").textContent,
  target: document.getElementById("target").textContent,
  fuzz: [...document.querySelectorAll("#fuzz-results td")].map((cell) => cell.textContent),
  lanes: [...document.querySelectorAll("#lanes tbody:nth-of-type(2) tr")].map((r) => [...r.children].map((c) => c.textContent)),
  nodes: [...document.querySelectorAll("#nodes tbody tr")].map((r) => [...r.children].map((c) => c.textContent)),
  amendments: [...document.querySelectorAll("#amendment-table tbody tr")].map((r) => [...r.children].map((c) => c.textContent)),
  charts: Object.fromEntries([...document.querySelectorAll("canvas")].map((canvas) => {
    const { labels, datasets } = window.Chart.getChart(canvas).data;
    return [canvas.id, { labels: [...labels], sets: datasets.map((set) => [...set.data]) }];
  })),
  standing: document.getElementById("scenario-standing").textContent,
  stages: [...document.querySelectorAll("#stages tbody tr")].map((r) => [...r.children].slice(0, 2).map((c) => c.textContent)),
  controls: [...document.querySelectorAll("#controls .fields form:not([hidden]) input")].map((input) => input.valueAsNumber),
  types: [...document.querySelectorAll("#types tr[data-type]")].map((row) => {
    const [on, weight] = row.querySelectorAll("input");
    return { name: row.dataset.type, family: row.parentElement.dataset.key, on: on.checked, weight: weight.valueAsNumber };
  }),
  waits: [...document.querySelectorAll("#types tr[data-type]")].map((row) => [row.dataset.type, row.lastChild.textContent]),
  coverage: [...document.querySelectorAll("#coverage-table tbody tr")].map((row) => [...row.children].map((cell) => cell.textContent)),
});

function numbers(seen, answer) {
  for (const { from, path, text, none } of seen.numbers) {
    const wanted = at(answer(from), path) ?? none;
    assert.equal(text, shown(wanted), `${from} ${path} in round ${seen.round}`);
  }
}

function matrix(seen, { cells, total }) {
  const wanted = new Map();
  for (const cell of cells) {
    const key = [cell.preliminary ?? "none", cell.state, cell.final ?? "none"].join();
    wanted.set(key, (wanted.get(key) ?? 0) + cell.count);
  }
  assert.equal(seen.matrix.length, wanted.size);
  for (const cell of seen.matrix) assert.equal(cell.text, shown(wanted.get([cell.preliminary, cell.state, cell.final].join())));
  assert.equal([...wanted.values()].reduce((a, b) => a + b, 0), total);
}

// What was submitted is all accounted for, and the sentence says so with the figures of the API.
function story(seen, summary, status) {
  assert.ok(seen.story.startsWith(`${shown(summary.total_tracked)} submitted, ${shown(summary.by_state.VALIDATED)} validated, `), seen.story);
  assert.ok(seen.story.endsWith(`${shown(summary.pending)} in flight, nothing unaccounted for.`), seen.story);
  const target = status.detail.stage.target_tps;
  assert.equal(seen.target, target > 0 ? `of ${shown(target)} a second` : "a second");
}

function heat(seen, { cells }) {
  const wanted = new Map();
  for (const cell of cells.filter((one) => !["CREATED", "SUBMITTED", "RETRYABLE"].includes(one.state))) {
    const key = [cell.transaction_type, cell.final ?? "none"].join();
    wanted.set(key, (wanted.get(key) ?? 0) + cell.count);
  }
  assert.ok(wanted.size > 5, "several types have ended");
  assert.deepEqual(new Map(seen.heat.map((cell) => [[cell.type, cell.final].join(), cell.text])), new Map([...wanted].map(([key, n]) => [key, shown(n)])));
}

function ledgers(seen, list) {
  assert.ok(list.length >= 5, "ledgers have closed");
  assert.deepEqual(seen.strip, list.map((l) => ({
    kind: l.backfilled ? "backfilled" : l.complete ? "complete" : "short",
    parts: [shown(l.ledger_index), `${shown(l.txn_count)} tx`, `${shown(l.ours)} ours`, `fee ${shown(l.open_ledger_fee)}`],
  })));
  const oldest = [...list].reverse().filter((l) => l.close_time !== null);
  // All bars of a ledger together are its transactions.
  const { labels, sets } = seen.charts["chart-types"];
  assert.deepEqual(labels, oldest.map((l) => l.ledger_index));
  assert.deepEqual(oldest.map((_, n) => sets.reduce((sum, values) => sum + values[n], 0)), oldest.map((l) => Math.max(l.txn_count ?? 0, l.ours)));
  assert.ok(sets.length > 3, "several types have a colour of their own");
  assert.deepEqual(seen.charts["chart-interval"].sets[0].slice(1), oldest.slice(1).map((l, n) => l.close_time - oldest[n].close_time));
  assert.deepEqual(seen.charts["chart-fees"], {
    labels: oldest.map((l) => l.ledger_index), sets: [oldest.map((l) => l.open_ledger_fee), oldest.map((l) => l.queue_size)],
  });
}

function finality(seen, latency) {
  const { "chart-ms": ms, "chart-ledgers": inLedgers } = seen.charts;
  let below = 0;
  ms.sets[0].forEach((n, index) => {
    below += n;
    assert.equal(below, latency.finality_buckets_ms[index][1]);
  });
  assert.deepEqual(inLedgers, { labels: latency.finality_ledgers.map((p) => p[0]), sets: [latency.finality_ledgers.map((p) => p[1])] });
}

function coverage(seen, { reached, never }) {
  const counts = new Map(never.map((text) => [text.split(": ")[0], 0]));
  for (const { transaction_type: type, results } of reached) {
    counts.set(type, (counts.get(type) ?? 0) + Object.values(results).reduce((a, b) => a + b, 0));
  }
  assert.ok(reached.length > 5, "some combinations were reached");
  const shownCounts = seen.coverage.map(([type, ...cells]) => [type, cells.reduce((sum, text) => sum + (parseInt(text.replaceAll(",", ""), 10) || 0), 0)]);
  assert.deepEqual(Object.fromEntries(shownCounts), Object.fromEntries(counts));
}

function load(seen, answer) {
  const { by_type: types } = answer("/state/fuzz");
  const drawn_at_random = Object.values(types).flatMap((of) => Object.values(of)).reduce((a, b) => a + b, 0);
  assert.ok(drawn_at_random > 0, "some are drawn at random");
  assert.equal(seen.fuzz.reduce((a, n) => a + Number(n.replaceAll(",", "")), 0), drawn_at_random);
  const { outline, progress } = answer("/workload/scenario");
  assert.deepEqual(seen.stages, outline.stages.map((stage) => [stage.name, stage.pace]));
  assert.ok(seen.standing.startsWith(`Stage 1 of 1, ${progress.name}: ${progress.pace}`), seen.standing);
  const controls = answer("/workload/rate-controls");
  assert.deepEqual(seen.controls, [controls.target_tps, controls.max_pending, controls.intent.invalid, controls.fuzz]);
  const off = new Set(controls.disabled_types.map((type) => type.name));
  const why = answer("/state/diagnostics").types;
  const families = new Map(why.map((type) => [type.name, type.family]));
  const byName = (a, b) => a.name.localeCompare(b.name);
  assert.deepEqual(seen.types.sort(byName), controls.types
    .map((name) => ({ name, family: families.get(name), on: !off.has(name), weight: controls.weights[name] })).sort(byName));
  assert.ok(why.some((type) => type.why_not), "some type waits for something");
  assert.deepEqual(Object.fromEntries(seen.waits), Object.fromEntries(why.map((type) => [type.name, type.why_not ?? ""])));
}

// The API's own samples that a chart shows, found by the times below it.
async function timeline({ labels }, api) {
  const { samples } = await api("/state/timeline");
  const times = samples.map((sample) => new Date(sample.at_ms).toLocaleTimeString("en", { hour12: false }));
  const from = times.findIndex((_, n) => labels.every((label, k) => times[n + k] === label));
  assert.ok(labels.length >= 2 && from >= 0, "the timeline is drawn as the API has it");
  return samples.slice(from, from + labels.length);
}

export async function panels({ page, answers }, api) {
  await rounds(page, 1);
  let figures = 0;
  // Shows the view, checks every figure of it, and then what else there is to it.
  const check = async (name, rest) => {
    await view(page, name);
    // What only this view asks for has come too.
    await page.locator(`[data-view=${name}]:not(:has(.waiting))`).waitFor();
    const seen = await page.evaluate(snapshot);
    const answer = (path) => answerOf(answers, path, seen.round);
    numbers(seen, answer);
    figures += seen.numbers.length;
    await rest(seen, answer);
  };
  await check("overview", async (seen, answer) => {
    story(seen, answer("/state/summary"), answer("/workload/status"));
    finality(seen, answer("/state/latency"));
    const { "chart-throughput": throughput } = seen.charts;
    const same = await timeline(throughput, api);
    assert.deepEqual(throughput.sets[0], same.map((s) => s.validated_per_second));
    assert.deepEqual(throughput.sets[2], same.map((s) => s.pending));
    assert.deepEqual(seen.charts["chart-percentiles"].sets, ["p50", "p90", "p99"].map((part) => same.map((s) => s[`finality_ms_${part}`])));
  });
  await check("results", (seen, answer) => {
    matrix(seen, answer("/state/matrix"));
    heat(seen, answer("/state/matrix"));
    const codes = answer("/state/failure-codes").detail;
    assert.ok(codes.length > 0, "deliberately invalid ones have failed");
    assert.deepEqual(seen.failures, codes.map((c) => [c.code, shown(c.count), `${c.message} (${c.meaning})`]));
    coverage(seen, answer("/state/coverage"));
  });
  await check("ledgers", (seen, answer) => ledgers(seen, answer("/state/ledgers").ledgers));
  await check("accounts", (seen, answer) => {
    const { lanes } = answer("/state/lanes");
    assert.deepEqual(seen.lanes, lanes.map((l) => [l.account, l.role, shown(l.in_flight), shown(l.next_sequence), shown(l.free_tickets), l.reason ?? ""]));
  });
  await check("nodes", async (seen, answer) => {
    const nodes = answer("/health").endpoints;
    assert.deepEqual(seen.nodes, nodes.map((n) => [n.name, "answers", n.server_state, shown(n.validated), "0", n.last_error ?? ""]));
    const { amendments } = answer("/state/amendments");
    assert.ok(amendments.filter((one) => one.enabled).length > 40);
    assert.deepEqual(seen.amendments, amendments.map((one) => [one.name, one.enabled ? "enabled" : "not enabled", one.types.join(", ")]));
    const same = await timeline(seen.charts["chart-node"], api);
    assert.deepEqual(seen.charts["chart-node"].sets, ["load_factor", "lag_ledgers", "job_ms"].map((name) => same.map((s) => s.node[name])));
  });
  await check("load", load);
  assert.ok(figures > 45, `${figures} figures`);
}

// The runs of the store, and two of them side by side: here the present one with itself.
export async function runs({ page, errors }, api) {
  await view(page, "runs");
  const { runs: wanted, present } = await api("/runs");
  const rows = page.locator("#runs-table tbody tr");
  await rows.first().waitFor();
  assert.equal(await rows.count(), wanted.length);
  const link = rows.first().getByRole("link");
  assert.equal(await link.getAttribute("href"), `/runs/${present}/report`);
  await page.getByRole("button", { name: "Compare" }).click();
  await page.locator("#compare-said").filter({ hasText: "Choose a first and a second run." }).waitFor();
  for (const which of ["first", "second"]) await rows.first().getByRole("radio", { name: `as the ${which} one` }).check();
  await page.getByRole("button", { name: "Compare" }).click();
  // On a machine that has other things to do the load was not kept: then it says so.
  const table = page.locator("#compare-table tbody tr");
  const refused = page.locator("#compare-said").filter({ hasText: "cannot be compared" });
  await table.first().or(refused).waitFor();
  if (await refused.count() === 0) {
    assert.ok(await table.count() > 8);
    assert.ok((await table.first().textContent()).startsWith("validated_per_second"));
    assert.match(await page.locator("#compare-table caption").textContent(), /compared with/);
  } else {
    // The browser itself notes the refusal.
    assert.match(errors.pop() ?? "", /status of 409/);
  }
}
