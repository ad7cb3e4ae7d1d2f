// Views and their addresses: `#/transactions?type=Payment&tx=HASH`. The back button and a copied
// address lead to the same view; `tx` opens a transaction on top of any of them.

const VIEWS = ["overview", "load", "transactions", "results", "accounts", "ledgers", "nodes", "runs"];
const TITLES = Object.fromEntries(VIEWS.map((view) => [view, view[0].toUpperCase() + view.slice(1)]));
const listeners = [];

export function current() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const view = VIEWS.includes(path) ? path : "overview";
  return { view, params: Object.fromEntries(new URLSearchParams(query)) };
}

export function address(view, params = {}) {
  const given = Object.entries(params).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const query = new URLSearchParams(given).toString();
  return `#/${view === "overview" ? "" : view}${query ? `?${query}` : ""}`;
}

export function go(view, params = {}) {
  const wanted = address(view, params);
  if (location.hash !== wanted) location.hash = wanted;
  // At once, so that what is in the view can be focused; the event comes later.
  apply();
}

// Another parameter of the view that is shown.
export function set(name, value) {
  const { view, params } = current();
  go(view, { ...params, [name]: value });
}

export const onChange = (listener) => listeners.push(listener);

function apply() {
  const place = current();
  for (const view of document.querySelectorAll("[data-view]")) view.hidden = view.dataset.view !== place.view;
  for (const link of document.querySelectorAll("#views a")) {
    if (link.hash === address(place.view)) {
      link.setAttribute("aria-current", "page");
      // On a phone the views do not fit beside each other.
      const bar = link.parentElement;
      bar.scrollLeft = link.offsetLeft - (bar.clientWidth - link.offsetWidth) / 2;
    } else link.removeAttribute("aria-current");
  }
  document.title = `${TITLES[place.view]} - xrpl-workload`;
  for (const listener of listeners) listener(place);
}

export function start() {
  let shown = current().view;
  addEventListener("hashchange", () => {
    apply();
    // A new view begins at its top, and so does the keyboard; a transaction that opens leaves the place alone.
    if (current().view !== shown) {
      window.scrollTo(0, 0);
      // Who has gone to something in it already stays there.
      const on = document.activeElement;
      if (on === document.body || on.closest("[data-view][hidden]")) document.getElementById("main").focus({ preventScroll: true });
    }
    shown = current().view;
  });
  apply();
}
