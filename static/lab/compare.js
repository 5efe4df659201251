/* Comparing by keyboard: differences with n and p, parts with the arrows, one key to accept what was taken. */
import { on, say } from "./acts.js";

const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const boxes = () => $$(".take input[type=checkbox]");
const differences = () => $$("[data-difference]");
let at = -1;

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

/** Each step is corrected by a request of its own; the page is loaded again once all have answered. */
on("take-save", async () => {
  const forms = $$(".take").filter((form) => form.querySelector(":checked"));
  if (!forms.length) return say("Take at least one part first");
  for (const form of forms) {
    const response = await fetch(form.action, { method: "POST", body: new FormData(form), redirect: "manual" }).catch(() => null);
    if (response?.type !== "opaqueredirect") return say("The lab did not answer; nothing further was accepted. Press a again");
  }
  location.reload();
  return undefined;
});
document.addEventListener("change", (event) => event.target.matches(".take input") && show());
show();
