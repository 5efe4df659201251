/* The journal of judgements: written to this browser before it is sent, removed once the lab has it.
   Every entry carries a key of its own, so sending it twice says nothing twice. Entries go in order, one at a time.
   What a browser has no room for is sent all the same; until then only this page holds it. */
import { formKey } from "../form_key.js";

const STORE = "mcl-journal";
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;
const SIGNED_OUT = "signed-out";

/** A UUID, also where the lab is reached without TLS and `crypto.randomUUID` is therefore missing. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

export class Journal {
  constructor({ url, actor, onState, onAnswer, onRefused }) {
    Object.assign(this, { url, actor, onState, onAnswer, onRefused });
    this.wait = FIRST_WAIT_MS;
    this.sending = false;
    this.troubled = false; // it stands on the page that something waits
    this.unstored = []; // said on this page, and the browser's storage refused it
    addEventListener("online", () => {
      this.wait = FIRST_WAIT_MS; // also for a try that is under way and about to fail
      this.flush();
    });
    addEventListener("offline", () => this.tell("offline"));
    document.addEventListener("visibilitychange", () => document.hidden || this.flush());
    this.flush();
  }

  entries() {
    try {
      return JSON.parse(localStorage.getItem(STORE) ?? "[]");
    } catch {
      return [];
    }
  }

  /** Those of the person who is signed in; another's wait for them. */
  mine() {
    return [...this.entries().filter((entry) => entry.actor === this.actor), ...this.unstored];
  }

  put(body) {
    const entry = { key: newKey(), actor: this.actor, body };
    try {
      if (this.unstored.length) throw new Error("those before it go first");
      localStorage.setItem(STORE, JSON.stringify([...this.entries(), entry]));
    } catch {
      this.unstored.push(entry);
    }
    this.flush();
    return entry.key;
  }

  drop(key) {
    this.unstored = this.unstored.filter((entry) => entry.key !== key);
    const stored = this.entries();
    const left = stored.filter((entry) => entry.key !== key);
    if (left.length < stored.length) localStorage.setItem(STORE, JSON.stringify(left));
  }

  tell(state, text = "") {
    const kept = this.unstored.length ? "on this page alone, for this browser's storage is full: leave it open" : "in this browser";
    this.troubled = state === "offline" || state === SIGNED_OUT;
    this.onState(state, text, `${this.mine().length} kept ${kept}`);
  }

  async flush() {
    if (this.sending) return;
    this.sending = true;
    clearTimeout(this.timer);
    try {
      for (let entry; (entry = this.mine()[0]); ) {
        this.tell("saving");
        let answer;
        try {
          answer = await this.send(entry);
        } catch (reason) {
          this.tell(reason.message === SIGNED_OUT ? SIGNED_OUT : "offline");
          this.timer = setTimeout(() => this.flush(), this.wait);
          this.wait = Math.min(LONGEST_WAIT_MS, this.wait * 2);
          return;
        }
        this.wait = FIRST_WAIT_MS;
        this.drop(entry.key);
        if (answer.error) {
          this.tell("refused", answer.error);
          this.onRefused(entry, answer.error);
        } else {
          this.tell("saved");
          this.onAnswer(entry, answer);
        }
      }
      if (this.troubled) this.tell("saved"); // nothing waits any more: nothing did, or another tab has sent it
    } finally {
      this.sending = false;
    }
  }

  /** Throws where it should be tried again: no network, or a server that cannot answer now. */
  async send(entry) {
    const response = await fetch(this.url, {
      method: "POST",
      headers: { "content-type": "application/json", "x-csrftoken": formKey() },
      // Whoever has signed in meanwhile, in another tab, has not said this: the lab refuses it then.
      body: JSON.stringify({ ...entry.body, key: entry.key, actor: entry.actor }),
      keepalive: JSON.stringify(entry.body).length < 50_000,
    });
    // To the sign-in, or refused for a token that a sign-in elsewhere has exchanged: every tab shares what one signs in.
    if (response.redirected || response.status === 401 || response.status === 403) throw new Error(SIGNED_OUT);
    if (response.status >= 500 || response.status === 429) throw new Error("later");
    if (!response.ok && response.status !== 400) return { error: `The lab refused it (${response.status})` };
    return response.json();
  }
}
