/* <run-stream>: the live view of one run. A cursor over the run's gap-free event log; the socket is only the fast way.

   States: loading (history is behind), live, paused (what arrives is counted and kept), reconnecting, polling, ended.
   "Ended" comes from a stored final event alone. A frame whose number is not the next one sends us to the log. */
import { on, say } from "../acts.js";
import { answerOf } from "../answer.js";
import { released } from "../pressed.js";
import { apply, draft } from "./patch.js";

const FIRST_WAIT = 250;
const LONGEST_WAIT = 10_000;
const POLL_MS = 2_000;
const POLL_ENDED_MS = 15_000;
const FRAME_MS = 5_000;
const REFUSED = new Set([4400, 4403, 4404]);

class RunStream extends HTMLElement {
  connectedCallback() {
    this.last = Number(this.dataset.last);
    this.goal = this.last;
    this.caughtUp = true;
    this.ended = ["finished", "failed", "cancelled"].includes(this.dataset.status);
    this.paused = false;
    this.held = [];
    this.failures = 0;
    this.applying = Promise.resolve();
    this.abort = new AbortController();
    const { signal } = this.abort;
    on("pause", () => this.pause());
    addEventListener("online", () => this.wake(), { signal });
    document.addEventListener("visibilitychange", () => document.hidden || this.wake(), { signal });
    this.addEventListener("needs-frame", () => this.frame(), { signal });
    this.connect(); // an ended run is watched too: people judge it
    this.show();
  }

  disconnectedCallback() {
    this.abort.abort();
    this.close();
    clearInterval(this.poller);
    clearTimeout(this.catching);
  }

  // -- the socket

  connect() {
    clearTimeout(this.retry);
    this.close();
    const address = new URL(`${this.dataset.socket}?after=${this.last}`, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    this.socket = socket;
    socket.onopen = () => {
      this.opened = true;
    };
    socket.onmessage = (message) => {
      if (socket === this.socket) this.receive(JSON.parse(message.data));
    };
    socket.onclose = (event) => {
      if (socket === this.socket) this.lost(event);
    };
  }

  close() {
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  lost(event) {
    this.socket = null;
    if (REFUSED.has(event.code)) {
      if (!this.ended) this.show(true);
      return;
    }
    this.failures += 1;
    if (this.failures > 1 && !this.poller) this.poller = setInterval(() => this.poll(), this.ended ? POLL_ENDED_MS : POLL_MS);
    const longest = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (this.failures - 1));
    this.again = Date.now() + longest * (0.5 + Math.random() / 2);
    this.retry = setTimeout(() => this.connect(), this.again - Date.now());
    clearInterval(this.countdown);
    this.countdown = setInterval(() => this.show(), 500);
    this.show();
  }

  wake() {
    if (!this.socket || this.socket.readyState > WebSocket.OPEN) {
      this.connect();
    }
  }

  healthy() {
    this.failures = 0;
    clearInterval(this.poller);
    clearInterval(this.countdown);
    this.poller = null;
  }

  // -- frames

  receive(frame) {
    if (frame.t !== "hello" || frame.last <= this.last) this.healthy(); // one that only greets and breaks is none
    if (frame.t === "hello") {
      this.goal = Math.max(this.goal, frame.last);
      this.caughtUp = this.last >= this.goal;
      this.show();
    } else if (frame.t === "delta") {
      if (!this.paused && draft(frame)) this.dispatchEvent(new CustomEvent("run-draft"));
    } else if (this.paused) {
      this.keep(frame);
      this.show();
    } else {
      this.enqueue(frame);
    }
  }

  /** One after the other: a frame that waits for the log holds back those behind it. */
  enqueue(frame) {
    this.applying = this.applying
      .then(() => this.take(frame))
      .catch((error) => {
        console.error(error);
        this.behind(frame.seq);
      });
  }

  async take(frame) {
    if (!this.paused && frame.seq > this.last + 1) await this.fetch();
    await released();
    if (this.paused) this.keep(frame);
    else if (frame.seq === this.last + 1) this.apply(frame);
    this.show();
  }

  /** A socket that was lost meanwhile and came back tells again what is held already. */
  keep(frame) {
    if (frame.seq <= this.last || this.held.some((other) => other.seq === frame.seq)) return;
    this.held.push(frame);
    this.held.sort((one, other) => one.seq - other.seq);
  }

  apply(frame) {
    const added = [];
    for (const patch of frame.patches) {
      const done = apply(patch);
      if (done?.added && done.element.matches(".step")) added.push(done.element);
    }
    this.last = frame.seq;
    this.dataset.last = frame.seq;
    if (this.last >= this.goal) this.caughtUp = true;
    if (frame.kind === "run.finished") this.end();
    else if (this.ended && frame.kind === "run.started") this.resume(); // somebody retried it
    document.getElementById("waiting")?.remove();
    this.dispatchEvent(new CustomEvent("run-event", { detail: { kind: frame.kind, added, loading: !this.caughtUp } }));
  }

  end() {
    this.ended = true;
    this.dataset.status = document.getElementById("run-head")?.dataset.status ?? "finished";
    say(`Run ended: ${document.querySelector("#run-head .pill:last-of-type")?.textContent ?? this.dataset.status}`);
  }

  resume() {
    this.ended = false;
    this.dataset.status = "running";
  }

  // -- the log

  async fetch() {
    for (;;) {
      const response = await answerOf(`${this.dataset.patches}?after=${this.last}`, { headers: { accept: "application/json" } });
      const { events, last } = await response.json();
      await released();
      if (this.paused) return; // meanwhile: nothing moves then
      for (const event of events) if (event.seq === this.last + 1) this.apply(event);
      if (!events.length || this.last >= last) return;
    }
  }

  poll() {
    if (this.paused || document.hidden) return this.applying;
    this.applying = this.applying
      .then(() => this.fetch())
      .then(() => this.show())
      .catch(() => this.show());
    return this.applying;
  }

  /** The log could not be read up to `seq`. The socket may have nothing more to bring, so it is asked again. */
  behind(seq) {
    this.goal = Math.max(this.goal, seq);
    this.caughtUp = this.last >= this.goal;
    clearTimeout(this.catching);
    if (!this.caughtUp) this.catching = setTimeout(() => this.poll().then(() => this.behind(seq)), POLL_MS);
    this.show();
  }

  /** Header and lanes with the present time: the drawn axis has been outgrown. */
  async frame() {
    if (this.ended || this.paused || Date.now() - (this.framed ?? 0) < FRAME_MS) return;
    this.framed = Date.now();
    const asked = this.last;
    const answer = await answerOf(`${this.dataset.patches}?frame=1`).then((response) => response.json()).catch(() => null);
    if (!answer) return;
    await released();
    if (this.last !== asked || this.paused) return; // an event brought its own, which may be newer: the ending has no successor
    answer.patches.forEach(apply);
    this.show();
  }

  // -- pausing

  pause() {
    if (this.ended && !this.paused) return;
    this.paused = !this.paused;
    if (!this.paused) {
      const held = this.held;
      this.held = [];
      held.forEach((frame) => this.enqueue(frame));
      if (!this.socket) this.poll();
    }
    this.show();
  }

  state() {
    if (this.paused) return ["paused", this.held.length ? `Paused (${this.held.length} new)` : "Paused"];
    if (this.ended) return ["ended", "Ended"];
    if (this.failures) return this.waiting();
    if (!this.caughtUp) return ["loading", `Loading ${this.last}/${this.goal}`];
    return this.opened ? ["live", "Live"] : ["reconnecting", "Connecting"];
  }

  waiting() {
    const seconds = Math.max(0, Math.ceil((this.again - Date.now()) / 1000));
    return ["reconnecting", seconds ? `Reconnecting in ${seconds} s` : "Reconnecting"];
  }

  show(refused = false) {
    const pill = document.getElementById("live");
    if (!pill) return;
    const [state, text] = refused ? ["ended", "Not allowed"] : this.state();
    if (pill.dataset.state !== state) pill.dataset.state = state;
    pill.disabled = state === "ended";
    const [words, small] = [pill.firstElementChild, pill.querySelector("small")];
    if (words.textContent !== text) words.textContent = text;
    small.textContent = `event ${this.last}`;
  }
}

customElements.define("run-stream", RunStream);
