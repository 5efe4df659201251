/* Parts of a page with live counts: fetched anew while somebody looks, replaced where they have changed. */
import { paint } from "./ownkeys.js";
import { released } from "./pressed.js";

const QUIET_FACTOR = 5; // a lab in which nothing runs is asked less often

function parts() {
  return [...document.querySelectorAll("[data-refresh]")];
}

async function refresh() {
  const response = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  await released();
  paint(fresh); // as the page itself is painted: otherwise every part would seem changed
  for (const old of parts()) {
    const part = fresh.getElementById(old.id);
    if (part) keepOpen(old, part);
    // What a person holds stays: a part with the focus or a selection waits for the next time.
    if (!part || part.outerHTML === old.outerHTML || old.contains(document.activeElement)) continue;
    if (getSelection()?.rangeCount && !getSelection().isCollapsed && old.contains(getSelection().anchorNode)) continue;
    for (const box of old.querySelectorAll("input:checked")) {
      const same = [...part.querySelectorAll("input")].find((one) => one.name === box.name && one.value === box.value);
      if (same) same.checked = true;
    }
    old.replaceWith(document.adoptNode(part));
  }
}

/** What a reader has unfolded stays so; where other parts stand there now, it is not known which. */
function keepOpen(old, fresh) {
  const [before, now] = [old, fresh].map((part) => [...part.querySelectorAll("details")]);
  if (before.length === now.length) now.forEach((one, at) => (one.open = before[at].open));
}

export function keepFresh() {
  let turn = 0;
  const wait = () => Math.min(...parts().map((part) => Number(part.dataset.refresh))) * 1000;
  const tick = async () => {
    turn += 1;
    const busy = document.querySelector("[data-busy]");
    if (!document.hidden && (busy || turn % QUIET_FACTOR === 0)) await refresh().catch(() => {});
    setTimeout(tick, wait());
  };
  if (parts().length) setTimeout(tick, wait());
}
