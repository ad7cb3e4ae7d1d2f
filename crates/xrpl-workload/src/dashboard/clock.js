// The time that charts cover, and whether they stand still.

const listeners = [];
let seconds = 0;
let paused = false;

export const isPaused = () => paused;
export const onChange = (listener) => listeners.push(listener);

// Those of the chosen time, counted back from the newest; `at` reads milliseconds.
export function within(items, at) {
  if (seconds === 0 || items.length === 0) return items;
  const from = Math.max(...items.map(at)) - seconds * 1000;
  return items.filter((item) => at(item) >= from);
}

export function togglePause() {
  paused = !paused;
  document.getElementById("pause").setAttribute("aria-pressed", String(paused));
  document.body.classList.toggle("paused", paused);
  for (const listener of listeners) listener();
}

export function start() {
  document.getElementById("pause").addEventListener("click", togglePause);
  document.getElementById("range").addEventListener("change", (event) => {
    seconds = Number(event.target.value);
    for (const listener of listeners) listener();
  });
}
