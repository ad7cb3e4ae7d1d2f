// Long tables: only the rows in sight are in the document. Space above and below stands for the others.

import { keyed, make } from "./dom.js";

const ROW_PX = 32;
const BEYOND = 8;
// As many are drawn whatever the height: short lists need no measuring.
const FEW = 50;
// How to make all rows of each such table.
const wholes = new WeakMap();

function space(body, rows, columns) {
  const height = `${rows * ROW_PX}px`;
  if (body.dataset.height === height) return;
  body.dataset.height = height;
  if (!body.firstChild) body.append(make("tr", {}, make("td", { colSpan: columns })));
  body.firstChild.hidden = rows === 0;
  body.firstChild.firstChild.style.height = height;
}

// A table within its scroll box. `items` gives what there is to show, `fill` has a row that `build` made show one of them, `near` is called when the reader comes
// near the end.
export function virtual(box, table, { items, key, build, fill, near = () => {} }) {
  const [above, body, below] = table.tBodies;
  const columns = table.tHead.rows[0].cells.length;

  function draw() {
    const all = items();
    const windowed = all.length > FEW;
    const first = windowed ? Math.max(0, Math.min(Math.floor(box.scrollTop / ROW_PX) - BEYOND, all.length - 1)) : 0;
    const count = windowed ? Math.ceil(Math.max(box.clientHeight, (FEW / 2) * ROW_PX) / ROW_PX) + 2 * BEYOND : FEW;
    const shown = all.slice(first, first + count);
    space(above, first, columns);
    keyed(body, shown, key, build, fill);
    space(below, all.length - first - shown.length, columns);
  }

  // Once a frame, however many events there are in one.
  let due = false;
  box.addEventListener("scroll", () => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => {
      due = false;
      if (box.scrollTop + box.clientHeight > box.scrollHeight - 20 * ROW_PX) near();
      draw();
    });
  }, { passive: true });
  wholes.set(table, () => items().map((item) => {
    const row = build();
    row.dataset.key = key(item);
    fill(row, item);
    return row;
  }));
  return draw;
}

// All rows of such a table, those out of sight too; nothing of other tables.
export const whole = (table) => wholes.get(table)?.();
