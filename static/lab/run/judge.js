/* Judging from the run page: the same verbs, journal and address as the review desk. The panel shows what is said of the
   selected step; the pills on the cards arrive with the judgement's own event, in every open tab. */
import { on, say } from "../acts.js";
import { textOf } from "../answer.js";
import { heldFocus } from "../focus.js";
import { pick, takeComments } from "../review/comments.js";
import { draftOf, keepDraft, settleDraft } from "../review/drafts.js";
import { Journal, newKey } from "../review/journal.js";

const $ = (selector, root = document) => root.querySelector(selector);
const panel = $("#judging");
const PAUSE_MS = 120; // a reader who flies past steps asks for none of them
let held = 0; // number of the step whose accept waits for a second press
let timer = 0;
let wanted = 0; // number of the step whose sayings are shown or on their way
let shownFor = 0;
let asked = 0;
let editing = 0;

const current = () => $(".step[aria-current]") ?? $("#steps > .step");
const number = () => Number(current()?.id.slice(1) ?? 0);
const runId = () => Number(panel.dataset.stepUrl.match(/runs\/(\d+)/)[1]);
const address = (step, rest) => panel.dataset.stepUrl.replace("/steps/0/", `/steps/${step}/${rest}`);
const clock = () => new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });

const journal = panel && new Journal({
  url: panel.dataset.sayUrl,
  actor: panel.dataset.actor,
  onState(state, text, waiting) {
    const box = $("#saved");
    box.dataset.state = state;
    box.textContent = { saving: "Saving", saved: `Saved ${clock()}`, offline: `Offline, ${waiting}`, "signed-out": `Signed out, ${waiting}: sign in again in another tab`, refused: text }[state];
  },
  onAnswer(entry, answer) {
    settleDraft(entry.body);
    say(answer.met || answer.sentence);
    if (answer.held) {
      held = entry.body.step;
      $("#toast").innerHTML = answer.toast; // the server's own template, escaped there
    } else {
      release();
      if (answer.met) tell(answer.met);
      else if (["undo", "redo"].includes(entry.body.say)) tell(answer.sentence);
    }
    refresh(true);
  },
  onRefused: (entry, text) => tell(`s${entry.body.step}: ${text}`, "refusal"),
});

/** A refusal stays until more is said: the answer to the next in the journal does not take it away. */
function tell(text, kind = "") {
  release();
  $("#toast").append(Object.assign(document.createElement("p"), { className: `flag pad sm ${kind}`, textContent: text }));
}

function release() {
  held = 0;
  for (const note of [...$("#toast").children]) if (!note.matches(".refusal")) note.remove();
}

function put(saying, more = {}) {
  const step = number();
  if (!step) return say("There is no step yet");
  for (const note of document.querySelectorAll("#toast .refusal")) note.remove();
  journal.put({ say: saying, run: runId(), step, ...more });
  return undefined;
}

// -- what is said of the selected step

export function refresh(now = false) {
  const step = Number($(".step[aria-current]")?.id.slice(1) ?? 0);
  if (!panel || !step) return;
  const title = `s${step}`;
  if ($("#judging-step").textContent !== title) $("#judging-step").textContent = title;
  if (held && held !== step) release();
  if (step === wanted && !now) return;
  wanted = step;
  const mine = ++asked; // of two that were asked for, the later one is shown
  const box = $("#judging-said");
  box.toggleAttribute("data-stale", step !== shownFor);
  clearTimeout(timer);
  timer = setTimeout(async () => {
    const html = await textOf(address(step, "said/"));
    if (mine !== asked) return;
    if (html === null) {
      wanted = 0;
      if (step !== shownFor) box.innerHTML = '<p class="muted sm pad">What is said of this step could not be loaded. Choose it again to try once more.</p>';
    } else {
      const refocus = heldFocus(box);
      box.innerHTML = html; // the server's own template, escaped there
      refocus(box);
      shownFor = step;
    }
    box.removeAttribute("data-stale");
  }, now ? 0 : PAUSE_MS);
}

// -- the verbs

on("accept", () => put("accept", { confirmed: held === number() }));
on("undo", () => put("undo"));
on("redo", () => put("redo"));
on("blame", () => $("#blame-dialog").showModal());
on("reject", () => $("#reject-dialog").showModal());
document.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-say]");
  if (!chosen || !panel) return;
  const dialog = chosen.closest("dialog");
  const cause = dialog?.querySelector("[name=cause]");
  put(chosen.dataset.say, cause ? { cause: cause.value.trim() } : {});
  if (cause) cause.value = "";
  dialog?.close();
});

// -- editing; what is typed is kept as a draft until it is saved

const draftKey = () => draftOf(runId(), number());
const writing = () => document.activeElement?.matches("input, textarea, select");
async function edit() {
  const step = number();
  if (!step) return;
  const mine = ++editing;
  const focused = document.activeElement;
  const box = $("#edit-dialog textarea");
  const draft = localStorage.getItem(draftKey());
  $("#draft").textContent = draft === null ? "" : "your draft";
  if (draft !== null) {
    box.value = draft;
  } else {
    const answer = await textOf(address(step, "copy/answer/"));
    if (mine !== editing || $("dialog[open]") || number() !== step || (writing() && document.activeElement !== focused)) return; // the reader has gone on
    if (answer === null) return say("The answer could not be loaded");
    box.value = answer;
  }
  $("#replay-form").action = address(step, "replays/");
  $("#replay-form [name=key]").value = newKey();
  $("#edit-dialog").showModal();
}
on("edit", edit);
on("replay", () => { location.href = address(number(), "replays/"); });
$("#edit-dialog textarea")?.addEventListener("input", (event) => {
  $("#draft").textContent = keepDraft(draftKey(), event.target.value);
});
on("correct", () => {
  const text = $("#edit-dialog textarea").value;
  keepDraft(draftKey(), text);
  put("correct", { text });
  $("#edit-dialog").close();
});
$("#replay-form")?.addEventListener("submit", (event) => {
  event.target.elements.text.value = $("#edit-dialog textarea").value;
});

// -- comments, on the lines that were clicked (Shift for a range)

$("#steps")?.addEventListener("click", (event) => {
  const line = event.target.closest(".code li[id], .plan li[id]");
  if (line && !getSelection()?.toString()) pick(line, event.shiftKey);
});
takeComments(".step[aria-current]", put);

if (panel) {
  document.addEventListener("step-selected", () => refresh());
  $("run-stream")?.addEventListener("run-event", (event) => event.detail.kind === "judged" && refresh(true));
  refresh();
}
