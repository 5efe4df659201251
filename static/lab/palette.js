/* The palette: every command of the page with its key, every page of the lab, and whatever the lab knows by name. */
import { on, say } from "./acts.js";
import { label, owners, shown } from "./keys.js";

const PAUSE_MS = 80;
const MOST = 14;
const box = document.getElementById("palette");
const field = box?.querySelector("input");
const list = box?.querySelector("ul");
let rows = [];
let chosen = 0;
let moved = false; // the reader has chosen a line of this text
let turn = 0;
let timer = 0;

/** All words of the text stand in the title, in any order. */
const matches = (text, title) => text.toLowerCase().split(/\s+/).every((word) => title.toLowerCase().includes(word));

/** A card or header may have been replaced since the list was drawn: what has the key now is pressed. */
function press(names) {
  const element = owners(document).find((one) => !one.closest("dialog") && one.getAttribute("aria-keyshortcuts") === names);
  if (!element) say("This is no longer on the page");
  else if (element.matches("input, textarea, select")) element.focus();
  else element.click();
}

function commands() {
  const seen = new Set(["Control+K"]);
  return owners(document)
    .filter((element) => !element.closest("dialog") && !seen.has(element.getAttribute("aria-keyshortcuts")))
    .map((element) => {
      const names = element.getAttribute("aria-keyshortcuts");
      return { title: label(element), kind: shown(names.split(" ")[0], element), run: () => press(names) };
    })
    .filter((row) => row.title);
}

function pages() {
  return [...document.querySelectorAll(".topbar nav a")].map((link) => ({ title: link.textContent.trim(), kind: "page", href: link.href }));
}

function draw(found) {
  const kept = moved ? rows[chosen] : null;
  rows = found.slice(0, MOST);
  list.replaceChildren(...rows.map((row, at) => {
    const line = Object.assign(document.createElement("li"), { id: `palette-${at}` });
    line.setAttribute("role", "option");
    const title = Object.assign(document.createElement("span"), { className: "trim", textContent: row.title });
    const kind = Object.assign(document.createElement(row.run ? "kbd" : "small"), { textContent: row.kind });
    line.append(title, kind);
    return line;
  }));
  // What the lab adds later undoes no choice.
  choose(Math.max(0, kept ? rows.findIndex((row) => row.title === kept.title && row.kind === kept.kind) : 0));
}

function choose(place) {
  chosen = rows.length ? (place + rows.length) % rows.length : 0;
  [...list.children].forEach((line, at) => line.setAttribute("aria-selected", at === chosen));
  list.children[chosen]?.scrollIntoView({ block: "nearest" });
  if (rows.length) field.setAttribute("aria-activedescendant", `palette-${chosen}`);
  else field.removeAttribute("aria-activedescendant");
}

async function look() {
  clearTimeout(timer);
  timer = 0;
  const mine = ++turn;
  const text = field.value.trim();
  moved = false;
  const here = [...commands(), ...pages()].filter((row) => !text || matches(text, row.title));
  draw(here);
  let places = [];
  try {
    const response = await fetch(`${box.dataset.places}?q=${encodeURIComponent(text)}`);
    if (response.ok) ({ places } = await response.json());
  } catch {
    return;
  }
  if (mine !== turn || !box.open) return;
  const number = /^(run\s*)?#?\d/i.test(text);
  draw(number ? [...places, ...here] : text ? [...here.slice(0, 6), ...places, ...here.slice(6)] : [...here, ...places]);
}

function go() {
  const row = rows[chosen];
  const text = field.value.trim();
  box.close();
  if (row?.run) row.run();
  else if (row) location.assign(row.href);
  else if (text) location.assign(`/go/?q=${encodeURIComponent(text)}`);
}

if (box) {
  on("palette", () => {
    if (box.open) return;
    field.value = document.querySelector(".search input")?.value ?? "";
    box.showModal();
    field.focus();
    look();
  });
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE_MS);
  });
  field.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by && event.key !== "Enter") return;
    event.preventDefault();
    if (timer) look(); // the list is still that of what was typed before
    if (!by) return go();
    moved = true;
    choose(chosen + by);
  });
  list.addEventListener("click", (event) => {
    const line = event.target.closest("li");
    if (!line) return;
    choose([...list.children].indexOf(line));
    go();
  });
}
