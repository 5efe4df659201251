"""One run as one HTML file that opens from disk, needs nothing else, and can be imported again.

Its content security policy allows the one style sheet inside it, by digest, and nothing else: no script runs, whatever a
model wrote. The run's own lines (`exporters.lab_lines`) stand in a data block, escaped so that no text can end it.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from trajectories import run_page, story
from trajectories.exporters import lab_lines
from trajectories.models import Run, StepEvent
from trajectories.traces.lab_run import HTML_BLOCK

STYLE = Path(__file__).with_name("page.css")
# A data block ends at `</script` and changes its rules at `<!--`; without `<` neither can appear. JSON reads the escapes.
_ESCAPES = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


def export(run: Run) -> str:
    told = story.tell(run)
    run_page.fill(run, list(told.cards.values()))
    style = STYLE.read_text(encoding="utf-8")
    context = {
        "run": run,
        "items": told.items(),
        "prompts": _prompts(run),
        "statement": run_page.statement(run.problem_id),
        "tags": run.problem.tag_names,
        "style": mark_safe(style),  # a file of the lab
        "policy": policy(style),
        "block": HTML_BLOCK,
        "data": data_block(run),
    }
    return render_to_string("exports/run.html", context)


def policy(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def block(lines: list[str]) -> str:
    """A JSON list of lines, in which nothing can end or change the element around it."""
    return "[" + ",\n".join(lines).translate(_ESCAPES) + "]"


def data_block(run: Run) -> SafeString:
    """The lines of the JSON Lines export."""
    return mark_safe(block(lab_lines.export(run).rstrip("\n").split("\n")))


def _prompts(run: Run) -> dict[int, list[dict[str, Any]]]:
    """The messages of each step's latest start."""
    rows = StepEvent.objects.filter(run=run, kind="step.started").order_by("seq")
    return {
        step: messages for step, messages in rows.values_list("step", "payload__messages") if step is not None
    }
