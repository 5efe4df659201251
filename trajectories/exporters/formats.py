"""Every format that a run is exported to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from trajectories.exporters import lab_lines, markdown, otel, page
from trajectories.models import Run


@dataclass(frozen=True, slots=True)
class ExportFormat:
    name: str
    title: str
    media_type: str
    suffix: str
    export: Callable[[Run], str]

    def filename(self, run: Run) -> str:
        """Of letters, digits and dashes only, whatever the problem is called."""
        problem = "".join(c if c.isascii() and c.isalnum() else "-" for c in run.problem.external_id).strip(
            "-"
        )
        return f"run-{run.pk}-{problem[:60] or 'problem'}{self.suffix}"


FORMATS: dict[str, ExportFormat] = {
    known.name: known
    for known in (
        ExportFormat("jsonl", "JSON Lines", "application/jsonl", ".jsonl", lab_lines.export),
        ExportFormat("otel", "OpenTelemetry GenAI", "application/json", ".otlp.json", otel.export),
        ExportFormat("html", "One HTML file", "text/html", ".html", page.export),
        ExportFormat("md", "Markdown", "text/markdown", ".md", markdown.export),
    )
}
