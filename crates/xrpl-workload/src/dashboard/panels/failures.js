// Final results other than success, in words.

import { by, keyed, link, make, number, say } from "../dom.js";
import { find } from "./transactions.js";

const NONE = { code: "", count: 0, message: "Nothing has failed.", meaning: "" };

function build(code) {
  const name = code.code ? link(code.code, () => find({ final: code.code })) : "";
  return make("tr", {}, make("th", { scope: "row" }, name), make("td", { className: "number", data: { code: code.code } }), make("td"));
}

function fill(row, code) {
  say(row.children[1], code.code ? number(code.count) : "");
  say(row.children[2], code.meaning ? `${code.message} (${code.meaning})` : code.message);
}

export function show(answers) {
  const codes = answers["/state/failure-codes"].detail;
  keyed(by("failure-table").tBodies[0], codes.length ? codes : [NONE], (code) => code.code, build, fill);
}
