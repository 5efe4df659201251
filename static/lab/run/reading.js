/* Reading helpers: bodies of long runs on approach, agents shown, scrubbers, cited passages, copies. */
import { on, reveal, say } from "../acts.js";
import { textOf } from "../answer.js";
import { heldFocus } from "../focus.js";
import { copy } from "../lab.js";
import { entries, off, place, refresh, visible } from "./order.js";
import { current, go, letGo, prefer, select, steps } from "./steps.js";

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const column = $("#steps");

// -- long runs: a header becomes a card when the reader comes near, and a header again far away

const NEAR = "1200px 0px";
const MOST_OPEN = 300;
const AT_ONCE = 6;
const AGAIN_MS = 2000;
const opened = new Map(); // card -> its header, oldest first
const waiting = new Set();
let fetching = 0;

function pump() {
  for (const bare of waiting) {
    if (fetching >= AT_ONCE) return;
    waiting.delete(bare);
    if (!bare.isConnected) continue;
    fetching += 1;
    open(bare).finally(() => { fetching -= 1; pump(); });
  }
}

async function open(bare) {
  const html = await textOf(column.dataset.card.replace("/steps/0/", `/steps/${bare.id.slice(1)}/`));
  if (!bare.isConnected) return;
  if (html === null) return void setTimeout(() => near.observe(bare), AGAIN_MS);
  const box = document.createElement("template");
  box.innerHTML = html.trim(); // the server's own template, escaped there
  const card = box.content.firstElementChild;
  reveal(card);
  if (bare.hasAttribute("aria-current")) card.setAttribute("aria-current", "step");
  card.classList.toggle("off", bare.classList.contains("off"));
  card.hidden = bare.hidden;
  const refocus = heldFocus(bare);
  bare.replaceWith(card);
  refocus(card);
  opened.set(card, bare);
  prefer(card);
  close();
}

/* The selected step stays where it is while headers about it grow into cards. The browser's own anchor does not do
   that alone: it may be the header that goes. Whoever scrolls or selects says anew where it stays. */
const SCROLLING_MS = 300;
let parked = null;
let height = 0; // of the column when `parked` was taken
let scrolledAt = -SCROLLING_MS;
function park() {
  const here = current();
  const { top = 0, bottom = 0 } = here?.getBoundingClientRect() ?? {};
  parked = bottom > 20 && top < innerHeight - 20 ? { id: here.id, top } : null;
  height = column.offsetHeight;
}
function stay() {
  const here = current();
  const free = performance.now() - scrolledAt < SCROLLING_MS || document.body.classList.contains("focus");
  if (!free && parked && here?.id === parked.id) {
    const moved = here.getBoundingClientRect().top - parked.top;
    if (Math.abs(moved) >= 1) scrollBy({ top: moved, behavior: "instant" });
  }
  park();
}
if (column?.dataset.card) {
  new ResizeObserver(stay).observe(column);
  // Where the column has another height by now, it is not the reader who moved: that is for `stay`.
  addEventListener("scroll", () => column.offsetHeight === height && park(), { passive: true });
  for (const kind of ["wheel", "touchmove", "pointerdown"]) addEventListener(kind, () => { scrolledAt = performance.now(); }, { passive: true });
  document.addEventListener("step-selected", park);
}

/** The cards that were opened first and lie out of sight go back to their headers, so that a long read stays light. */
function close() {
  for (const [card, bare] of opened) {
    if (opened.size <= MOST_OPEN) return;
    const box = card.getBoundingClientRect();
    if (card.hasAttribute("aria-current") || card.contains(document.activeElement) || (box.bottom > -3000 && box.top < innerHeight + 3000)) continue;
    opened.delete(card);
    if (!card.isConnected) continue;
    bare.hidden = card.hidden;
    bare.classList.toggle("off", card.classList.contains("off"));
    bare.removeAttribute("aria-current");
    card.replaceWith(bare);
    near?.observe(bare);
  }
}

const near = column?.dataset.card
  ? new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) { near.unobserve(target); waiting.add(target); }
    }
    pump();
  }, { rootMargin: NEAR })
  : null;
const watch = (some) => some.forEach((step) => near && step.matches(".bare") && near.observe(step));
requestIdleCallback(() => watch(steps()));
document.addEventListener("steps-came", ({ detail }) => watch(detail));
document.addEventListener("step-selected", ({ detail }) => {
  if (!near || !detail.matches(".bare")) return;
  waiting.delete(detail);
  open(detail);
});

// -- agents shown: 1 to 4; what is hidden is counted

on("agent", (button) => {
  const { agent } = button.dataset;
  const shown = off.delete(agent) || !off.add(agent);
  button.setAttribute("aria-pressed", shown);
  refresh();
  count();
});
function count() {
  const hidden = off.size ? entries().filter((step) => off.has(step.agent)).length : 0;
  $("#hidden-note").textContent = hidden ? `Hidden: ${hidden} step${hidden === 1 ? "" : "s"} of ${[...off].join(", ")}` : "";
}
$("run-stream")?.addEventListener("run-event", () => off.size && count());

// -- scrubbers: the same agent's steps, the same attempt's steps

const LINES = {
  peers: (all, here) => all.filter((other) => other.agent === here.agent),
  siblings: (all, here) => all.filter((other) => other.attempt === here.attempt),
};
function scrubbers() {
  const all = visible();
  const here = all[place(all, current()?.id)];
  for (const [name, of] of Object.entries(LINES)) {
    const range = document.getElementById(name);
    if (!range || !here) continue;
    const line = of(all, here);
    range.max = line.length;
    range.value = line.indexOf(here) + 1;
    document.getElementById(`${name}-at`).textContent = `${range.value} of ${line.length}`;
  }
}
let scrubTimer = 0;
document.addEventListener("step-selected", () => {
  clearTimeout(scrubTimer);
  scrubTimer = setTimeout(scrubbers, 60);
});
scrubbers();
for (const [name, of] of Object.entries(LINES)) {
  document.getElementById(name)?.addEventListener("input", (event) => {
    const all = visible();
    const here = all[Math.max(0, place(all, current()?.id))];
    if (here) go(of(all, here)[event.target.value - 1]);
  });
}

// -- a cited passage flashes once

document.addEventListener("click", (event) => {
  const cite = event.target.closest("a[data-quote]");
  const step = cite && document.getElementById(cite.hash.slice(1));
  const words = cite?.dataset.quote.replace(/\s+/g, " ").trim();
  if (!step || !words) return;
  const first = words.split("\n")[0].slice(0, 60);
  const line = $$(".code li, .plan li, .note, .answer, .exemplar p", step).find((part) => part.textContent.replace(/\s+/g, " ").includes(first));
  if (!line) return;
  event.preventDefault();
  letGo();
  select(step);
  line.scrollIntoView({ block: "center" });
  line.classList.remove("flash");
  requestAnimationFrame(() => line.classList.add("flash"));
});

// -- copies

let copying = 0;
async function copyFrom(address) {
  const mine = ++copying; // the clipboard holds what was asked for last
  const text = await textOf(address);
  if (mine !== copying) return;
  if (text === null) say("This copy could not be made");
  else copy(text);
}
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-copy-from]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  copyFrom(link.href);
});
on("copy-step", () => {
  const step = current() ?? steps()[0];
  const tabs = step && $(".tabs a", step);
  if (tabs) copyFrom(`${new URL(tabs.href).pathname}copy/markdown/`);
});
