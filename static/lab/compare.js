/* Comparing by keyboard: differences with n and p, parts with the arrows, one key to accept what was taken. */
import { on, say } from "./acts.js";
import { formKey } from "./form_key.js";

const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const boxes = () => $$(".take input[type=checkbox]");
const differences = () => $$("[data-difference]");
let at = -1;
let saving = false;

function show() {
  const all = boxes();
  document.getElementById("taken").textContent = all.filter((box) => box.checked).length;
  document.getElementById("parts").textContent = all.length;
  for (const box of all) box.closest("label").classList.toggle("taken", box.checked);
}

function go(by) {
  const all = differences();
  if (!all.length) return say("There is no difference");
  at = Math.max(0, Math.min(all.length - 1, at + by));
  for (const other of all) other.removeAttribute("aria-current");
  all[at].setAttribute("aria-current", "true");
  all[at].scrollIntoView({ block: "center" });
  return undefined;
}

on("difference-next", () => go(1));
on("difference-previous", () => go(-1));
on("take-next", () => {
  const next = boxes().find((box) => !box.checked);
  if (!next) return say("Every part is taken");
  next.checked = true;
  next.closest("label").scrollIntoView({ block: "nearest" });
  show();
  return undefined;
});
on("take-none", () => {
  const last = boxes().filter((box) => box.checked).at(-1);
  if (last) last.checked = false;
  show();
});
on("take-below", () => {
  const all = boxes();
  const first = Math.max(0, all.findIndex((box) => box.checked));
  all.slice(first).forEach((box) => { box.checked = true; });
  show();
});

/** Each step is corrected by a request of its own; the page is loaded again once all have answered. What is taken in the
    meantime would be lost with the page: the boxes rest until then. */
on("take-save", async () => {
  if (saving) return say("This is being accepted");
  const forms = $$(".take").filter((form) => form.querySelector(":checked")).map((form) => [form.action, new FormData(form)]);
  if (!forms.length) return say("Take at least one part first");
  rest(true);
  const refused = await accept(forms);
  if (!refused) return location.reload();
  rest(false);
  return say(refused);
});

function rest(now) {
  saving = now;
  for (const box of boxes()) box.disabled = now;
}

/** A sentence where they were not all accepted. */
async function accept(forms) {
  for (const [address, body] of forms) {
    // Signing in again, in another tab, exchanges the key of every form: the cookie holds the one that counts.
    body.set("csrfmiddlewaretoken", formKey());
    const response = await fetch(address, { method: "POST", body, headers: { accept: "application/json" }, redirect: "manual" }).catch(() => null);
    // Sent elsewhere, or refused as a stranger's: the session is over, and what is taken here stays chosen.
    if (response?.type === "opaqueredirect" || response?.status === 403) return "You are signed out; nothing further was accepted. Sign in again in another tab, then press a";
    if (!response?.ok) return "The lab did not answer; nothing further was accepted. Press a again";
  }
  return "";
}
document.addEventListener("change", (event) => event.target.matches(".take input") && show());
show();
