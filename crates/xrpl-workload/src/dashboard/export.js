// Each chart as PNG, CSV or JSON; each table as CSV or JSON. The values are those that are shown.

import { picture, rows as chartRows } from "./charts.js";
import { make } from "./dom.js";
import { whole } from "./virtual.js";

function save(name, blob) {
  const url = URL.createObjectURL(blob);
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

// A number is written as one, without the commas that help people read it.
function plain(cell) {
  const text = cell.textContent.trim();
  return cell.classList.contains("number") && /^-?[\d,]+(\.\d+)?$/.test(text) ? Number(text.replaceAll(",", "")) : text;
}

function tableRows(table) {
  const cells = (row) => [...row.cells].map(plain);
  const head = table.tHead?.rows[0] ? cells(table.tHead.rows[0]) : ["", "value"];
  // Head rows of groups span the table.
  const body = (whole(table) ?? [...table.tBodies].flatMap((of) => [...of.rows])).filter((row) => row.cells.length > 1);
  return [head, ...body.map(cells)];
}

const quote = (value) => (/[",\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value ?? ""));
const csv = (rows) => new Blob([rows.map((row) => row.map(quote).join(",")).join("\n") + "\n"], { type: "text/csv" });

function json([head, ...rows]) {
  const objects = rows.map((row) => Object.fromEntries(row.map((value, n) => [head[n] || `column_${n + 1}`, value])));
  return new Blob([JSON.stringify(objects, null, 2)], { type: "application/json" });
}

// One row of the menu: what is exported, and a button for each form.
function row(name, words, formats) {
  const buttons = Object.entries(formats).map(([format, work]) => {
    const button = make("button", { type: "button", textContent: format.toUpperCase(), "aria-label": `${words} as ${format.toUpperCase()}` });
    button.addEventListener("click", async () => {
      save(`${name}.${format}`, await work());
      button.closest("details").open = false;
    });
    return button;
  });
  return make("p", {}, make("span", { textContent: words }), ...buttons);
}

export function start() {
  for (const section of document.querySelectorAll("main section")) {
    const charts = [...section.querySelectorAll(".chart canvas")].map((canvas) => row(canvas.id, canvas.getAttribute("aria-label"), {
      png: () => picture(canvas.id), csv: () => csv(chartRows(canvas.id)), json: () => json(chartRows(canvas.id)),
    }));
    const tables = [...section.querySelectorAll("table[data-export]")].map((table) => row(table.id, table.dataset.export, {
      csv: () => csv(tableRows(table)), json: () => json(tableRows(table)),
    }));
    if (charts.length + tables.length === 0) continue;
    const title = section.querySelector("h2");
    const menu = make("details", { className: "export" }, make("summary", { textContent: "Export", "aria-label": `Export ${title.textContent}` }), make("div", {}, ...charts, ...tables));
    menu.addEventListener("keydown", (event) => { if (event.key === "Escape") menu.open = false; });
    title.after(menu);
  }
}
