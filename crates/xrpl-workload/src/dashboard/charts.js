// Chart.js, set once: colours of the style sheet, no animation, points handed over as they are.

import * as clock from "./clock.js";
import { onChange as onTheme } from "./theme.js";

const charts = new Map();
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function paintSets(chart) {
  for (const set of chart.data.datasets) {
    set.borderColor = colour(set.tone);
    set.backgroundColor = colour(set.tone);
  }
}

function paint(chart) {
  const { text, grid } = { text: colour("--quiet"), grid: colour("--line") };
  paintSets(chart);
  // What was written, not what Chart.js makes of it: a copy of the latter refers to itself.
  const { scales, plugins } = chart.config.options;
  for (const scale of Object.values(scales)) {
    (scale.ticks ??= {}).color = text;
    (scale.title ??= {}).color = text;
    (scale.grid ??= {}).color = grid;
  }
  plugins.legend.labels.color = text;
}

const scale = (title, more = {}) => ({ beginAtZero: true, title: { display: true, text: title }, ...more });
// Of things that are counted there are no halves.
const counts = (title, more = {}) => scale(title, { ticks: { precision: 0 }, ...more });
const time = (more = {}) => ({ ticks: { maxTicksLimit: 6, maxRotation: 0 }, grid: { display: false }, ...more });
const dataset = (set) => ({ data: [], pointRadius: 0, borderWidth: 2, spanGaps: true, ...set });

// A chart in a view that is not shown has no size; it is drawn when it is.
// Asked of the view: to ask the canvas for its size would have everything laid out in the middle of a round.
const visible = (chart) => !chart.canvas.closest("[data-view]").hidden;

// A chart without a point says so in its middle.
const nothing = {
  id: "nothing",
  afterDraw({ ctx, chartArea: area, data }) {
    if (data.datasets.some((set) => set.data.some((value) => value !== null && value !== undefined))) return;
    ctx.save();
    ctx.fillStyle = colour("--quiet");
    ctx.textAlign = "center";
    ctx.fillText("Nothing to show yet", (area.left + area.right) / 2, (area.top + area.bottom) / 2);
    ctx.restore();
  },
};

function create(id, type, sets, scales) {
  const datasets = sets.map(dataset);
  const chart = new window.Chart(document.getElementById(id), {
    type,
    plugins: [nothing],
    data: { labels: [], datasets },
    options: {
      animation: false, maintainAspectRatio: false, responsive: true,
      interaction: { mode: "index", intersect: false },
      plugins: { legend: { display: datasets.length !== 1, labels: { color: "", boxWidth: 16, boxHeight: type === "line" ? 0 : 10 } } },
      scales,
    },
  });
  paint(chart);
  charts.set(id, chart);
}

function redraw() {
  for (const chart of charts.values()) {
    if (!visible(chart)) continue;
    chart.resize();
    chart.update("none");
  }
}

export function start() {
  create("chart-throughput", "line", [
    { label: "validated / s", tone: "--good", yAxisID: "y" },
    { label: "target / s", tone: "--quiet", yAxisID: "y", borderDash: [6, 4], borderWidth: 1 },
    { label: "in flight", tone: "--two", yAxisID: "inFlight", borderDash: [5, 3] },
  ], {
    x: time(), y: scale("transactions / s"),
    inFlight: counts("in flight", { position: "right", grid: { drawOnChartArea: false } }),
  });
  create("chart-percentiles", "line", [
    { label: "p50", tone: "--one" }, { label: "p90", tone: "--two", borderDash: [5, 3] },
    { label: "p99", tone: "--five", borderDash: [2, 2] },
  ], { x: time(), y: scale("ms until validated") });
  create("chart-ms", "bar", [{ label: "transactions", tone: "--one" }], { x: scale("up to ms"), y: counts("transactions") });
  create("chart-ledgers", "bar", [{ label: "transactions", tone: "--one" }], { x: scale("ledgers"), y: counts("transactions") });
  create("chart-types", "bar", [], { x: time({ stacked: true }), y: counts("transactions", { stacked: true }) });
  create("chart-interval", "bar", [{ label: "seconds", tone: "--six" }], { x: time(), y: scale("seconds") });
  create("chart-node", "line", [
    { label: "load factor", tone: "--one", yAxisID: "y" }, { label: "ledgers behind", tone: "--two", yAxisID: "y", borderDash: [5, 3] },
    { label: "longest job, ms", tone: "--four", yAxisID: "job", borderDash: [2, 2] },
  ], {
    x: time(), y: scale("factor, ledgers"),
    job: scale("ms", { position: "right", grid: { drawOnChartArea: false } }),
  });
  create("chart-fees", "line", [
    { label: "open-ledger fee, drops", tone: "--two", yAxisID: "y", stepped: true },
    { label: "queue", tone: "--four", yAxisID: "queue", borderDash: [5, 3] },
  ], {
    x: time(), y: scale("drops"),
    queue: counts("queue", { position: "right", grid: { drawOnChartArea: false } }),
  });
  onTheme(() => {
    for (const chart of charts.values()) paint(chart);
    redraw();
  });
}

export const shown = redraw;

// Draws where something changed; not while the reader has paused.
export function draw(id, labels, ...series) {
  const chart = charts.get(id);
  const print = JSON.stringify([labels, series]);
  if (!chart || clock.isPaused() || chart.print === print) return;
  chart.print = print;
  chart.data.labels = labels;
  series.forEach((values, n) => { chart.data.datasets[n].data = values; });
  if (visible(chart)) chart.update("none");
}

// The same with datasets of its own: [label, tone, values].
export function drawSets(id, labels, sets) {
  const chart = charts.get(id);
  const print = JSON.stringify([labels, sets]);
  if (clock.isPaused() || chart.print === print) return;
  chart.print = print;
  chart.data.labels = labels;
  chart.data.datasets = sets.map(([label, tone, data]) => dataset({ label, tone, data, borderWidth: 0 }));
  paintSets(chart);
  if (visible(chart)) chart.update("none");
}

// What a chart shows, as rows with a head.
export function rows(id) {
  const { labels, datasets } = charts.get(id).data;
  return [["", ...datasets.map((set) => set.label)], ...labels.map((label, n) => [label, ...datasets.map((set) => set.data[n] ?? "")])];
}

// A chart as a picture, on the ground that it has on the page.
export function picture(id) {
  const { canvas } = charts.get(id);
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const context = copy.getContext("2d");
  context.fillStyle = colour("--card");
  context.fillRect(0, 0, copy.width, copy.height);
  context.drawImage(canvas, 0, 0);
  return new Promise((done) => copy.toBlob(done, "image/png"));
}
