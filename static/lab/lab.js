/* What every page has: theme, keys and their sheet, copying, forms that are sent once. All of it progressive. */
import { bindKeys, exchangeKeys, redrawSheet, showSheet } from "./keys.js";
import { ownKeys, paint } from "./ownkeys.js";
import "./palette.js";
import { completeFields } from "./complete.js";
import { keepFresh } from "./refresh.js";
import { act, on, reveal, say } from "./acts.js";
import { formKey } from "./form_key.js";

on("theme", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  document.cookie = `theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax`;
});
on("help", showSheet);
on("keys-reset", () => {
  ownKeys.reset();
  redrawSheet();
});

document.addEventListener("click", (event) => {
  const copier = event.target.closest("[data-copy]");
  if (copier) copy(document.querySelector(copier.dataset.copy)?.textContent ?? "");
  const button = event.target.closest("[data-do]");
  if (button) act(button.dataset.do, button);
});

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    say("Copied");
  } catch {
    say("The browser did not allow copying");
  }
}

/* The cookie holds the key that counts. A live patch carries none of its own, for it is rendered once for all viewers; that of
   an older page is over where somebody has signed in anew meanwhile, in another tab. */
function withKey(form) {
  const key = formKey();
  if (form.method !== "post" || !key) return;
  let field = form.elements.csrfmiddlewaretoken;
  if (!field) form.append((field = Object.assign(document.createElement("input"), { type: "hidden", name: "csrfmiddlewaretoken" })));
  field.value = key;
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement)) return;
  withKey(form);
  if (!("once" in form.dataset)) return;
  if (form.dataset.once === "sent") event.preventDefault();
  form.dataset.once = "sent";
  form.querySelector(".btn.primary, .btn")?.setAttribute("aria-disabled", "true");
});
addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("[data-once=sent]").forEach((form) => {
    form.dataset.once = "";
    form.querySelector("[aria-disabled]")?.removeAttribute("aria-disabled");
  });
});

document.addEventListener("change", (event) => {
  const name = event.target.dataset?.tickAll;
  if (name) for (const box of document.getElementsByName(name)) box.checked = event.target.checked;
});

addEventListener("storage", (event) => ownKeys.keptIn(event.key) && paint()); // exchanged in another tab
reveal(document);
bindKeys();
exchangeKeys();
ownKeys.load();
keepFresh();
completeFields();
