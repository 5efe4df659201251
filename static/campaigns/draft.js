/* The form writes the YAML as it is changed; the YAML, however it came about, is checked as it is typed. Both happen on the
   server, which is the only one that knows the rules. Without this script the two buttons do the same. */
const form = document.querySelector("form.draft");
const yaml = form.elements.yaml;
const plan = form.querySelector("[data-plan]");
const start = form.querySelector("button[value=start]");
let timer, latest = 0;

async function ask(what) {
  const mine = ++latest;
  const body = new FormData(form);
  body.set("do", what);
  plan.dataset.stale = "";
  try {
    const answer = await fetch(form.dataset.check, { method: "POST", body });
    if (!answer.ok) throw new Error(String(answer.status));
    const found = await answer.json();
    if (mine !== latest) return;
    if (found.yaml !== null) yaml.value = found.yaml;
    plan.innerHTML = found.plan;
    start.disabled = !found.ok;
    delete plan.dataset.stale;
  } catch {
    if (mine === latest) start.disabled = false; // the server decides when it is back
  }
}

function soon(what, after) {
  clearTimeout(timer);
  timer = setTimeout(() => ask(what), after);
}
form.querySelector("[data-form]").addEventListener("input", () => soon("compose", 250));
yaml.addEventListener("input", () => soon("check", 500));
