/* Completion of filters: fields and the values they have, asked for as one types. Arrows choose, Enter takes; Tab takes
   what is chosen or begun, and goes on where nothing is: who only passes through the field leaves it again. */
const PAUSE_MS = 90;

export function completeFields() {
  for (const field of document.querySelectorAll("[data-complete]")) attach(field);
}

function attach(field) {
  const list = Object.assign(document.createElement("ul"), { className: "complete", hidden: true, id: `complete-${field.name}-${Math.random().toString(36).slice(2, 7)}` });
  list.setAttribute("role", "listbox");
  field.after(list);
  for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id })) field.setAttribute(name, value);
  let timer = 0;
  let turn = 0;
  let found = [];
  let chosen = -1;

  function close() {
    list.hidden = true;
    chosen = -1;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  }

  function choose(place) {
    chosen = place;
    [...list.children].forEach((row, at) => row.setAttribute("aria-selected", at === chosen));
    if (chosen < 0) return field.removeAttribute("aria-activedescendant");
    list.children[chosen].scrollIntoView({ block: "nearest" });
    return field.setAttribute("aria-activedescendant", list.children[chosen].id);
  }

  function take(place) {
    const one = found[place];
    const end = field.selectionStart;
    field.value = field.value.slice(0, one.start) + one.text + field.value.slice(end);
    const at = one.start + one.text.length;
    field.setSelectionRange(at, at);
    close();
    ask();
  }

  async function ask() {
    const mine = ++turn;
    const text = field.value.slice(0, field.selectionStart);
    let answer;
    try {
      const response = await fetch(`${field.dataset.complete}?text=${encodeURIComponent(text)}`);
      answer = response.ok ? await response.json() : { suggestions: [] };
    } catch {
      return;
    }
    if (mine !== turn || document.activeElement !== field || text !== field.value.slice(0, field.selectionStart)) return;
    found = answer.suggestions;
    draw(text);
  }

  const begun = (text) => text.slice(found[0]?.start ?? 0);

  function draw(text) {
    const typed = begun(text);
    const kept = list.children[chosen]?.firstElementChild.textContent; // an answer that comes late undoes no choice
    list.replaceChildren(...found.map((one, at) => {
      const row = Object.assign(document.createElement("li"), { id: `${list.id}-${at}` });
      row.setAttribute("role", "option");
      const word = Object.assign(document.createElement("b"), { textContent: one.text.trim() });
      row.append(word, Object.assign(document.createElement("span"), { textContent: one.title }));
      return row;
    }));
    if (!found.length || (found.length === 1 && found[0].text.trim() === typed)) return close();
    list.hidden = false;
    field.setAttribute("aria-expanded", "true");
    choose(found.findIndex((one) => one.text.trim() === kept));
  }

  field.addEventListener("input", () => {
    clearTimeout(timer);
    turn += 1; // an answer under way is to what was typed before
    chosen = -1;
    // What is shown fits what is typed at every moment, also before the lab has answered.
    const text = field.value.slice(0, field.selectionStart);
    found = found.filter((one) => one.start <= text.length && one.text.toLowerCase().replace(/^"/, "").startsWith(text.slice(one.start).toLowerCase()));
    draw(text);
    timer = setTimeout(ask, PAUSE_MS);
  });
  field.addEventListener("focus", () => field.value || ask());
  // At once: a close that came later would shut the list of whoever left the field and came straight back.
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      choose(chosen < 0 && step < 0 ? found.length - 1 : (chosen + step + found.length) % found.length);
    } else if (event.key === "Tab" ? !event.shiftKey && (chosen >= 0 || begun(field.value.slice(0, field.selectionStart))) : event.key === "Enter" && chosen >= 0) {
      event.preventDefault();
      take(Math.max(0, chosen));
    } else if (event.key === "Escape") {
      event.stopPropagation();
      event.preventDefault(); // a search field would be emptied, and ask for everything
      clearTimeout(timer);
      turn += 1; // an answer under way would open the list again
      close();
    }
  });
  // The field keeps the focus, also while the list is scrolled by its bar. Taken as it is pressed: the list may be another
  // one by the time it is let go.
  list.addEventListener("mousedown", (event) => {
    event.preventDefault();
    const row = event.target.closest("li");
    if (row && event.button === 0) take([...list.children].indexOf(row));
  });
}
