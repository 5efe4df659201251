/* The journal of judgements: written to this browser before it is sent, removed once the lab has it.
   Every entry carries a key of its own, so sending it twice says nothing twice. Entries go in order, one at a time. */
const STORE = "mcl-journal";
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;

export class Journal {
  constructor({ url, actor, onState, onAnswer, onRefused }) {
    Object.assign(this, { url, actor, onState, onAnswer, onRefused });
    this.wait = FIRST_WAIT_MS;
    this.sending = false;
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
    return this.entries().filter((entry) => entry.actor === this.actor);
  }

  put(body) {
    const entry = { key: crypto.randomUUID(), actor: this.actor, body };
    localStorage.setItem(STORE, JSON.stringify([...this.entries(), entry]));
    this.flush();
    return entry.key;
  }

  drop(key) {
    localStorage.setItem(STORE, JSON.stringify(this.entries().filter((entry) => entry.key !== key)));
  }

  tell(state, text = "") {
    this.onState(state, text, this.mine().length);
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
        } catch {
          this.tell("offline");
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
    } finally {
      this.sending = false;
    }
  }

  /** Throws where it should be tried again: no network, or a server that cannot answer now. */
  async send(entry) {
    const csrf = document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";
    const response = await fetch(this.url, {
      method: "POST",
      headers: { "content-type": "application/json", "x-csrftoken": csrf },
      body: JSON.stringify({ ...entry.body, key: entry.key }),
      keepalive: JSON.stringify(entry.body).length < 50_000,
    });
    if (response.status >= 500 || response.status === 429 || response.redirected) throw new Error("later");
    if (!response.ok && response.status !== 400) return { error: `The lab refused it (${response.status})` };
    return response.json();
  }
}
