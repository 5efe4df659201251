/* The form writes the YAML as it is changed; the YAML, however it came about, is checked as it is typed. Both happen on the
   server, which is the only one that knows the rules. Without this script the two buttons do the same. */
import { say } from "./acts.js";
import { answerOf } from "./answer.js";
import { formKey } from "./form_key.js";

const AGAIN_MS = 2000;
const form = document.querySelector("form.draft");
const yaml = form.elements.yaml;
const plan = form.querySelector("[data-plan]");
const start = form.querySelector("button[value=start]");
let timer = 0;
let latest = 0;

async function ask(what) {
  const mine = latest;
  const body = new FormData(form);
  body.set("do", what);
  body.set("csrfmiddlewaretoken", formKey());
  const found = await answerOf(form.dataset.check, { method: "POST", body }).then((answer) => answer.json()).catch(() => null);
  if (mine !== latest) return;
  if (found) {
    if (found.yaml !== null) yaml.value = found.yaml;
    plan.innerHTML = found.plan;
    start.disabled = !found.ok;
    delete plan.dataset.stale;
  } else if (what === "check") {
    start.disabled = false; // the server decides when it is back
  } else {
    say("The lab does not answer; the YAML is written from the form as soon as it does");
    timer = setTimeout(ask, AGAIN_MS, what);
  }
}

function soon(what, after) {
  latest += 1; // an answer under way is to what stood here before: it takes the place of nothing that was written since
  plan.dataset.stale = "";
  start.disabled = true; // the YAML is what is started, and it is not yet what was asked for
  clearTimeout(timer);
  timer = setTimeout(ask, after, what);
}
form.querySelector("[data-form]").addEventListener("input", () => soon("compose", 250));
yaml.addEventListener("input", () => soon("check", 500));
