/* The maps of blame and coverage: fetched after the page, replaced when another view of them is chosen. */
export async function loadMaps(box, address = box?.dataset.maps) {
  if (!box) return;
  try {
    const response = await fetch(address, { headers: { "x-part": "maps" } });
    if (response.ok) box.innerHTML = await response.text();
  } catch {
    /* The link to the page of maps stays. */
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("#maps [data-map]");
  if (!link) return;
  event.preventDefault();
  loadMaps(document.getElementById("maps"), link.href);
});
