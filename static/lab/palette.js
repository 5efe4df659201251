/* The palette: every command of the page with its key, every page of the lab, and whatever the lab knows by name. */
import { on } from "./acts.js";
import { label, owners, shown } from "./keys.js";

const PAUSE_MS = 80;
const MOST = 14;
const box = document.getElementById("palette");
const field = box?.querySelector("input");
const list = box?.querySelector("ul");
let rows = [];
let chosen = 0;
let turn = 0;
let timer = 0;

/** All words of the text stand in the title, in any order. */
const matches = (text, title) => text.toLowerCase().split(/\s+/).every((word) => title.toLowerCase().includes(word));

function commands() {
  const seen = new Set(["Control+K"]);
  return owners(document)
    .filter((element) => !element.closest("dialog") && !seen.has(element.getAttribute("aria-keyshortcuts")))
    .map((element) => {
      const name = element.getAttribute("aria-keyshortcuts").split(" ")[0];
      const run = () => (element.matches("input, textarea, select") ? element.focus() : element.click());
      return { title: label(element), kind: shown(name, element), run };
    })
    .filter((row) => row.title);
}

function pages() {
  return [...document.querySelectorAll(".topbar nav a")].map((link) => ({ title: link.textContent.trim(), kind: "page", href: link.href }));
}

function draw(found) {
  rows = found.slice(0, MOST);
  list.replaceChildren(...rows.map((row, at) => {
    const line = Object.assign(document.createElement("li"), { id: `palette-${at}` });
    line.setAttribute("role", "option");
    const title = Object.assign(document.createElement("span"), { className: "trim", textContent: row.title });
    const kind = Object.assign(document.createElement(row.run ? "kbd" : "small"), { textContent: row.kind });
    line.append(title, kind);
    return line;
  }));
  choose(0);
}

function choose(place) {
  chosen = rows.length ? (place + rows.length) % rows.length : 0;
  [...list.children].forEach((line, at) => line.setAttribute("aria-selected", at === chosen));
  list.children[chosen]?.scrollIntoView({ block: "nearest" });
  if (rows.length) field.setAttribute("aria-activedescendant", `palette-${chosen}`);
  else field.removeAttribute("aria-activedescendant");
}

async function look() {
  const mine = ++turn;
  const text = field.value.trim();
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
    if (by) choose(chosen + by);
    else if (event.key === "Enter") go();
    else return;
    event.preventDefault();
  });
  list.addEventListener("click", (event) => {
    const line = event.target.closest("li");
    if (!line) return;
    choose([...list.children].indexOf(line));
    go();
  });
}
