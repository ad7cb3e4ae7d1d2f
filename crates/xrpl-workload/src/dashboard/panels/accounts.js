// Who could send now, and why the others cannot.

import { by, keyed, link, make, number, say, source } from "../dom.js";
import { find } from "./transactions.js";

const FROM = "/state/lanes";

function build(lane) {
  const account = link(lane.account, () => find({ account: lane.account }), { className: "link mono" });
  const cell = () => make("td", { className: "number" });
  return make("tr", {}, make("th", { scope: "row" }, account), make("td"), cell(), cell(), cell(), make("td"));
}

function fill(row, lane) {
  const values = [lane.role, number(lane.in_flight), number(lane.next_sequence), number(lane.free_tickets), lane.reason ?? ""];
  values.forEach((value, n) => say(row.children[n + 1], value));
  row.lastChild.className = lane.blocked ? "warn" : "";
}

export function start() {
  by("lanes-say").replaceChildren(
    make("b", { data: source(FROM, "blocked"), textContent: "-" }), " of ",
    make("b", { data: source(FROM, "total"), textContent: "-" }), make("span", { textContent: " accounts cannot send now." }),
  );
}

export function show(answers) {
  const lanes = answers[FROM];
  const [blocked, , total, words] = by("lanes-say").childNodes;
  say(blocked, number(lanes.blocked));
  say(total, number(lanes.total));
  say(words, lanes.unavailable ? ` accounts: ${lanes.unavailable}` : " accounts cannot send now.");
  keyed(by("lanes").tBodies[0], lanes.lanes ?? [], (lane) => lane.account, build, fill);
}
