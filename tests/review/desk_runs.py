"""Runs for the desk: failed ones to blame, branches that show a correction, accepted ones to learn from."""

from __future__ import annotations

from typing import Any

from tests.factories import make_problem
from tests.pages.telling import FIRST, MENDED, PLAN, RECALLED, Teller, whole_run
from trajectories.models import Problem, Run


def problem(number: int = 1, **changes: Any) -> Problem:
    base: dict[str, Any] = {
        "id": f"desk/{number}",
        "title": f"Desk problem {number}",
        "statement": f"Print {number}.",
        "tags": ["dp", "graphs"],
        "difficulty": "easy",
        "licence": "MIT",
    }
    return make_problem(**{**base, **changes})


def failed_run(about: Problem | None = None, code: str = FIRST, **changes: Any) -> Run:
    """Steps: 1 retrieval, 2 planning, 3 coding, 4 judge (hidden)."""
    teller = Teller(about or problem(), **changes)
    teller.begin()
    teller.ask("retrieval", RECALLED)
    teller.ask("planning", PLAN, PLAN, gist="after exemplar 1", detail={"exemplar": 1})
    teller.ask("coding", code, f"```python\n{code}\n```", attempt=1)
    teller.test(code, ["AC", "WA", "WA"], suite="hidden")
    return teller.end(verdict="WA", code=code)


def correction_of(parent: Run, at: int = 3, verdict: str = "AC", kind: str = "edit") -> Run:
    """A branch whose step `at` is mended, and what came of it."""
    run = failed_run(parent.problem, MENDED if verdict == "AC" else FIRST + "\n")
    change = {
        "at": at,
        "kind": kind,
        "text": MENDED,
        "models": {},
        "temperature": None,
        "draw": 0,
        "actor": "anna",
    }
    Run.objects.filter(pk=run.pk).update(
        branch_of=parent, branch=change, verdict=verdict, strip="aaa", passed=3, total=3
    )
    run.refresh_from_db()
    return run


__all__ = ["MENDED", "correction_of", "failed_run", "problem", "whole_run"]
