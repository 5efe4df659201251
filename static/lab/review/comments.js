/* Comments on the lines that were clicked (Shift for a range), the same on the desk and on the run page. */
import { on } from "../acts.js";

let picked = null;

export function pick(line, extend) {
  const number = Number(line.id.split("-L")[1]);
  if (!number) return;
  picked = extend && picked ? [Math.min(picked[0], number), Math.max(picked[0], number)] : [number, number];
  for (const other of document.querySelectorAll("li.picked")) other.classList.remove("picked");
  for (let at = picked[0]; at <= picked[1]; at += 1) document.getElementById(line.id.replace(/-L\d+$/, `-L${at}`))?.classList.add("picked");
}

/** To be called before `element` is replaced; what it returns, with what stands there now: the same lines are picked. */
export function heldPicks(element) {
  const ids = [...element.querySelectorAll("li.picked")].map((line) => line.id);
  return (fresh) => ids.forEach((id) => fresh.querySelector(`#${CSS.escape(id)}`)?.classList.add("picked"));
}

/* `within`: where a picked line counts; `put` says the comment. */
export function takeComments(within, put) {
  let about = null; // the lines that the open dialog names, whatever becomes of the card meanwhile
  on("comment", () => {
    about = document.querySelector(`${within} li.picked`) ? picked : null;
    document.querySelector("#comment-lines").textContent = about ? `on line ${about[0]}${about[1] === about[0] ? "" : ` to ${about[1]}`}` : "on the whole step";
    document.querySelector("#comment-dialog").showModal();
  });
  on("comment-save", () => {
    const box = document.querySelector("#comment-dialog textarea");
    if (box.value.trim()) put("comment", { text: box.value, lines: about });
    box.value = "";
    document.querySelector("#comment-dialog").close();
  });
}
