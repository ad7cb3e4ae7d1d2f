// Final results other than success, in words.

import { by, keyed, make, none, number, say } from "../dom.js";
import { linkTo } from "./transactions.js";

export const SECTIONS = ["failures"];
export const NEEDS = ["/state/failure-codes"];
function build(code) {
  const name = linkTo(code.code, { final: code.code });
  return make("tr", {}, make("th", { scope: "row" }, name), make("td", { className: "number", data: { code: code.code } }), make("td"));
}

function fill(row, code) {
  say(row.children[1], number(code.count));
  say(row.children[2], code.meaning ? `${code.message} (${code.meaning})` : code.message);
}

export function show(answers) {
  const codes = answers["/state/failure-codes"].detail;
  none("failures-scroll", codes.length === 0);
  keyed(by("failure-table").tBodies[0], codes, (code) => code.code, build, fill);
}
