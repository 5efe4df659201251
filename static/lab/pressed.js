/* A control that is replaced between the two ends of a press never gets its click: the pointer came down on one element
   and went up on another. Whatever replaces parts of a page waits until it is let go. */
const LONGEST_MS = 2000; // a press whose end the page is not told of, and text that is being selected for long
let press = null;
let letGo = null;
let timer = 0;

function over() {
  letGo?.();
  press = letGo = null;
}

function overAfter(wait) {
  clearTimeout(timer);
  timer = setTimeout(over, wait);
}

addEventListener("pointerdown", () => {
  press ??= new Promise((done) => { letGo = done; });
  overAfter(LONGEST_MS);
}, true);
// The click comes behind the pointer's going up, in the same task.
for (const kind of ["pointerup", "pointercancel", "dragend"]) addEventListener(kind, () => overAfter(0), true);

/** Resolves once no pointer is down. */
export const released = async () => press;
