/** What is chosen or written in a dialog is about what it was opened on: nothing takes that one's place meanwhile. */
export async function dialogsClosed() {
  for (let open; (open = document.querySelector("dialog[open]")); ) await new Promise((done) => open.addEventListener("close", done, { once: true }));
}

/** Nobody writes, chooses, or has a dialog open: only then may the page be loaded anew. */
export async function idle() {
  for (;;) {
    await dialogsClosed();
    const field = document.activeElement;
    if (!field?.matches("input, select, textarea")) return;
    await new Promise((done) => field.addEventListener("blur", done, { once: true }));
  }
}
