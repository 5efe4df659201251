"""Runs told event by event, as a worker would write them, for the pages to show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.factories import claimed_run, step_finished, step_started
from trajectories import eventlog, events
from trajectories.models import Problem, Run
from trajectories.verdicts import strip

FIRST = "def add(a, b):\n    return a - b\n\nprint(add(*map(int, input().split())))"
MENDED = FIRST.replace("a - b", "a + b")
RECALLED = {
    "algorithm": "Addition: put two amounts together.",
    "exemplars": [
        {"description": "Count the apples of two baskets.", "planning": "Add both.", "code": "print(1 + 1)"},
        {"description": "Lengths of two ropes.", "planning": "Add both lengths.", "code": ""},
    ],
}
PLAN = "1. Read both numbers.\n2. Print their sum."


class Teller:
    """Writes events into a run it holds; counts steps as the recorder does. `watch` is called after every event."""

    def __init__(self, problem: Problem | None = None, **changes: Any) -> None:
        self.watch: Callable[[int], object] = changes.pop("watch", lambda last: None)
        self.run, self.fence = claimed_run(problem, **changes)
        self.step = 0

    def tell(self, *told: events.Event) -> int:
        last = eventlog.append(self.run.pk, list(told), fence=self.fence)
        self.watch(last)
        return last

    def begin(self) -> None:
        self.tell(events.RunStarted(fence=self.fence, worker="infer-1", code_version="test"))

    def ask(
        self, role: str, value: Any, text: str = "", *, attempt: int = 0, gist: str = "", **more: Any
    ) -> int:
        """A finished model step. `more` may hold `detail` for its start and fields of the parse result."""
        self.start(role, attempt=attempt, gist=gist, detail=more.pop("detail", {}))
        return self.answer(value, text or str(value), **more)

    def start(self, role: str, **changes: Any) -> int:
        self.step += 1
        return self.tell(step_started(self.step, role=role, template=f"lab/{role}.v1", **changes))

    def answer(self, value: Any, text: str, **parse: Any) -> int:
        whole = {"usable": value is not None, "value": value, **parse}
        return self.tell(step_finished(self.step, text, parse=whole))

    def test(
        self, code: str, verdicts: list[str], *, suite: str = "samples", attempt: int = 1, **result: Any
    ) -> int:
        """A judge step; `result` overrides fields of every failing test's entry in the report."""
        self.step += 1
        self.tell(
            events.TestsStarted.model_validate(
                {
                    "step": self.step,
                    "attempt": attempt,
                    "suite": suite,
                    "language": "python",
                    "code": code,
                    "code_digest": "0" * 64,
                    "total": len(verdicts),
                }
            )
        )
        verdict = next((v for v in verdicts if v != "AC"), "AC")
        passed, total = verdicts.count("AC"), len(verdicts)
        report = {
            "verdict": verdict,
            "passed": passed,
            "total": total,
            "language": "python",
            "compiler_output": "",
            "reason": "",
            "flags": [],
            "environment": {"level": "L2", "reasons": []},
            "results": [_result(index, v, result) for index, v in enumerate(verdicts)],
        }
        finished = {"step": self.step, "suite": suite, "verdict": verdict, "passed": passed, "total": total}
        return self.tell(
            events.TestsFinished.model_validate(
                {**finished, "strip": strip(verdicts), "seconds": 0.4, "report": report}
            )
        )

    def note(self, name: str, **detail: Any) -> int:
        return self.tell(events.Note(name=name, detail=detail))

    def end(self, **changes: Any) -> Run:
        base = {
            "status": "finished",
            "reason": "all samples passed",
            "verdict": "AC",
            "code": MENDED,
            "attempt": 1,
        }
        self.tell(events.RunFinished.model_validate({**base, **changes}))
        self.run.refresh_from_db()
        return self.run


def _result(index: int, verdict: str, wrong: dict[str, Any]) -> dict[str, Any]:
    entry = {
        "index": index,
        "verdict": verdict,
        "reason": "",
        "cpu_s": 0.01,
        "wall_s": 0.02,
        "memory_mb": 12.0,
        "stdout": "",
        "stderr": "",
        "expected": "",
        "first_diff": None,
        "flags": [],
    }
    if verdict != "AC":
        entry |= {
            "stdout": "-1\n",
            "expected": "3\n",
            "first_diff": {"index": 0, "got": "-1", "want": "3"},
            **wrong,
        }
    return entry


def whole_run(problem: Problem | None = None, **changes: Any) -> Run:
    """Recall, two plans, a program that fails, a repair that passes, the verdict: sixteen events and more."""
    teller = Teller(problem, **changes)
    teller.begin()
    prepare(teller)
    teller.ask("coding", FIRST, f"```python\n{FIRST}\n```", attempt=1)
    teller.test(FIRST, ["WA"])
    teller.ask("debugging", MENDED, f"1. It subtracts.\n2. Add instead.\n```python\n{MENDED}\n```", attempt=1)
    teller.test(MENDED, ["AC"])
    teller.test(MENDED, ["AC", "AC", "AC"], suite="hidden")
    return teller.end()


def prepare(teller: Teller) -> None:
    teller.ask("retrieval", RECALLED)
    for number, score in ((1, 40), (2, 90)):
        detail = {"exemplar": number}
        teller.ask("planning", PLAN, gist=f"after exemplar {number}", detail=detail)
        stated = {"score": score, "explanation": f"It is {score} % right."}
        teller.ask("confidence", stated, gist=f"plan after exemplar {number}", detail=detail)
    teller.note("plans_ranked", order=[{"exemplar": 2, "confidence": 90}, {"exemplar": 1, "confidence": 40}])
    teller.note("plan_chosen", attempt=1, exemplar=2, confidence=90)
