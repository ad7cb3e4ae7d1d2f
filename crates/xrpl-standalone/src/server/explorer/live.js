// Draws the page anew when there is a new ledger, or something new in the open one. What the server
// says is put in place as it is; without this script every page works the same, but stands still.
const pill = document.getElementById("live");
let known = null;

async function look() {
  try {
    const { ledger_index: index, ledgers, open } = await (await fetch("/index.json")).json();
    const now = `${ledgers[0]?.ledger_hash} ${open.transactions.length}`;
    pill.textContent = `ledger ${index}`;
    pill.className = "pill good";
    if (known !== null && known !== now) await draw();
    known = now;
  } catch {
    pill.textContent = "not reachable";
    pill.className = "pill bad";
  }
}

async function draw() {
  const response = await fetch(location.href);
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  const main = document.getElementById("main");
  // Whoever marks text or stands on a link keeps it.
  if (!getSelection().isCollapsed || main.contains(document.activeElement)) return;
  main.replaceWith(fresh.getElementById("main"));
}

look();
setInterval(look, 1000);
