/* Named acts of a page. A button says which with data-do; a key finds the button. One name, one function. */
const acts = new Map();

export function on(name, run) {
  acts.set(name, run);
}

export function act(name, button) {
  acts.get(name)?.(button);
}

/** Tell people who do not see the page, and remind those who do. */
export function say(text) {
  const said = document.getElementById("said");
  if (said) said.textContent = text;
}

/** Show what only a script can do. */
export function reveal(root) {
  root.querySelectorAll("[data-needs-script][hidden]:not(.tail)").forEach((element) => (element.hidden = false));
}
