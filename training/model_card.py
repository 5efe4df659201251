"""The card that travels with an adapter: what it is, what it was made from, how it did. Every number from its row."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from solver.engines.adapters import BASE_CARD, CONFIG, WEIGHTS
from training import evaluation
from training.lora_spec import to_yaml

if TYPE_CHECKING:
    from training.models import Adapter


def text(adapter: Adapter) -> str:
    lines = [
        "---",
        "library_name: peft",
        f"base_model: {json.dumps(adapter.spec.get('base') or Path(adapter.base).name)}",
        "tags: [lora, mapcoder-lite]",
        "---",
        f"# {adapter.role} adapter {adapter.name}",
        "",
        f"A LoRA adapter for the {adapter.role} agent of MapCoder-Lite.",
        "",
        f"- rank {adapter.rank} on {', '.join(adapter.modules)}: {adapter.parameters:,} parameters, {adapter.size:,} bytes",
        f"- SHA-256 of the weights: `{adapter.digest}`",
        f"- base fingerprint (SHA-256 over its weights files): `{adapter.base_fingerprint or 'not recorded'}`",
        f"- chat template (SHA-256): `{adapter.template_digest or 'not recorded'}`",
    ]
    if adapter.dataset is not None:
        lines.append(
            f"- dataset: {adapter.dataset}, {adapter.dataset.row_count:,} rows, digest `{adapter.dataset.digest}`"
        )
        lines.append(f"- licences of its rows: {', '.join(licences(adapter)) or 'none recorded'}")
    if before := started_from(adapter):
        lines.append(f"- trained on by DPO from the adapter `{before}`")
    if adapter.imported_from:
        lines.append(f"- imported from `{adapter.imported_from}`; its training is not recorded here")
    lines += ["", *_results(adapter)]
    if adapter.spec:
        lines += ["", "## Training", "", "```yaml", to_yaml(adapter.spec).rstrip(), "```"]
    return "\n".join(lines) + "\n"


def started_from(adapter: Adapter) -> str:
    """The name of the adapter it was trained on from, as its trainer wrote it down; "" for one that began on the base."""
    try:
        card = json.loads((adapter.folder / BASE_CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return str(card.get("started_from") or "") if isinstance(card, dict) else ""


def licences(adapter: Adapter) -> list[str]:
    from training.models import Example

    found = Example.objects.filter(rows__version=adapter.dataset_id).exclude(licence="")
    return sorted(set(found.values_list("licence", flat=True)))


def _results(adapter: Adapter) -> list[str]:
    lines = ["## Results", ""]
    measured = adapter.metrics
    if measured:
        lines.append(
            f"Trained {measured.get('steps')} of {measured.get('of')} steps; last training loss {measured.get('loss')}, "
            f"loss on {measured.get('eval_rows')} held-out rows {measured.get('eval_loss')}."
        )
    result = evaluation.latest(adapter)
    if result:
        lines.append(
            f"Against the base on the same {result['n']} problems: {_paired(result)}; adapters tried together: "
            f"{', '.join(result['together'])}."
        )
        if served := result.get("served"):
            lines.append(f"Against what served then ({_served(served['roles'])}): {_paired(served)}.")
    else:
        lines.append("Not evaluated against the base.")
    return lines


def _paired(result: dict[str, Any]) -> str:
    return (
        f"{result['points']:+.1f} points [{result['low']:+.1f}, {result['high']:+.1f}] (95 %, paired), {result['won']} won, "
        f"{result['lost']} lost, exact McNemar p = {result['p']:.3g}"
    )


def _served(roles: dict[str, str]) -> str:
    return ", ".join(f"{role}: {name}" for role, name in roles.items())


def archive(adapter: Adapter) -> bytes:
    """The adapter in PEFT's format, with its card, as a zip file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as target:
        for name in (WEIGHTS, CONFIG, BASE_CARD):
            if (file := adapter.folder / name).is_file():
                target.write(file, f"{adapter.name}/{name}")
        target.writestr(f"{adapter.name}/README.md", text(adapter))
    return made.getvalue()
