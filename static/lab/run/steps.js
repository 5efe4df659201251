/* Reading steps: selection, views, folding, focus, finding, following the tail. */
import { on, say } from "../acts.js";
import { answerOf, textOf } from "../answer.js";
import { dialogsClosed } from "../dialogs.js";
import { copy } from "../lab.js";
import { bring, entries, hold as holdOnly, long, place, visible } from "./order.js";

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
export const steps = () => $$("#steps > .step");
export const current = () => $(".step[aria-current]");
const stream = () => $("run-stream");

// -- selection

let going = null; // where the reader is on the way to while its header comes

export function select(step, { scroll = true, keep = true } = {}) {
  if (!step) return;
  going = null;
  for (const other of $$(".step[aria-current], #outline [aria-current]")) other.removeAttribute("aria-current");
  step.setAttribute("aria-current", "step");
  const row = $(`#o${step.id.slice(1)} a`);
  row?.setAttribute("aria-current", "step");
  if (scroll) step.scrollIntoView({ block: document.body.classList.contains("focus") ? "start" : "nearest" });
  keepInSight(row);
  $("lane-timeline")?.mark?.(step.id);
  if (keep) history.replaceState(null, "", `${location.pathname}${location.search}#${step.id}`);
  if (preferred && !step.matches(".bare")) openTab(step, preferred);
  document.dispatchEvent(new CustomEvent("step-selected", { detail: step }));
}

/** Scrolls the outline alone; scrollIntoView would move the page with it. */
function keepInSight(row) {
  const box = $(".outline");
  if (!row || !box) return;
  const [inside, outside] = [row.getBoundingClientRect(), box.getBoundingClientRect()];
  if (inside.top < outside.top + 44) box.scrollTop += inside.top - outside.top - 44;
  else if (inside.bottom > outside.bottom) box.scrollTop += inside.bottom - outside.bottom;
}

/** Select the step of `entry`, at once where its header is in the document. False where the reader has not come there. */
export async function go(entry, options) {
  if (!entry) return false;
  letGo();
  going = entry.element ? null : entry;
  if (going) {
    await bring(entry);
    await dialogsClosed(); // what is said in one is about the step that it was opened on
    if (going !== entry) return false; // the reader has gone on
    going = null;
  }
  select(entry.element, options);
  return Boolean(entry.element);
}
const standing = () => going?.id ?? current()?.id;

function move(by) {
  const list = visible();
  const at = place(list, standing());
  const start = at < 0 ? (by > 0 ? -1 : list.length) : at;
  go(list[Math.max(0, Math.min(list.length - 1, start + by))]);
}

/** The next step after (or before) the current one, in the order of the page, that passes `test`. */
export function seek(by, test) {
  const all = visible();
  const at = place(all, standing());
  const rest = by > 0 ? all.slice(at + 1) : all.slice(0, Math.max(0, at)).reverse();
  const found = rest.find(test);
  letGo();
  if (found) go(found);
  else say(by > 0 ? "None further down" : "None further up");
}

const LANES = ["retrieval", "planning", "coding", "debugging", "supervisor", "judge"];
function lane(by) {
  const all = visible();
  const here = all[Math.max(0, place(all, standing()))];
  if (!here) return;
  const present = LANES.filter((name) => all.some((step) => step.agent === name));
  const wanted = present[present.indexOf(here.agent) + by];
  if (!wanted) return say("No further lane");
  const at = all.indexOf(here);
  let nearest = null;
  all.forEach((step, k) => { if (step.agent === wanted && (nearest === null || Math.abs(k - at) < Math.abs(nearest - at))) nearest = k; });
  go(all[nearest]);
}

on("next", () => move(1));
on("previous", () => move(-1));
on("first", () => go(visible()[0]));
on("last", async () => { if (await go(visible().at(-1))) hold(); });
const agentHere = () => current()?.dataset.agent;
on("peer-next", () => seek(1, (step) => step.agent === agentHere()));
on("peer-previous", () => seek(-1, (step) => step.agent === agentHere()));
on("flag-next", () => seek(1, (step) => step.flagged));
on("flag-previous", () => seek(-1, (step) => step.flagged));
on("lane-up", () => lane(-1));
on("lane-down", () => lane(1));
on("go", () => {
  const dialog = $("#go-dialog");
  dialog.returnValue = ""; // of the last time; Escape sets none
  dialog.querySelector("input").value = "";
  dialog.showModal();
});
$("#go-dialog")?.addEventListener("close", ({ target: dialog }) => {
  if (dialog.returnValue !== "go") return;
  const number = dialog.querySelector("input").value.replace(/\D/g, "");
  const all = entries();
  const wanted = number && all[place(all, `s${number}`)];
  if (wanted) go(wanted);
  else if (number) say(`There is no step ${number}`);
});
on("copy-link", () => copy(`${location.origin}${location.pathname}#${(current() ?? steps()[0])?.id ?? ""}`));

// A click on a step selects it without moving anything.
$("#steps")?.addEventListener("pointerdown", (event) => {
  const step = event.target.closest(".step");
  if (step && step !== current()) select(step, { scroll: false });
});

// -- views (tabs): what is not on the card is fetched when opened; the chosen view stays the same from step to step

let preferred = "";
const GUTTER = 52; // pixels of the line numbers

/** A card that has come in place of its header opens as the reader has chosen. */
export function prefer(card) {
  if (preferred && card.hasAttribute("aria-current")) openTab(card, preferred);
}

function openTab(step, name) {
  const link = $(`.tabs [data-tab="${CSS.escape(name)}"]`, step);
  if (!link) return;
  for (const other of $$(".tabs a", step)) other.toggleAttribute("aria-current", other === link);
  link.setAttribute("aria-current", "true");
  step.dataset.tab = name;
  let pane = $(`[data-pane="${CSS.escape(name)}"]`, step);
  if (pane && "failed" in pane.dataset) {
    pane.remove();
    pane = null;
  }
  if (!pane) {
    pane = Object.assign(document.createElement("div"), { className: "pane" });
    pane.dataset.pane = name;
    pane.innerHTML = '<div class="skel"></div><div class="skel"></div><div class="skel"></div>';
    $(".step-c", step).append(pane);
    load(pane, link.href);
  }
  for (const other of $$(".pane", step)) other.hidden = other !== pane;
}

async function load(pane, address) {
  const url = new URL(address);
  url.searchParams.set("fragment", "1");
  try {
    pane.innerHTML = await (await answerOf(url)).text(); // the server's own template, escaped there
    $$("[data-needs-script][hidden]", pane).forEach((element) => (element.hidden = false));
  } catch (error) {
    pane.innerHTML = "";
    const sorry = Object.assign(document.createElement("p"), { className: "step-b muted sm" });
    sorry.textContent = `This view could not be loaded (${error.message}). Choose it again to try once more.`;
    pane.append(sorry);
    pane.dataset.failed = "";
  }
}

$("#steps")?.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return; // new tab and window stay the browser's
  const tab = event.target.closest(".tabs [data-tab]");
  if (tab) {
    event.preventDefault();
    preferred = tab.dataset.tab;
    openTab(tab.closest(".step"), preferred);
    return;
  }
  const line = event.target.closest(".code li[id]");
  if (line && event.target === line && event.offsetX < GUTTER) {
    location.hash = line.id; // a link to this line, to be copied from the address
    return;
  }
  const test = event.target.closest(".cases a");
  if (test) {
    event.preventDefault();
    showCase(test);
  }
});

async function showCase(link) {
  for (const other of $$(".cases a[aria-current]", link.closest(".cases"))) other.removeAttribute("aria-current");
  link.setAttribute("aria-current", "true");
  const url = new URL(link.href);
  url.searchParams.set("fragment", "1");
  const html = await textOf(url);
  const chosen = $(`.cases a[aria-current][href="${CSS.escape(link.getAttribute("href"))}"]`); // on the card as it is now
  if (!chosen) return; // another one was chosen meanwhile
  $(".case-slot", chosen.closest(".step")).innerHTML = html ?? '<p class="step-b muted sm">This test could not be loaded. Choose it again to try once more.</p>';
}

// -- folding and focus

const fold = (step, closed) => step?.classList.toggle("closed", closed);
on("fold", () => fold(current() ?? steps()[0]));
on("fold-all", () => {
  const closed = steps().some((step) => !step.classList.contains("closed"));
  steps().forEach((step) => fold(step, closed));
  current()?.scrollIntoView({ block: "nearest" });
});
on("focus", (button) => {
  const focused = document.body.classList.toggle("focus");
  button.setAttribute("aria-pressed", focused);
  if (!current()) select(steps()[0]);
  const url = new URL(location.href);
  if (focused) url.searchParams.set("focus", "1");
  else url.searchParams.delete("focus");
  history.replaceState(null, "", url);
  current()?.scrollIntoView({ block: "start" });
});
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || $("dialog[open]")) return;
  const find = $(".find input");
  if (find && document.activeElement === find) {
    find.value = "";
    find.dispatchEvent(new Event("input"));
    find.blur();
  } else if (document.body.classList.contains("focus")) {
    $('[data-do="focus"]').click();
  }
});

// -- finding: hides the outline rows and cards that do not hold the words; of a long run the lab looks, for not all is here

const ASK_MS = 250;
let asking = 0; // timer of a search that is about to be asked for
let asked = 0;
let looking = null; // promise of the search that was asked for last: whether it came and is the last still

function found(ids) {
  holdOnly(ids);
  $(".find output").textContent = ids ? `${ids.size} of ${entries().length}${long ? ", found by the lab" : ""}` : "";
}

async function lookFor(words) {
  const mine = (asked += 1);
  $(".find output").textContent = "looking …";
  const answer = await answerOf(`${$("#steps").dataset.find}?q=${encodeURIComponent(words)}`).then((response) => response.json()).catch(() => null);
  if (mine !== asked) return false;
  if (!answer) $(".find output").textContent = "The lab could not be asked";
  else found(new Set(answer.steps.map((number) => `s${number}`)));
  return Boolean(answer);
}

function look(words) {
  asking = 0;
  looking = lookFor(words);
}

/** To the first step that holds what stands in the field now: the lab may not have answered yet. */
async function goToFound(words) {
  if (asking) {
    clearTimeout(asking);
    look(words);
  }
  const from = standing();
  if (looking && !(await looking)) return;
  if (standing() === from) go(visible()[0]);
}

$(".find input")?.addEventListener("input", (event) => {
  const words = event.target.value.trim().toLowerCase();
  clearTimeout(asking);
  asking = 0;
  if (!words) {
    asked += 1;
    looking = null;
    found(null);
  } else if (long) {
    asking = setTimeout(look, ASK_MS, words);
  } else {
    found(new Set(steps().filter((step) => step.textContent.toLowerCase().includes(words)).map((step) => step.id)));
  }
});
$(".find input")?.addEventListener("keydown", (event) => {
  if (event.key === "Enter") { goToFound(event.target.value.trim().toLowerCase()); event.target.blur(); }
});

// -- following the tail: begins when the run is live and the page short, ends only when the reader moves

let following = false;
let settled = 0;
let unseen = 0;
const end = $("#tail-end");
const button = $(".tail");

function hold() {
  following = true;
  unseen = 0;
  if (button) button.hidden = true;
}
export function letGo() {
  following = false;
  clearTimeout(settled);
}
function toEnd() {
  end?.scrollIntoView({ block: "end" });
}
on("tail", async () => { if (await go(visible().at(-1), { scroll: false })) { hold(); toEnd(); } });

const endInSight = () => end && end.getBoundingClientRect().top < innerHeight + 60;

if (end) new IntersectionObserver((entries) => { if (entries.at(-1).isIntersecting && button) { unseen = 0; button.hidden = true; } }).observe(end);

// Only a person releases it: wheel, touch, the scroll bar, the keys that scroll; never a scroll event. Coming back to the
// end takes it up again.
const UPWARDS = ["PageUp", "Home", "ArrowUp"];
function released(event) {
  letGo();
  if (event.deltaY < 0 || UPWARDS.includes(event.key)) return; // a busy browser moves the page later than it tells of it
  settled = setTimeout(() => endInSight() && stream()?.dataset.status !== "finished" && hold(), 250);
}
for (const kind of ["wheel", "touchmove"]) addEventListener(kind, released, { passive: true });
addEventListener("pointerdown", (event) => event.target === document.documentElement && released(event));
addEventListener("keydown", (event) => [...UPWARDS, "PageDown", "End", "ArrowDown"].includes(event.key) && released(event));

stream()?.addEventListener("run-event", (event) => {
  const { added } = event.detail;
  for (const step of $$(".step[data-wanted]")) {
    const name = step.dataset.wanted;
    delete step.dataset.wanted;
    openTab(step, name);
  }
  const here = current();
  if (here) markOutline(here.id);
  if (following) toEnd();
  else if (added.length && end && !endInSight()) {
    unseen += added.length;
    button.hidden = false;
    button.querySelector("span").textContent = `${unseen} new step${unseen === 1 ? "" : "s"} below`;
  }
});

stream()?.addEventListener("run-draft", () => following && toEnd());

function markOutline(id) {
  for (const link of $$("#outline a")) if (link.hash === `#${id}`) link.setAttribute("aria-current", "step");
  $("lane-timeline")?.mark?.(id);
}

// -- arriving

function arrive() {
  const id = location.hash.slice(1);
  const target = id && (document.getElementById(id) ?? document.getElementById(id.split("-")[0]));
  const step = target?.closest?.(".step");
  if (step) {
    fold(step, false);
    select(step, { scroll: false, keep: false });
    target.scrollIntoView({ block: target === step ? "start" : "center" });
    return true;
  }
  const all = long && id ? entries() : [];
  const entry = all[place(all, id.split("-")[0])];
  if (entry) bring(entry).then(dialogsClosed).then(() => entry.element && location.hash.slice(1) === id && arrive());
  return Boolean(entry);
}
addEventListener("hashchange", arrive);
if (new URLSearchParams(location.search).has("focus")) document.body.classList.add("focus");
const linked = arrive();
if (document.body.classList.contains("focus")) {
  $('[data-do="focus"]')?.setAttribute("aria-pressed", "true");
  if (!current()) select(steps()[0], { keep: false });
}
if (!linked && stream() && !stream().ended && stream().dataset.status !== "finished") hold();
