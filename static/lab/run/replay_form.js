/* The form of a replay: only the fields of the chosen kind of change are shown. */
const form = document.querySelector(".replay-form");
function show() {
  const kind = form.elements.kind.value;
  form.querySelector(".for-text").hidden = !["edit", "feedback"].includes(kind);
  form.querySelector(".for-models").hidden = kind !== "models";
  form.querySelector(".for-engine").hidden = kind !== "engine";
}
let written = form?.elements.text.value;
form?.addEventListener("change", (event) => {
  if (event.target.name !== "kind") return;
  const box = form.elements.text;
  // An answer is no feedback: the box is emptied for one and filled again for the other, unless somebody has written in it.
  if (event.target.value === "feedback" && box.value === written) box.value = "";
  if (event.target.value === "edit" && !box.value) box.value = written;
  show();
});
if (form) show();
