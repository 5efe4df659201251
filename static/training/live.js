/* The parts of a training run that change, asked for again every second while somebody looks. A closed page changes nothing:
   the run belongs to its worker. */
import { answerOf } from "../lab/answer.js";
import { idle } from "../lab/dialogs.js";
import { heldFocus } from "../lab/focus.js";
import { released } from "../lab/pressed.js";

const EVERY_MS = 1000;
const SLOWEST_MS = 15000;

class TrainingLive extends HTMLElement {
  connectedCallback() {
    this.wait = EVERY_MS;
    if (!this.ended) this.later();
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  get state() {
    return this.querySelector("[data-seq]")?.dataset.seq ?? "";
  }

  get ended() {
    return this.querySelector("[data-ended]") !== null;
  }

  later() {
    this.timer = setTimeout(() => this.refresh(), document.hidden ? 5 * this.wait : this.wait);
  }

  /* What somebody reads stays: scrolled token boxes keep their place, and what has the focus keeps it. */
  replace(html) {
    const places = [...this.querySelectorAll(".tok")].map((box) => box.scrollTop);
    const focus = heldFocus(this);
    this.innerHTML = html;
    focus(this);
    this.querySelectorAll(".tok").forEach((box, at) => (box.scrollTop = places[at] ?? 0));
  }

  async refresh() {
    try {
      const address = new URL(this.dataset.url, location.href);
      new URLSearchParams(location.search).getAll("with").forEach((run) => address.searchParams.append("with", run));
      address.searchParams.set("after", this.state);
      const answer = await answerOf(address);
      const html = await answer.text();
      await released();
      if (answer.status === 200) this.replace(html);
      this.wait = EVERY_MS;
    } catch {
      this.wait = Math.min(SLOWEST_MS, this.wait * 2);
    }
    if (this.ended) return idle().then(() => location.reload());
    this.later();
  }
}
customElements.define("training-live", TrainingLive);
