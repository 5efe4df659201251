/* The form writes the YAML, the YAML is checked: both on the server, a moment after the last key. */
const form = document.querySelector("form.draft");
const yaml = form.elements.yaml;
const gates = form.querySelector("[data-gates]");
const start = form.querySelector("button[value=start]");
let timer, latest = 0;

async function ask(what) {
  const mine = ++latest;
  const body = new FormData(form);
  body.set("do", what);
  gates.dataset.stale = "";
  try {
    const answer = await fetch(form.dataset.check, { method: "POST", body });
    if (!answer.ok) throw new Error(String(answer.status));
    const found = await answer.json();
    if (mine !== latest) return;
    if (found.yaml !== null) yaml.value = found.yaml;
    gates.innerHTML = found.plan;
    start.disabled = !found.ok;
    delete gates.dataset.stale;
  } catch {
    if (mine === latest) start.disabled = false; // the server decides when it is back
  }
}

function soon(what, after) {
  clearTimeout(timer);
  timer = setTimeout(() => ask(what), after);
}
form.querySelector("[data-form]").addEventListener("input", () => soon("compose", 300));
yaml.addEventListener("input", () => soon("check", 500));
