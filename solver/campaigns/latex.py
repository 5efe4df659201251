"""The main table of a report for a paper (needs the `booktabs` package)."""

from __future__ import annotations

from solver.benchmarks.interval import Estimate
from solver.campaigns.report import Against, CellReport, Report

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "·": r"\(\cdot\)",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}


def escape(text: str) -> str:
    return "".join(_ESCAPES.get(character, character) for character in text if character.isprintable())


def table(report: Report) -> str:
    ks = [at.k for at in report.cells[0].pass_at]
    against = {found.cell.pk: found for found in report.against}
    head = [
        *("System", "$n$", *(f"pass@{k} (\\%)" for k in ks)),
        *("First program", "Debugged", "Format failures", "Calls", "k tokens", "$p$"),
    ]
    rows = [_row(cell, against.get(cell.cell.pk)) for cell in report.cells]
    lines = [
        f"% Campaign {report.campaign.pk}, spec {report.campaign.spec_digest[:12]}, code {escape(report.campaign.code_version)}",
        rf"\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}",
        r"\toprule",
        " & ".join(head) + r" \\",
        r"\midrule",
        *(" & ".join(row) + r" \\" for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
        *(f"% {escape(note)}" for note in _footnotes(report)),
    ]
    return "\n".join(lines) + "\n"


def _row(found: CellReport, against: Against | None) -> list[str]:
    return [
        escape(found.cell.name),
        str(found.problems),
        *(_share(at.estimate) for at in found.pass_at),
        *(_percent(found.first_try.value), _percent(found.repaired.value)),
        f"{found.format_failures} ({found.rescued})",
        f"{found.calls.value:.1f}",
        f"{found.tokens.value / 1000:.1f}",
        _p(against.comparison.test.p) if against else "--",
    ]


def _share(estimate: Estimate) -> str:
    if not estimate.n:
        return "--"
    return f"{_percent(estimate.value)} [{_percent(estimate.low)}, {_percent(estimate.high)}]"


def _percent(rate: float) -> str:
    return f"{rate * 100:.1f}"


def _p(p: float) -> str:
    return r"\(<\)0.001" if p < 0.001 else f"{p:.3f}"


def _footnotes(report: Report) -> list[str]:
    return [
        "n: distinct problems. Intervals: 95 %, Wilson. Format failures: refused by the strict parser (of them rescued).",
        f"p: McNemar against {report.baseline.name}, two-sided, not corrected for several comparisons.",
        *report.notes,
    ]
