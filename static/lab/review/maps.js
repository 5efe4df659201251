/* The maps of blame and coverage: fetched after the page, replaced when another view of them is chosen. */
import { say } from "../acts.js";
import { textOf } from "../answer.js";
import { heldFocus } from "../focus.js";

let turn = 0;

export async function loadMaps(box, address = box?.dataset.maps) {
  if (!box) return;
  const mine = ++turn; // of two views that were chosen, the later one is shown
  const html = await textOf(address, { headers: { "x-part": "maps" } });
  if (mine !== turn) return;
  if (html === null) return say("The maps could not be loaded"); // the link to their page stays
  const refocus = heldFocus(box);
  box.innerHTML = html;
  refocus(box);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("#maps [data-map]");
  if (!link) return;
  event.preventDefault();
  loadMaps(document.getElementById("maps"), link.href);
});
