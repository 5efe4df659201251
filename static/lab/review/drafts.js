/* What is typed as a correction is kept in this browser until the lab has it, for it may be refused or answered late. */
export const draftOf = (run, step) => `mcl-draft-${run}-${step}`;

/** Says in a few words whether that was possible. */
export function keepDraft(key, text) {
  try {
    localStorage.setItem(key, text);
    return `draft kept ${new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })}`;
  } catch {
    return "no draft kept, this browser's storage is full: save it";
  }
}

/** The lab has what `body` says; what was typed since stays a draft. */
export function settleDraft({ say, run, step, text }) {
  const key = draftOf(run, step);
  if (say === "correct" && localStorage.getItem(key) === text) localStorage.removeItem(key);
}
