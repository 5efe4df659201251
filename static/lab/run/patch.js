/* Applying live patches: replace by id, or insert in place. Repeating a patch does no harm. */
import { reveal } from "../acts.js";
import { heldFocus } from "../focus.js";
import { paint } from "../ownkeys.js";
import { heldPicks } from "../review/comments.js";

const parser = document.createElement("template");

function parsed(html) {
  parser.innerHTML = html; // rendered and escaped by the server, from the templates of the page itself
  return parser.content.firstElementChild;
}

/** Put `element` before the first sibling that belongs later, so that order of arrival does not matter. False where it
    belongs to a stretch of a long run that is not here yet: it comes with it. */
function insert(container, element) {
  const at = Number(element.dataset.at);
  let before = null;
  let child = container.lastElementChild;
  for (; child && Number(child.dataset.at) > at; child = child.previousElementSibling) before = child;
  if (child?.matches(".stretch") && at < Number(child.dataset.end) * 4 - 2) return false;
  container.insertBefore(element, before);
  return true;
}

/** What a reader has done to a card survives its replacement: which view and test are open, which lines are picked, whether
    it is folded or selected. */
function carryOver(old, fresh) {
  if (!old.matches(".step")) return;
  fresh.classList.toggle("closed", old.classList.contains("closed"));
  if (old.hasAttribute("aria-current")) fresh.setAttribute("aria-current", "step");
  heldPicks(old)(fresh);
  const test = old.querySelector(".cases a[aria-current]")?.getAttribute("href");
  const same = test && fresh.querySelector(`.cases a[href="${CSS.escape(test)}"]`);
  const slot = fresh.querySelector(".case-slot");
  if (same && slot) {
    same.setAttribute("aria-current", "true");
    slot.replaceChildren(...old.querySelector(".case-slot").childNodes);
  }
  const kept = old.dataset.tab;
  if (kept && fresh.querySelector(`[data-tab="${CSS.escape(kept)}"]`)) fresh.dataset.wanted = kept;
}

export function apply(patch) {
  const fresh = parsed(patch.html);
  if (!fresh) return null;
  reveal(fresh);
  paint(fresh);
  const old = document.getElementById(patch.id);
  if (!old) {
    const container = document.getElementById(patch.into);
    if (!container) return null;
    return insert(container, fresh) ? { element: fresh, added: true } : null;
  }
  carryOver(old, fresh);
  const refocus = heldFocus(old);
  const place = old.dataset.at;
  old.replaceWith(fresh);
  if (fresh.dataset.at && fresh.dataset.at !== place) insert(fresh.parentElement, fresh);
  refocus(fresh);
  return { element: fresh, added: false };
}

/** A piece of an answer being written; true if it was the next one. Offsets count characters as the server does, not UTF-16 units. */
export function draft(frame) {
  const box = document.getElementById(`s${frame.step}-draft`);
  if (!box) return false;
  let length = Number(box.dataset.offset);
  if (length === 0 && frame.offset > 0 && !box.textContent) {
    box.textContent = "… ";
    length = frame.offset;
  }
  if (frame.offset !== length) return false; // a piece is missing: the step's event brings the whole text
  box.append(frame.text);
  box.dataset.offset = length + [...frame.text].length;
  return true;
}
