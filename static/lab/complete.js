/* Completion of filters: fields and the values they have, asked for as one types. Arrows choose, Tab or Enter takes. */
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
    if (mine !== turn || document.activeElement !== field) return;
    found = answer.suggestions;
    draw(text);
  }

  function draw(text) {
    const typed = text.slice(found[0]?.start ?? 0);
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
    choose(-1);
  }

  field.addEventListener("input", () => {
    clearTimeout(timer);
    turn += 1; // an answer under way is to what was typed before
    // What is shown fits what is typed at every moment, also before the lab has answered.
    const text = field.value.slice(0, field.selectionStart);
    found = found.filter((one) => one.start <= text.length && one.text.toLowerCase().replace(/^"/, "").startsWith(text.slice(one.start).toLowerCase()));
    draw(text);
    timer = setTimeout(ask, PAUSE_MS);
  });
  field.addEventListener("focus", () => field.value || ask());
  field.addEventListener("blur", () => setTimeout(close, 150));
  field.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      choose((chosen + step + found.length) % found.length);
    } else if (event.key === "Tab" || (event.key === "Enter" && chosen >= 0)) {
      event.preventDefault();
      take(Math.max(0, chosen));
    } else if (event.key === "Escape") {
      event.stopPropagation();
      close();
    }
  });
  list.addEventListener("pointerdown", (event) => {
    const row = event.target.closest("li");
    if (!row) return;
    event.preventDefault();
    take([...list.children].indexOf(row));
  });
}
