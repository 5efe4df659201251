/* The steps of the run in the order of the page, whether their headers are in the document yet or not.

   A long run's page holds an index of all its steps and the headers of some; where the others belong stands a mark for
   each stretch of them, which fetches them when the reader comes near, jumps there, or looks for something there. */
import { reveal, say } from "../acts.js";
import { answerOf } from "../answer.js";

const column = document.getElementById("steps");
const outline = document.getElementById("outline");
const AGENTS = { r: "retrieval", p: "planning", c: "coding", d: "debugging", s: "supervisor", j: "judge" };
const HEADER = 42; // pixels of a header with its margin, and of a line of the outline
const LINE = 24;
const SETTLE_MS = 80; // who flies past a stretch does not fetch it
const AGAIN_MS = 2000;
const TRIES = 3;

class Entry {
  constructor(number, agent, flag, attempt) {
    Object.assign(this, { number, id: `s${number}`, agent, flag, attempt });
  }

  get element() {
    return document.getElementById(this.id);
  }

  get flagged() {
    const { element } = this;
    return element ? "flag" in element.dataset : this.flag;
  }
}

function decoded({ n: numbers, a: letters, g: attempts }) {
  const all = [];
  const ends = [];
  attempts.reduce((sum, length) => (ends.push(sum + length), sum + length), 0);
  let attempt = 0;
  for (const [first, count] of numbers) {
    for (let k = 0; k < count; k += 1) {
      const letter = letters[all.length];
      while (all.length >= ends[attempt]) attempt += 1;
      all.push(new Entry(first + k, AGENTS[letter.toLowerCase()], letter !== letter.toLowerCase(), attempt));
    }
  }
  return all;
}

const attemptOf = (step) => step.dataset.where?.split(" · ")[0];
const read = (step) => new Entry(Number(step.id.slice(1)), step.dataset.agent, "flag" in step.dataset, attemptOf(step));
const index = column?.dataset.index ? decoded(JSON.parse(column.dataset.index)) : null;
const known = index && new Map(index.map((entry) => [entry.id, entry]));
export const long = Boolean(index);

/** Every step. */
export const entries = () => index ?? [...column.querySelectorAll(":scope > .step")].map(read);
export const place = (list, id) => list.findIndex((entry) => entry.id === id);

function follow(step) {
  if (!index || known.has(step.id)) return;
  const entry = read(step);
  const before = index.at(-1)?.element;
  // The title of the attempt as text for new ones, its place for old ones: a new step goes on with the last where they agree.
  if (before && attemptOf(before) === entry.attempt) entry.attempt = index.at(-1).attempt;
  index.push(entry);
  known.set(entry.id, entry);
}

// -- what is hidden: agents that the reader put away, and what does not hold the words that were looked for

export const off = new Set();
let holding = null;
const isShown = (entry) => !off.has(entry.agent) && (!holding || holding.has(entry.id));
export const visible = () => (off.size || holding ? entries().filter(isShown) : entries());

/** Only the steps of the set `ids` are shown; null: all. */
export function hold(ids) {
  holding = ids;
  refresh();
}

function dress(step) {
  const away = off.has(step.dataset.agent);
  const other = Boolean(holding && !holding.has(step.id));
  step.classList.toggle("off", away);
  step.hidden = other;
  const row = document.getElementById(`o${step.id.slice(1)}`);
  row?.classList.toggle("off", away);
  if (row) row.hidden = other;
}

export function refresh() {
  for (const step of column.querySelectorAll(":scope > .step")) dress(step);
  for (const mark of marks()) measure(mark);
}

// -- stretches

const marks = () => (index ? column.querySelectorAll(":scope > .stretch") : []);
const twin = (mark) => outline.querySelector(`:scope > .stretch[data-begin="${mark.dataset.begin}"]`);
const inside = (mark) => index.slice(Number(mark.dataset.place), Number(mark.dataset.place) + Number(mark.dataset.size));

/** A mark is as high as what it stands for, so that nothing moves when that comes. */
function measure(mark) {
  const count = off.size || holding ? inside(mark).filter(isShown).length : Number(mark.dataset.size);
  const line = twin(mark);
  mark.hidden = line.hidden = !count;
  mark.style.blockSize = `${count * HEADER}px`;
  line.style.blockSize = `${count * LINE}px`;
}

const parsed = (html) => {
  const box = document.createElement("template");
  box.innerHTML = html; // rendered and escaped by the server
  reveal(box.content);
  return box.content;
};

async function headers(mark) {
  const { begin, end } = mark.dataset;
  for (let tried = 0; tried < TRIES; tried += 1) {
    const answer = await answerOf(`${column.dataset.headers}?begin=${begin}&end=${end}`).then((response) => response.json()).catch(() => null);
    if (!answer) return null;
    // An event that was applied meanwhile found no header to change: then these are older than the page.
    if (answer.last >= (document.querySelector("run-stream")?.last ?? 0)) return answer;
  }
  return null;
}

async function fetched(mark) {
  const answer = await headers(mark);
  if (!answer || !mark.isConnected) return mark.isConnected ? again(mark) : undefined;
  const [cards, rows] = [parsed(answer.column), parsed(answer.outline)];
  const steps = [...cards.querySelectorAll(".step")];
  twin(mark).replaceWith(rows);
  mark.replaceWith(cards);
  if (off.size || holding) steps.forEach(dress);
  document.dispatchEvent(new CustomEvent("steps-came", { detail: steps }));
  return undefined;
}

function again(mark) {
  setTimeout(() => { near.unobserve(mark); near.observe(mark); }, AGAIN_MS);
}

const coming = new Map();
function open(mark) {
  if (!coming.has(mark)) coming.set(mark, fetched(mark).finally(() => coming.delete(mark)));
  return coming.get(mark);
}

/** The element of `entry`, once its header is there; null where it could not be fetched. */
export async function bring(entry) {
  if (!entry.element) {
    const at = index.indexOf(entry);
    const mark = [...marks()].find(({ dataset }) => at >= Number(dataset.place) && at < Number(dataset.place) + Number(dataset.size));
    if (mark) await open(mark);
  }
  if (!entry.element) say(`Step ${entry.id} could not be fetched`);
  return entry.element;
}

const inSight = new Set();
const markOf = (target) => (target.matches("li") ? [...marks()].find((one) => one.dataset.begin === target.dataset.begin) : target);
let settling = 0;
function seen(found) {
  for (const { target, isIntersecting } of found) inSight[isIntersecting ? "add" : "delete"](target);
  clearTimeout(settling);
  settling = setTimeout(() => {
    const wanted = [...inSight].filter((target) => target.isConnected).map(markOf);
    inSight.clear();
    wanted.forEach(open);
  }, SETTLE_MS);
}
const near = index && new IntersectionObserver(seen, { rootMargin: "1500px 0px" });
const nearLine = index && new IntersectionObserver(seen, { root: document.querySelector(".outline"), rootMargin: "600px 0px" });
for (const mark of marks()) {
  measure(mark);
  near.observe(mark);
  nearLine.observe(twin(mark));
}

document.querySelector("run-stream")?.addEventListener("run-event", ({ detail }) => {
  for (const step of detail.added) {
    follow(step);
    holding?.add(step.id); // what comes while somebody looks for words is shown
  }
  if (off.size || holding) refresh();
});
