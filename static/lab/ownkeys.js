/* A reader's own keys: the lab's name of a key to the one they press instead. Always an exchange, so that no key is lost
   and none does two things. Kept by the lab for each reader; this browser holds a copy so that no page waits for it. */
import { answerOf } from "./answer.js";
import { formKey } from "./form_key.js";

const STORE = "mcl-keys";
const box = () => document.getElementById("palette");
const store = () => `${STORE}:${box()?.dataset.reader ?? ""}`;
const unsent = () => `${store()}:unsent`; // there where the lab does not have the copy yet
let sending = Promise.resolve();

function read() {
  try {
    return JSON.parse(localStorage.getItem(store()) ?? "{}");
  } catch {
    return {};
  }
}

export const pressedInstead = (name) => read()[name] ?? name;

async function send() {
  const text = localStorage.getItem(store());
  try {
    await answerOf(box().dataset.keys, { method: "POST", keepalive: true, headers: { "content-type": "application/json", "x-csrftoken": formKey() }, body: text });
    if (localStorage.getItem(store()) === text) localStorage.removeItem(unsent());
  } catch {
    /* The next visit sends it. */
  }
}

export const ownKeys = {
  keptIn: (key) => key === store(),

  /** What a pressed key means to the lab; nothing, where it was given away. */
  meaning(pressed) {
    const map = read();
    for (const [name, instead] of Object.entries(map)) if (instead === pressed) return name;
    return pressed in map ? "" : pressed;
  },

  /** `name` is pressed as `pressed` from now on, and what that did is pressed as `name` was. */
  exchange(name, pressed) {
    const map = read();
    const before = pressedInstead(name);
    const other = this.meaning(pressed) || pressed;
    map[name] = pressed;
    map[other] = before;
    for (const [key, value] of Object.entries(map)) if (key === value) delete map[key];
    this.keep(map);
  },

  reset() {
    this.keep({});
  },

  keep(map) {
    localStorage.setItem(store(), JSON.stringify(map));
    localStorage.setItem(unsent(), "yes");
    sessionStorage.setItem(store(), "loaded");
    paint();
    sending = sending.then(send); // one after the other: of two on their way at once the lab might keep the older
  },

  /** Once a visit: what the lab keeps for this reader wins over the copy. */
  async load() {
    if (!box() || sessionStorage.getItem(store())) return paint();
    if (localStorage.getItem(unsent())) return this.keep(read());
    try {
      const { keys } = await (await answerOf(box().dataset.keys)).json();
      // A key that was exchanged before the answer came is newer than the answer.
      if (keys && !sessionStorage.getItem(store())) {
        localStorage.setItem(store(), JSON.stringify(keys));
        sessionStorage.setItem(store(), "loaded");
      }
    } catch {
      /* The copy serves. */
    }
    return paint();
  },
};

/** The hints on buttons say what is really pressed. */
export function paint(root = document) {
  const map = read();
  for (const element of root.querySelectorAll("[aria-keyshortcuts]")) {
    const cap = element.querySelector(":scope > kbd");
    if (!cap) continue;
    cap.dataset.usual ??= cap.textContent;
    const names = element.getAttribute("aria-keyshortcuts").split(" ");
    const mine = names.find((name) => name in map);
    cap.textContent = mine ? map[mine].replace(/^Shift\+(.)$/, "$1") : cap.dataset.usual;
  }
}
