/* The progress line of a running campaign, asked for again every two seconds while somebody looks. The figures below are
   those of the last full load; when the campaign stops they are loaded anew. */
import { answerOf } from "../lab/answer.js";
import { idle } from "../lab/dialogs.js";
import { heldFocus } from "../lab/focus.js";
import { released } from "../lab/pressed.js";

const EVERY_MS = 2000;
const SLOWEST_MS = 30000;

class CampaignProgress extends HTMLElement {
  connectedCallback() {
    this.wait = EVERY_MS;
    if (this.status === "running") this.later();
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  get status() {
    return this.querySelector("[data-status]")?.dataset.status;
  }

  later() {
    this.timer = setTimeout(() => this.refresh(), this.wait);
  }

  async refresh() {
    if (document.hidden) return this.later();
    try {
      const html = await (await answerOf(this.dataset.url)).text();
      await released();
      const focus = heldFocus(this);
      this.innerHTML = html;
      focus(this);
      this.wait = EVERY_MS;
    } catch {
      this.wait = Math.min(SLOWEST_MS, this.wait * 2);
    }
    if (this.status !== "running") return idle().then(() => location.reload());
    this.later();
  }
}
customElements.define("campaign-progress", CampaignProgress);
