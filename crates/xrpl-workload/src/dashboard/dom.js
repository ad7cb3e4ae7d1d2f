// Small helpers around the document. Text is only ever set as text, never as markup.

export const by = (id) => document.getElementById(id);

export function make(tag, options = {}, ...children) {
  const element = document.createElement(tag);
  const { data = {}, ...properties } = options;
  Object.assign(element.dataset, data);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "scope" || name.startsWith("aria-") || name === "role") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

// Kept: to make one for each number takes longer than everything else that a table does.
const NUMBERS = new Intl.NumberFormat("en", { maximumFractionDigits: 1, signDisplay: "negative" });
const TIMES = new Intl.DateTimeFormat("en", { hourCycle: "h23", hour: "2-digit", minute: "2-digit", second: "2-digit" });

export function number(value) {
  if (value === null || value === undefined) return "-";
  return NUMBERS.format(value);
}

export function at(object, path) {
  return path.split(".").reduce((value, key) => value?.[key], object);
}

// Where a number on the page comes from: the browser test reads these and asks the API itself.
export function source(from, path) {
  return { from, path };
}

// Sets text and leaves the document alone where nothing changed.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// A table that has no rows gives way to the words after it.
export function none(id, empty) {
  by(id).hidden = empty;
  by(id).nextElementSibling.hidden = !empty;
}

// The same of a class.
export function dress(element, className) {
  if (element.className !== className) element.className = className;
}

// Rows of two columns, kept by key so that a reader's place is not lost.
export function pairs(tbody, rows) {
  const known = new Map([...tbody.children].map((row) => [row.dataset.key, row]));
  const wanted = rows.map(([key, text, data, tone = ""]) => {
    let row = known.get(key);
    if (!row) {
      const cell = make("td", { className: "number", data });
      row = make("tr", { data: { key } }, make("th", { scope: "row", textContent: key }), cell);
    }
    say(row.lastChild, text);
    dress(row.lastChild, `number ${tone}`);
    return row;
  });
  arrange(tbody, wanted);
}

// Any rows, kept by key; `fill` is given the row and its value.
export function keyed(parent, items, key, build, fill) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const wanted = items.map((item) => {
    const name = String(key(item));
    const element = known.get(name) ?? build(item);
    element.dataset.key = name;
    fill(element, item);
    return element;
  });
  arrange(parent, wanted);
}

// Makes these the children. What is in its place stays there: taking all out and putting them back would
// have the browser lay everything out anew.
function arrange(parent, wanted) {
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  const kept = new Set(wanted);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  let next = parent.firstElementChild;
  for (const child of wanted) {
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
  }
  if (focused && focused !== document.activeElement && parent.contains(focused)) focused.focus();
}

export function link(text, action, options = {}) {
  const button = make("button", { type: "button", className: "link", textContent: text, ...options });
  button.addEventListener("click", action);
  return button;
}

export function tone(state) {
  if (state === "VALIDATED") return "good";
  if (["REJECTED", "EXPIRED", "FAILED_NET"].includes(state)) return "bad";
  return state === "RETRYABLE" ? "warn" : "";
}

export const short = (text) => (text.length > 16 ? `${text.slice(0, 8)}…${text.slice(-4)}` : text);
export const clock = (ms) => TIMES.format(ms);
