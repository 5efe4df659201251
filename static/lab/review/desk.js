/* The review desk by keyboard: judge, go on at once, take back. What is said is in the journal before anything moves. */
import { on, reveal, say } from "../acts.js";
import { answerOf } from "../answer.js";
import { dialogsClosed } from "../dialogs.js";
import { heldFocus } from "../focus.js";
import { formKey } from "../form_key.js";
import { heldPicks, pick, takeComments } from "./comments.js";
import { draftOf, keepDraft, settleDraft } from "./drafts.js";
import { Journal } from "./journal.js";
import { paint } from "../ownkeys.js";
import { loadMaps } from "./maps.js";

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const desk = $("#desk");
const current = () => $("#item");
const TOAST_MS = 600;
const RENEW_MS = 60_000;
const RETRY_MS = 1500;
const AHEAD = 2;
const ahead = new Map(); // address of an item -> promise of its HTML
let held = ""; // key of the item whose accept waits for a second press
let toastTimer = 0;
let retry = 0;
let turn = 0;
let wanted = current()?.dataset.key; // key of the item on its way to the middle, or in it; none while the queue is renewed
let moves = 0; // how often the reviewer has gone to another item
const said = new Map(); // key of what was said on this page -> `moves` when it had been said
let goOn = localStorage.getItem("mcl-go-on") !== "no";

const rows = () => $$(".queue li");
const rowOf = (key) => rows().find((row) => row.dataset.key === key);
const here = () => rowOf(wanted ?? current()?.dataset.key);

// -- what is saved

const journal = desk && new Journal({
  url: desk.dataset.send,
  actor: $("#saved").dataset.actor,
  onState(state, text, waiting) {
    const box = $("#saved");
    const clock = new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
    box.dataset.state = state;
    box.textContent = { saving: "Saving", saved: `Saved ${clock}`, offline: `Offline, ${waiting}`, "signed-out": `Signed out, ${waiting}: sign in again in another tab`, refused: text }[state];
  },
  onAnswer: answered,
  onRefused(entry, sentence) {
    tell(sentence); // the state of the next one takes its place above
    const row = rowOf(`${entry.body.run}-${entry.body.step}`);
    if (row) mark(row, false);
  },
});

function answered(entry, answer) {
  const { verb } = parts(entry.body.say);
  const stayed = said.get(entry.key) === moves || wanted === answer.item; // who has gone elsewhere since is not fetched back
  if (answer.item) ahead.delete(address(answer.item));
  settleDraft(entry.body);
  if (answer.left !== null && $("#left")) $("#left").textContent = answer.left;
  const median = answer.median ? `, median ${Math.round(answer.median)} s` : "";
  $("#progress").textContent = `${answer.done} done today${median}`;
  if (answer.met) tell(answer.met);
  if (answer.held) {
    // The desk saw no flag, the lab does: the item comes back, held.
    const row = rowOf(answer.item);
    if (row) mark(row, false);
    if (!stayed) tell(`${row ? $("span.trim", row).textContent : answer.item}: ${answer.sentence}`);
    else show(answer.item).then(() => current()?.dataset.key === answer.item && hold(answer.item, answer.toast));
  } else if (verb === "undo" || verb === "redo") {
    say(answer.sentence);
    tell(answer.sentence);
    if (answer.item) {
      const row = rowOf(answer.item);
      if (row) mark(row, verb === "redo");
      if (stayed) show(answer.item, { fresh: true });
    }
  } else if (["correct", "comment", "rerun", "blame", "prefer"].includes(verb) && wanted === answer.item) {
    say(answer.sentence);
    show(answer.item, { fresh: true, view: verb !== "correct" }); // a correction is shown
  }
}

function tell(sentence) {
  let note = $("#met");
  if (!note) {
    note = Object.assign(document.createElement("p"), { id: "met", className: "flag pad sm" });
    note.setAttribute("role", "status");
    $(".queues").after(note);
  }
  note.textContent = sentence;
}

// -- the queue

function mark(row, done) {
  row.toggleAttribute("data-done", done);
  $(".mark-done", row).hidden = !done;
}

function address(key) {
  const [run, step] = key.split("-");
  return rowOf(key)?.querySelector("a").dataset.fetch ?? `/review/items/${run}/${step}/?${desk.dataset.query}`;
}

function fetched(key, fresh = false) {
  const url = address(key);
  if (fresh || !ahead.has(url)) {
    const body = answerOf(url).then((response) => response.text());
    body.catch(() => ahead.delete(url));
    ahead.set(url, body);
  }
  return ahead.get(url);
}

/** `view`: of an item that is shown again, the view that is open stays open. */
async function show(key, { fresh = false, view = true } = {}) {
  clearTimeout(retry); // of another item, which is no longer wanted
  const mine = ++turn; // of two that were asked for, the later one is shown
  wanted = key;
  const html = await fetched(key, fresh).catch(() => null);
  await dialogsClosed();
  if (mine !== turn) return undefined;
  if (html === null) return later(key);
  const middle = $("#middle");
  const again = [heldFocus(middle), ...(current()?.dataset.key === key ? [heldPicks(middle), ...(view ? [heldPane()] : [])] : [])];
  middle.innerHTML = html;
  reveal(middle);
  paint(middle);
  for (const restore of again) restore(middle);
  for (const link of $$(".queue a[aria-current]")) link.removeAttribute("aria-current");
  const row = here();
  row?.querySelector("a").setAttribute("aria-current", "true");
  row?.scrollIntoView({ block: "nearest" });
  history.replaceState(null, "", `?${desk.dataset.query}&at=${key}`);
  showGoOn();
  take();
  return prefetch();
}

/** Nothing stands in the middle that could be judged by mistake until the step is there. */
function later(key) {
  $("#middle").innerHTML = '<section class="panel"><p class="empty" role="status">The lab cannot be reached. What you said is kept here; this step is loaded as soon as it answers.</p><form id="verbs" class="row step-b sm more-acts"><button class="btn sm" name="say" value="undo" aria-keyshortcuts="u">Undo <kbd>u</kbd></button><button class="btn sm" name="say" value="redo" aria-keyshortcuts="Shift+U">Redo <kbd>U</kbd></button></form></section>';
  for (const link of $$(".queue a[aria-current]")) link.removeAttribute("aria-current");
  rowOf(key)?.querySelector("a").setAttribute("aria-current", "true");
  clearTimeout(retry);
  retry = setTimeout(() => show(key), RETRY_MS);
}

function prefetch() {
  const all = rows();
  const waiting = all.slice(all.indexOf(here()) + 1).filter((row) => !("done" in row.dataset)).slice(0, AHEAD);
  for (const row of waiting) {
    const state = $(".state", row);
    fetched(row.dataset.key).then(() => (state.textContent ||= "ready"), () => {});
  }
}

async function take() {
  const item = current();
  if (!item) return;
  try {
    const response = await answerOf(item.dataset.hold, { method: "POST", headers: { "x-csrftoken": formKey() } });
    const { html } = await response.json();
    if (item === current()) $("#hold").innerHTML = html;
  } catch { /* offline: the lease runs out by itself */ }
}

function step(by) {
  const all = rows();
  const at = all.indexOf(here());
  const next = all[at + by];
  if (!next) return by > 0 ? refill() : say("This is the first item");
  closeToast();
  moves += 1;
  return show(next.dataset.key);
}

/** The next item that is not done, from `row` on and then from the top; a fresh list when none is left. */
function advance(row) {
  const all = rows();
  const at = all.indexOf(row);
  const next = [...all.slice(at + 1), ...all.slice(0, at)].find((other) => !("done" in other.dataset));
  moves += 1;
  return next ? show(next.dataset.key) : refill();
}

/** A new piece of the queue. Only when everything said has arrived: else the old items would come back. */
async function refill(mine = ++turn) {
  if (mine !== turn) return; // another item was asked for meanwhile
  clearTimeout(retry);
  wanted = undefined;
  if (journal.mine().length) {
    say("This was the last loaded item; the next ones come when the judgements have arrived");
    setTimeout(refill, 1000, mine);
    return;
  }
  try {
    const response = await answerOf(`${location.pathname}?${desk.dataset.query}`);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (mine !== turn) return;
    if ($("dialog[open]")) throw new Error("later"); // it is about an item that would go
    const [queue, middle] = [$("#queue", page), $("#middle", page)].map((part) => document.adoptNode(part));
    ahead.clear();
    const refocus = heldFocus(desk);
    const filter = $("#queue details"); // stays: somebody may be writing in it
    while (filter.previousSibling) filter.previousSibling.remove();
    filter.before(...[...queue.children].filter((part) => !part.matches("details")));
    $("#middle").replaceWith(middle);
    wanted = current()?.dataset.key;
    reveal(document);
    paint(desk);
    refocus(desk);
    showGoOn();
    prefetch();
  } catch {
    setTimeout(refill, 2000, mine);
  }
}

// -- judging

const parts = (saying) => ({ verb: saying.split(":")[0], value: saying.split(":")[1] ?? "" });

function put(saying, more = {}) {
  const item = current();
  const key = journal.put({ say: saying, run: Number(item?.dataset.run ?? 0), step: Number(item?.dataset.step ?? 0), other: item?.dataset.other ?? "", queue: desk.dataset.queue, ...more });
  said.set(key, moves);
  return key;
}

function judge(saying) {
  const { verb } = parts(saying);
  if (verb === "undo" || verb === "redo") {
    closeToast();
    put(saying);
    return undefined;
  }
  const item = current();
  if (!item) return undefined;
  const key = item.dataset.key;
  let entry;
  if (verb === "accept") {
    const flagged = Number(item.dataset.flags) > 0;
    if (flagged && held !== key) return hold(key, $("#row-ahead")?.innerHTML ?? "");
    entry = put(saying, { confirmed: flagged });
    toast(accepted($("#row-ahead")?.innerHTML ?? ""), TOAST_MS);
  } else {
    entry = put(saying);
    closeToast();
  }
  ahead.delete(address(key));
  const finishes = ["accept", "reject", "prefer"].includes(verb) || (verb === "blame" && desk.dataset.pick === "failure");
  if (!finishes) return undefined;
  const row = rowOf(key);
  if (row) mark(row, true);
  if (goOn) advance(row);
  said.set(entry, moves); // going on was part of it
  return undefined;
}

/** The row as it was shown ahead, now in the past tense. */
function accepted(html) {
  const box = document.createElement("div");
  box.innerHTML = html;
  const title = $("header b", box);
  if (title) title.textContent = title.textContent.replace("Accept into", "Accepted into").replace("?", "");
  $(".push kbd", box)?.textContent === "a" && $(".push", box).replaceChildren("u takes it back");
  return box.innerHTML;
}

function hold(key, html) {
  held = key;
  toast(html);
  say("Held: press a again to accept");
}

function toast(html, lasts = 0) {
  clearTimeout(toastTimer);
  $("#toast").innerHTML = html;
  if (lasts) {
    held = "";
    toastTimer = setTimeout(closeToast, lasts);
  }
}

function closeToast() {
  clearTimeout(toastTimer);
  held = "";
  $("#toast").replaceChildren();
}

document.addEventListener("submit", (event) => {
  if (event.target.id !== "verbs" || !event.submitter?.value) return;
  event.preventDefault();
  judge(event.submitter.value);
});
document.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-say]");
  if (chosen) {
    chosen.closest("dialog")?.close();
    judge(chosen.dataset.say);
  }
  const link = event.target.closest(".queue a");
  if (link && !event.metaKey && !event.ctrlKey && !event.shiftKey && event.button === 0) {
    event.preventDefault();
    closeToast();
    moves += 1;
    show(link.closest("li").dataset.key);
  }
  const pane = event.target.closest("[data-pane-of]");
  if (pane) {
    event.preventDefault();
    openPane(pane);
  }
  pickLine(event);
});
addEventListener("keydown", (event) => event.key === "Escape" && closeToast());

// -- views of the step

function openPane(link) {
  for (const other of $$("#item [data-pane-of]")) other.toggleAttribute("aria-current", other === link);
  link.setAttribute("aria-current", "true");
  for (const pane of $$("#item .pane")) pane.hidden = pane.id !== `pane-${link.dataset.paneOf}`;
}

/** What it returns opens the view again that is open now; the first one is the item's own choice. */
function heldPane() {
  const name = $("#item [data-pane-of][aria-current]:not(:first-child)")?.dataset.paneOf;
  return () => {
    const link = name && $(`#item [data-pane-of="${name}"]`);
    if (link) openPane(link);
  };
}

on("pane-next", () => {
  const links = $$("#item [data-pane-of]");
  const at = links.findIndex((link) => link.hasAttribute("aria-current"));
  if (links.length) openPane(links[(at + 1) % links.length]);
});
on("item-next", () => step(1));
on("item-previous", () => step(-1));
on("blame", () => $("#blame-dialog").showModal());
on("reject", () => $("#reject-dialog").showModal());
on("toast-close", closeToast);
on("advance", () => {
  goOn = !goOn;
  localStorage.setItem("mcl-go-on", goOn ? "yes" : "no");
  showGoOn();
});
const showGoOn = () => $("[data-do=advance]")?.setAttribute("aria-pressed", goOn);

// -- correcting: what is typed is kept as a draft until it is saved

const draftKey = () => draftOf(current()?.dataset.run, current()?.dataset.step);
on("edit", () => {
  const box = $("#edit-dialog textarea");
  const draft = localStorage.getItem(draftKey());
  box.value = draft ?? $("#answer-ahead").content.textContent;
  $("#draft").textContent = draft ? "your draft" : "";
  $("#edit-dialog").showModal();
});
$("#edit-dialog textarea")?.addEventListener("input", (event) => {
  $("#draft").textContent = keepDraft(draftKey(), event.target.value);
});
on("correct", () => {
  const text = $("#edit-dialog textarea").value;
  keepDraft(draftKey(), text);
  put("correct", { text });
  ahead.delete(address(current().dataset.key));
  $("#edit-dialog").close();
});

// -- comments, on the lines that were clicked (Shift for a range)

function pickLine(event) {
  const line = event.target.closest("#item .code li[id], #item .plan li[id]");
  if (!line) return;
  if (event.shiftKey) getSelection()?.removeAllRanges();
  else if (getSelection()?.toString()) return;
  pick(line, event.shiftKey);
}
takeComments("#item", put);

if (desk) {
  showGoOn();
  prefetch();
  loadMaps($("#maps"));
  setInterval(take, RENEW_MS);
}
