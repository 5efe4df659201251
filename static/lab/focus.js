/* The focus outlives the part of the page around it: the same control of the part that replaces it gets it again. */

const NAMES = ["id", "href", "data-do", "data-copy", "popovertarget"]; // what tells a control from its neighbours

function told(control) {
  for (const name of NAMES) if (control.hasAttribute(name)) return `[${name}="${CSS.escape(control.getAttribute(name))}"]`;
  if (control.name && control.value) return `[name="${CSS.escape(control.name)}"][value="${CSS.escape(control.value)}"]`;
  const form = control.closest("form[action]");
  return `${form ? `form[action="${CSS.escape(form.getAttribute("action"))}"] ` : ""}${control.localName}`;
}

/** To be called before `element` is replaced; what it returns, with what stands there now. */
export function heldFocus(element) {
  const control = document.activeElement;
  if (!control || control === element || !element.contains(control)) return () => {};
  const path = told(control);
  const place = [...element.querySelectorAll(path)].indexOf(control);
  return (fresh) => {
    const same = fresh.querySelectorAll(path);
    (same[place] ?? same[0])?.focus({ preventScroll: true });
  };
}
