/* <lane-timeline>: upgrades the server's drawing. Moves "now" and the running bar between two drawings, shrinks to one
   line while the reader is deep in the steps, and frames the selected step. */
const TICK_MS = 250;
const EDGE = 97; // percent; beyond it the axis is drawn anew

class LaneTimeline extends HTMLElement {
  connectedCallback() {
    this.born = performance.now();
    this.classList.toggle("compact", LaneTimeline.compact);
    this.timer = this.dataset.rate ? setInterval(() => this.tick(), TICK_MS) : 0;
    if (LaneTimeline.compact) this.shrink();
    this.mark(document.querySelector(".step[aria-current]")?.id);
    this.onclick = (event) => {
      const bar = event.target.closest?.("[data-step]");
      if (bar) location.hash = bar.dataset.step;
    };
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  /** The one-line view: the same bars on one row. */
  shrink() {
    const mini = this.querySelector(".mini");
    if (!mini || mini.firstChild) return;
    for (const group of this.querySelectorAll("[data-step]")) {
      const bar = group.querySelector(".bar").cloneNode();
      bar.setAttribute("y", 3);
      bar.setAttribute("height", 8);
      bar.dataset.agent = group.dataset.agent;
      mini.append(bar);
    }
    for (const mark of this.querySelectorAll(".time .m-fail, .time .m-stop, .time .m-blame")) {
      const copy = mark.cloneNode(true);
      copy.setAttribute("y", -1);
      mini.append(copy);
    }
  }

  tick() {
    if (document.hidden || this.closest("run-stream")?.paused) return;
    const passed = ((performance.now() - this.born) / 1000) * Number(this.dataset.rate);
    const now = Number(this.dataset.now) + passed;
    if (now > EDGE) {
      this.dispatchEvent(new CustomEvent("needs-frame", { bubbles: true }));
      return;
    }
    if (!this.querySelector(".bar.running")) return; // nothing runs: the gap is not drawn until it ends
    const line = this.querySelector("line.now");
    line?.setAttribute("x1", `${now}%`);
    line?.setAttribute("x2", `${now}%`);
    this.querySelector("text.nowt")?.setAttribute("x", `${now}%`);
    this.querySelectorAll("rect.running").forEach((bar) => bar.setAttribute("width", `${Math.max(0.25, now - parseFloat(bar.getAttribute("x")))}%`));
  }

  /** Frame the bar of the step `id`, and say where the reader is. */
  mark(id) {
    const frame = this.querySelector("rect.sel");
    const bar = id && this.querySelector(`[data-step="${CSS.escape(id)}"] rect.bar`);
    if (!frame) return;
    frame.setAttribute("visibility", bar ? "visible" : "hidden");
    if (!bar) return;
    frame.setAttribute("x", bar.getAttribute("x"));
    frame.setAttribute("width", bar.getAttribute("width"));
    frame.setAttribute("y", Number(bar.getAttribute("y")) - 2);
    const where = document.getElementById(id)?.dataset.where;
    if (where) this.querySelector(".here").textContent = where;
  }
}
LaneTimeline.compact = false;
customElements.define("lane-timeline", LaneTimeline);

addEventListener(
  "scroll",
  () => {
    const head = document.getElementById("run-head");
    if (!head) return;
    // Two thresholds, so that the change of height itself never toggles it back.
    const compact = scrollY > head.offsetHeight + (LaneTimeline.compact ? 120 : 300);
    if (compact === LaneTimeline.compact) return;
    LaneTimeline.compact = compact;
    const lanes = document.querySelector("lane-timeline");
    lanes?.classList.toggle("compact", compact);
    if (compact) lanes?.shrink();
  },
  { passive: true },
);
