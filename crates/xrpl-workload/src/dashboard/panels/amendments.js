// Which amendments the network has enabled, and which types of transactions cannot be sent without the others.

import { by, dress, keyed, make, number, say, short, source } from "../dom.js";

const FROM = "/state/amendments";
export const SECTIONS = ["amendments"];
export const ASKS = [FROM];

function build({ id }) {
  return make("tr", { title: id }, make("th", { scope: "row" }), make("td"), make("td"));
}

function fill(row, { name, id, enabled, types }) {
  const [title, standing, needed] = row.children;
  say(title, name ?? `${short(id)} (not known here)`);
  say(standing, enabled ? "enabled" : "not enabled");
  dress(standing, enabled ? "good" : types.length > 0 ? "bad" : "quiet");
  say(needed, types.join(", "));
}

export function start() {
  by("amendments-say").replaceChildren(
    make("b", { data: source(FROM, "enabled"), textContent: "-" }), " are enabled. ", make("span"),
  );
}

export function show(answers) {
  const { enabled, ruled_out: out, amendments } = answers[FROM];
  const [count, , words] = by("amendments-say").childNodes;
  say(count, number(enabled));
  say(words, out.length === 0 ? "All types of transactions can be sent." : `Types that cannot be sent without the others: ${out.join(", ")}.`);
  dress(words, out.length === 0 ? "" : "warn");
  keyed(by("amendment-table").tBodies[0], amendments, (one) => one.id, build, fill);
}
