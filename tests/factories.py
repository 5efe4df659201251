"""Ten-line makers of rows for tests."""

from __future__ import annotations

import uuid
from typing import Any

from trajectories import eventlog, events, leases
from trajectories.models import Problem, Run
from trajectories.problem_schema import ProblemSpec
from trajectories.problems import store


def problem_spec(**changes: Any) -> ProblemSpec:
    """Add two numbers: one sample, three hidden tests."""
    base: dict[str, Any] = {
        "id": "test/sum",
        "source": "test",
        "title": "Sum of two",
        "statement": "Read two integers and print their sum.",
        "tags": ["math"],
        "difficulty": "easy",
        "samples": [{"input": "1 2\n", "output": "3\n"}],
        "tests": [
            {"kind": "stdio", "input": f"{a} {a + 1}\n", "outputs": [f"{2 * a + 1}\n"]}
            for a in (0, 5, 10**12)
        ],
        "test_kind": "stdio",
    }
    return ProblemSpec.model_validate({**base, **changes})


def make_problem(**changes: Any) -> Problem:
    return store(problem_spec(**changes))[0]


def make_run(problem: Problem | None = None, **changes: Any) -> Run:
    base: dict[str, Any] = {
        "problem": problem or make_problem(),
        "strategy": "mapcoder",
        "params": {"k": 3, "t": 5},
        "engine": {"name": "test", "label": "Test engine", "simulated": True, "models": {}},
        "engine_name": "test",
        "request_id": uuid.uuid4().hex,
    }
    return Run.objects.create(**{**base, **changes})


def claimed_run(problem: Problem | None = None, **changes: Any) -> tuple[Run, int]:
    """A run held by this test, and its fence."""
    run = make_run(problem, **changes)
    fence = leases.claim(run.pk, "test")
    assert fence is not None
    run.refresh_from_db()
    return run, fence


def note(number: int) -> events.Note:
    return events.Note(name="test", detail={"number": number})


def append_notes(run: Run, fence: int, count: int) -> int:
    return eventlog.append(run.pk, [note(i) for i in range(count)], fence=fence)


def step_started(step: int, **changes: Any) -> events.StepStarted:
    base: dict[str, Any] = {
        "step": step,
        "role": "coding",
        "attempt": 1,
        "gist": "Python",
        "messages": [{"role": "user", "content": "Write the program."}],
        "template": "lab/coding.v1",
        "template_digest": "0" * 64,
        "request_digest": f"{step:064d}",
        "model": "test-model",
        "sampling": {"temperature": 0.0},
    }
    return events.StepStarted.model_validate({**base, **changes})


def step_finished(step: int, text: str = "```python\nprint(1)\n```", **changes: Any) -> events.StepFinished:
    base: dict[str, Any] = {
        "step": step,
        "text": text,
        "finish_reason": "stop",
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "estimated": False,
        "seconds": 0.5,
        "first_token_s": 0.1,
        "model": "test-model",
        "adapter_digest": None,
        "parse": {"usable": True, "value": {"code": "print(1)"}},
    }
    return events.StepFinished.model_validate({**base, **changes})
