/* The progress line of a running campaign, asked for again every two seconds while somebody looks. The figures below are
   those of the last full load; when the campaign stops they are loaded anew. */
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
      const answer = await fetch(this.dataset.url);
      if (!answer.ok) throw new Error(String(answer.status));
      this.innerHTML = await answer.text();
      this.wait = EVERY_MS;
    } catch {
      this.wait = Math.min(SLOWEST_MS, this.wait * 2);
    }
    if (this.status !== "running") return location.reload();
    this.later();
  }
}
customElements.define("campaign-progress", CampaignProgress);
