// Chart.js, set once: colours of the style sheet, no animation, points handed over as they are.

const charts = new Map();
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function paint(chart) {
  const { text, grid } = { text: colour("--quiet"), grid: colour("--line") };
  for (const set of chart.data.datasets) {
    set.borderColor = colour(set.tone);
    set.backgroundColor = colour(set.tone);
  }
  for (const scale of Object.values(chart.options.scales)) {
    scale.ticks = { ...scale.ticks, color: text };
    scale.title = { ...scale.title, color: text };
    scale.grid = { ...scale.grid, color: grid };
  }
  chart.options.plugins.legend.labels.color = text;
}

const scale = (title, more = {}) => ({ beginAtZero: true, title: { display: true, text: title }, ...more });

function create(id, type, sets, scales) {
  const datasets = sets.map((set) => ({ data: [], pointRadius: 0, borderWidth: 2, spanGaps: true, ...set }));
  const chart = new window.Chart(document.getElementById(id), {
    type,
    data: { labels: [], datasets },
    options: {
      animation: false, maintainAspectRatio: false, responsive: true,
      interaction: { mode: "index", intersect: false },
      plugins: { legend: { display: datasets.length > 1, labels: { color: "" } } },
      scales,
    },
  });
  paint(chart);
  chart.update("none");
  charts.set(id, chart);
}

export function start() {
  create("chart-throughput", "line", [
    { label: "validated / s", tone: "--one", yAxisID: "y" },
    { label: "in flight", tone: "--two", yAxisID: "inFlight", borderDash: [5, 3] },
  ], {
    x: { ticks: { maxTicksLimit: 6, maxRotation: 0 } }, y: scale("validated / s"),
    inFlight: scale("in flight", { position: "right", grid: { drawOnChartArea: false } }),
  });
  create("chart-percentiles", "line", [
    { label: "p50", tone: "--one" }, { label: "p90", tone: "--two", borderDash: [5, 3] },
    { label: "p99", tone: "--three", borderDash: [2, 2] },
  ], { x: { ticks: { maxTicksLimit: 6, maxRotation: 0 } }, y: scale("ms to validation, so far") });
  create("chart-ms", "bar", [{ label: "transactions", tone: "--one" }], { x: scale("up to ms"), y: scale("transactions") });
  create("chart-ledgers", "bar", [{ label: "transactions", tone: "--three" }], { x: scale("ledgers"), y: scale("transactions") });
  create("chart-fees", "line", [
    { label: "open-ledger fee, drops", tone: "--two", yAxisID: "y", stepped: true },
    { label: "queue", tone: "--three", yAxisID: "queue", borderDash: [5, 3] },
  ], {
    x: { ticks: { maxTicksLimit: 6, maxRotation: 0 } }, y: scale("drops"),
    queue: scale("queue", { position: "right", grid: { drawOnChartArea: false } }),
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const chart of charts.values()) {
      paint(chart);
      chart.update("none");
    }
  });
}

// Draws where something changed.
export function draw(id, labels, ...series) {
  const chart = charts.get(id);
  const print = JSON.stringify([labels, series]);
  if (!chart || chart.print === print) return;
  chart.print = print;
  chart.data.labels = labels;
  series.forEach((values, n) => { chart.data.datasets[n].data = values; });
  chart.update("none");
}
