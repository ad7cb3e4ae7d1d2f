// Who could send now, and why the others cannot.

import { by, dress, make, none, number, say, source } from "../dom.js";
import { address } from "../router.js";
import { virtual } from "../virtual.js";
import { linkTo } from "./transactions.js";

// All of them: those that cannot send come first.
const FROM = "/state/lanes?limit=10000";
export const SECTIONS = ["accounts"];
export const ASKS = [FROM];

let lanes = [];
let draw = () => {};

function build() {
  const cell = () => make("td", { className: "number" });
  return make("tr", {}, make("th", { scope: "row" }, linkTo("", {}, { className: "mono" })), make("td"), cell(), cell(), cell(), make("td"));
}

function fill(row, lane) {
  const account = row.firstChild.firstChild;
  if (account.textContent !== lane.account) {
    account.textContent = lane.account;
    account.href = address("transactions", { account: lane.account });
  }
  const values = [lane.role, number(lane.in_flight), number(lane.next_sequence), number(lane.free_tickets), lane.reason ?? ""];
  values.forEach((value, n) => say(row.children[n + 1], value));
  if (row.lastChild.title !== (lane.reason ?? "")) row.lastChild.title = lane.reason ?? "";
  dress(row.lastChild, lane.blocked ? "warn" : "");
}

function found() {
  const wanted = by("account-search").value.trim();
  return wanted ? lanes.filter((lane) => lane.account.includes(wanted) || lane.role.includes(wanted) || lane.reason?.includes(wanted)) : lanes;
}

function render() {
  const shown = found();
  none("lanes-scroll", shown.length === 0);
  say(by("lanes-none"), lanes.length === 0 ? "No account takes part yet." : "No account matches.");
  say(by("account-count"), shown.length < lanes.length ? `${number(shown.length)} of ${number(lanes.length)}` : "");
  draw();
}

export function start() {
  by("lanes-say").replaceChildren(
    make("b", { data: source("/state/lanes", "blocked"), textContent: "-" }), " of ",
    make("b", { data: source("/state/lanes", "total"), textContent: "-" }), " accounts cannot send now.",
  );
  draw = virtual(by("lanes-scroll"), by("lanes"), { items: found, key: (lane) => lane.account, build, fill });
  by("account-search").addEventListener("input", render);
}

export function show(answers) {
  const answer = answers[FROM];
  const [blocked, , total] = by("lanes-say").childNodes;
  say(blocked, number(answer.blocked));
  say(total, number(answer.total));
  ({ lanes } = answer);
  render();
}
