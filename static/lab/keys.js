/* One keyboard grammar, read off the page: a key belongs to the element whose aria-keyshortcuts names it, and pressing
   it clicks (or focuses) that element. The sheet is generated from the same attributes, so it cannot be wrong. */
import { ownKeys, pressedInstead } from "./ownkeys.js";

const TWICE_MS = 600;
let pressedAt = 0;

function spelled(event) {
  const key = event.key === " " ? "Space" : event.key;
  const parts = [];
  if (event.ctrlKey || event.metaKey) parts.push("Control");
  // Shift is part of a sign such as ? or :, but is spelled out before a letter.
  if (event.shiftKey && (/^\p{L}$/u.test(key) || key.length > 1)) parts.push("Shift");
  parts.push(/^\p{L}$/u.test(key) ? (parts.length ? key.toUpperCase() : key) : key);
  return parts.join("+");
}

function typing(target) {
  return target instanceof Element && target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable=true]");
}

export function owners(root) {
  return [...root.querySelectorAll("[aria-keyshortcuts]")].filter((element) => !element.disabled);
}

/** A modal dialog is a surface of its own: only its keys work while it is open. */
function surface() {
  return [...document.querySelectorAll("dialog[open]")].at(-1) ?? document;
}

export function bindKeys() {
  addEventListener("keydown", (event) => {
    // AltGr writes signs on many keyboards; it arrives as Control+Alt and is no modifier here.
    const altGraph = event.getModifierState("AltGraph");
    if (event.altKey && !altGraph) return;
    const name = ownKeys.meaning(altGraph ? event.key : spelled(event));
    if (typing(event.target) && !name.startsWith("Control+")) return;
    if (["Space", "Enter"].includes(name) && event.target instanceof Element && event.target.closest("button, a, summary, label, input")) return;
    const owner = owners(surface()).find((element) => element.getAttribute("aria-keyshortcuts").split(" ").includes(name));
    if (!owner) return;
    if ("twice" in owner.dataset) {
      const now = event.timeStamp; // of the press: a page that is busy may come to it late
      const second = !event.repeat && now - pressedAt < TWICE_MS;
      pressedAt = event.repeat || second ? 0 : now;
      if (!second) return;
    }
    event.preventDefault();
    if (owner.matches("input, textarea, select") && !owner.dataset.do) {
      owner.focus();
      owner.select?.();
    } else {
      owner.click();
    }
  });
}

export function shown(name, element) {
  const signs = { Control: "Ctrl", Enter: "⏎", ArrowLeft: "←", ArrowRight: "→" };
  const parts = pressedInstead(name).split("+").map((part) => signs[part] ?? part);
  const text = parts[0] === "Shift" && parts[1]?.length === 1 ? parts[1] : parts.join(" ");
  return "twice" in element.dataset ? `${text} ${text}` : text;
}

export function label(element) {
  const words = element.getAttribute("aria-label") ?? [...element.childNodes].filter((node) => node.nodeName !== "KBD").map((node) => node.textContent).join(" ");
  return words.replace(/\s+/g, " ").trim() || element.placeholder || "";
}

export function showSheet() {
  const sheet = document.getElementById("key-sheet");
  if (!sheet) return;
  if (sheet.open) return sheet.close();
  return redrawSheet();
}

/** With the focus on the key that the lab calls `name`, if there is one. */
export function redrawSheet(name = "") {
  const sheet = document.getElementById("key-sheet");
  const list = sheet.querySelector("dl");
  list.replaceChildren(
    ...owners(document).flatMap((element) => {
      const key = document.createElement("dt");
      for (const usual of element.getAttribute("aria-keyshortcuts").split(" ")) {
        const cap = document.createElement("kbd");
        cap.textContent = shown(usual, element);
        cap.dataset.key = usual;
        const exchange = Object.assign(document.createElement("button"), { type: "button", className: "cap", title: `Exchange the key of: ${label(element)}` });
        exchange.append(cap);
        key.append(exchange, " ");
      }
      const words = document.createElement("dd");
      words.textContent = label(element);
      return [key, words];
    }),
  );
  if (!sheet.open) sheet.showModal();
  if (name) list.querySelector(`kbd[data-key="${CSS.escape(name)}"]`)?.parentElement.focus();
}

/* In the sheet a click on a key asks for another one to press instead. */
export function exchangeKeys() {
  const sheet = document.getElementById("key-sheet");
  sheet?.addEventListener("click", (event) => {
    const cap = event.target.closest(".cap")?.firstElementChild;
    if (!cap) return;
    for (const other of sheet.querySelectorAll("kbd.waits")) other.classList.remove("waits");
    cap.classList.add("waits");
    cap.textContent = "press a key";
  });
  sheet?.addEventListener("keydown", (event) => {
    const cap = sheet.querySelector("kbd.waits");
    if (!cap || ["Shift", "Control", "Alt", "Meta", "AltGraph"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    if (!["Escape", "Tab", "Enter"].includes(event.key)) ownKeys.exchange(cap.dataset.key, spelled(event));
    redrawSheet(cap.dataset.key);
  });
}
