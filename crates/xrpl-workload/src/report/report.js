// Draws the charts of a report from what stands in it.
"use strict";
{
  const drawn = JSON.parse(document.getElementById("drawn").textContent);
  const style = getComputedStyle(document.documentElement);
  const charts = [];
  const points = (values) => drawn.seconds.map((x, n) => ({ x, y: values[n] }));
  const line = (label, values, tone, more = {}) => ({
    label, data: points(values), tone, pointRadius: drawn.seconds.length > 1 ? 0 : 3, borderWidth: 2, spanGaps: true, ...more,
  });
  const axis = (title, more = {}) => ({ beginAtZero: true, title: { display: true, text: title }, ...more });
  const seconds = () => axis("seconds", { type: "linear", max: Math.max(1, drawn.seconds.at(-1) ?? 1), ticks: { maxTicksLimit: 8, includeBounds: false } });
  const right = (title) => axis(title, { position: "right", grid: { drawOnChartArea: false } });

  // Where each stage begins.
  const stages = {
    id: "stages",
    afterDraw(chart) {
      const { ctx, chartArea, scales } = chart;
      if (!scales.x || scales.x.type !== "linear") return;
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = style.getPropertyValue("--quiet");
      ctx.setLineDash([2, 4]);
      ctx.font = "11px system-ui, sans-serif";
      let free = -Infinity;
      for (const [at, name] of drawn.stages) {
        const x = scales.x.getPixelForValue(at);
        if (x < chartArea.left - 1 || x > chartArea.right) continue;
        ctx.beginPath(); ctx.moveTo(x, chartArea.top); ctx.lineTo(x, chartArea.bottom); ctx.stroke();
        if (x > free) {
          ctx.fillText(name, x + 4, chartArea.top + 11);
          free = x + 8 + ctx.measureText(name).width;
        }
      }
      ctx.restore();
    },
  };

  const paint = (chart) => {
    const colour = (name) => style.getPropertyValue(name).trim();
    for (const set of chart.data.datasets) set.borderColor = set.backgroundColor = colour(set.tone);
    for (const scale of Object.values(chart.options.scales)) {
      scale.ticks = { ...scale.ticks, color: colour("--quiet") };
      scale.title = { ...scale.title, color: colour("--quiet") };
      scale.grid = { ...scale.grid, color: colour("--line") };
    }
    chart.options.plugins.legend.labels.color = colour("--quiet");
  };
  const draw = (id, type, datasets, scales, labels) => {
    const canvas = document.getElementById(id);
    if (!canvas) return;
    const chart = new Chart(canvas, {
      type, data: { labels, datasets }, plugins: [stages],
      options: {
        animation: false, maintainAspectRatio: false, interaction: { mode: "index", intersect: false },
        plugins: { legend: { display: datasets.length > 1, labels: { color: "" } } }, scales,
      },
    });
    paint(chart);
    chart.update("none");
    charts.push(chart);
  };

  draw("throughput", "line", [
    line("sent / s", drawn.submitted, "--three", { borderDash: [2, 2] }),
    line("validated / s", drawn.validated, "--one"),
    line("in flight", drawn.pending, "--two", { yAxisID: "inFlight", borderDash: [6, 4] }),
  ], { x: seconds(), y: axis("a second"), inFlight: right("in flight") });
  draw("finality", "line", [
    line("half within", drawn.p50, "--one"), line("99 of 100 within", drawn.p99, "--two", { borderDash: [6, 4] }),
  ], { x: seconds(), y: axis("ms") });
  draw("spread", "bar", [{ label: "transactions", data: drawn.spread.map(([, n]) => n), tone: "--one" }],
    { x: axis("up to ms", { ticks: { maxTicksLimit: 10, maxRotation: 0 } }), y: axis("transactions") }, drawn.spread.map(([bound]) => bound));
  draw("queue", "line", [
    line("queue", drawn.queue, "--one", { stepped: true }),
    line("fee, drops", drawn.fee, "--two", { yAxisID: "fee", stepped: true, borderDash: [6, 4] }),
  ], { x: seconds(), y: axis("transactions"), fee: right("drops") });
  draw("ledgers", "line", [line("between ledgers", drawn.interval, "--one")], { x: seconds(), y: axis("ms") });

  const again = () => charts.forEach((chart) => { paint(chart); chart.resize(); chart.update("none"); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  addEventListener("beforeprint", again);
  addEventListener("afterprint", again);
  document.body.dataset.charts = charts.length;
}
