/* Judging from the run page: the same verbs, journal and address as the review desk. The panel shows what is said of the
   selected step; the pills on the cards arrive with the judgement's own event, in every open tab. */
import { on, say } from "../acts.js";
import { Journal } from "../review/journal.js";

const $ = (selector, root = document) => root.querySelector(selector);
const panel = $("#judging");
const PAUSE_MS = 120; // a reader who flies past steps asks for none of them
let held = 0; // number of the step whose accept waits for a second press
let timer = 0;
let shownFor = 0;

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
    box.textContent = { saving: "Saving", saved: `Saved ${clock()}`, offline: `Offline, ${waiting} kept in this browser`, refused: text }[state];
  },
  onAnswer(entry, answer) {
    say(answer.met || answer.sentence);
    if (answer.held) {
      held = entry.body.step;
      $("#toast").innerHTML = answer.toast; // the server's own template, escaped there
    } else {
      held = 0;
      $("#toast").replaceChildren();
      if (answer.met) tell(answer.met);
      else if (["undo", "redo"].includes(entry.body.say)) tell(answer.sentence);
    }
    refresh(true);
  },
  onRefused: (entry, text) => tell(text),
});

function tell(text) {
  const line = Object.assign(document.createElement("p"), { className: "flag pad sm", textContent: text });
  $("#toast").replaceChildren(line);
}

function put(saying, more = {}) {
  const step = number();
  if (!step) return say("There is no step yet");
  journal.put({ say: saying, run: runId(), step, ...more });
  return undefined;
}

// -- what is said of the selected step

export function refresh(now = false) {
  const step = Number($(".step[aria-current]")?.id.slice(1) ?? 0);
  if (!panel || !step || (step === shownFor && !now)) return;
  clearTimeout(timer);
  const title = `s${step}`;
  if ($("#judging-step").textContent !== title) $("#judging-step").textContent = title;
  if (held && held !== step) { held = 0; $("#toast").replaceChildren(); }
  timer = setTimeout(async () => {
    const response = await fetch(address(step, "said/")).catch(() => null);
    if (!response?.ok || Number($(".step[aria-current]")?.id.slice(1)) !== step) return;
    $("#judging-said").innerHTML = await response.text(); // the server's own template, escaped there
    shownFor = step;
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

const draftKey = () => `mcl-draft-${runId()}-${number()}`;
async function edit() {
  const step = number();
  if (!step) return;
  const box = $("#edit-dialog textarea");
  const draft = localStorage.getItem(draftKey());
  $("#draft").textContent = draft === null ? "" : "your draft";
  if (draft !== null) {
    box.value = draft;
  } else {
    const response = await fetch(address(step, "copy/answer/")).catch(() => null);
    if (!response?.ok) return say("The answer could not be loaded");
    if ($("dialog[open]") || number() !== step) return undefined; // the reader has gone on
    box.value = await response.text();
  }
  $("#replay-form").action = address(step, "replays/");
  $("#replay-form [name=key]").value = crypto.randomUUID();
  $("#edit-dialog").showModal();
}
on("edit", edit);
on("replay", () => { location.href = address(number(), "replays/"); });
$("#edit-dialog textarea")?.addEventListener("input", (event) => {
  localStorage.setItem(draftKey(), event.target.value);
  $("#draft").textContent = `draft kept ${clock()}`;
});
on("correct", () => {
  put("correct", { text: $("#edit-dialog textarea").value });
  localStorage.removeItem(draftKey());
  $("#edit-dialog").close();
});
$("#replay-form")?.addEventListener("submit", (event) => {
  event.target.elements.text.value = $("#edit-dialog textarea").value;
  localStorage.removeItem(draftKey());
});

// -- comments, on the lines that were clicked (Shift for a range)

let picked = null;
$("#steps")?.addEventListener("click", (event) => {
  const line = event.target.closest(".code li[id], .plan li[id]");
  if (!line || getSelection()?.toString()) return;
  const at = Number(line.id.split("-L")[1]);
  if (!at) return;
  picked = event.shiftKey && picked ? [Math.min(picked[0], at), Math.max(picked[0], at)] : [at, at];
  for (const other of document.querySelectorAll("#steps li.picked")) other.classList.remove("picked");
  for (let n = picked[0]; n <= picked[1]; n += 1) document.getElementById(line.id.replace(/-L\d+$/, `-L${n}`))?.classList.add("picked");
});
const pickedLines = () => ($(".step[aria-current] li.picked") ? picked : null);
on("comment", () => {
  const lines = pickedLines();
  $("#comment-lines").textContent = lines ? `on line ${lines[0]}${lines[1] === lines[0] ? "" : ` to ${lines[1]}`}` : "on the whole step";
  $("#comment-dialog").showModal();
});
on("comment-save", () => {
  const box = $("#comment-dialog textarea");
  if (box.value.trim()) put("comment", { text: box.value, lines: pickedLines() });
  box.value = "";
  $("#comment-dialog").close();
});

if (panel) {
  document.addEventListener("step-selected", () => refresh());
  $("run-stream")?.addEventListener("run-event", (event) => event.detail.kind === "judged" && refresh(true));
  refresh();
}
