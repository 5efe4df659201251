"""Failed runs of the real strategy, and a supervisor; only the model is scripted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from solver import runs
from solver.engines.protocol import ChatRequest, Role
from tests.runs.conftest import RIGHT, WRONG, Scripted, engine, problem
from training.models import Supervision
from training.spec_text import read_data
from training.supervision import lifecycle, work
from training.supervision.spec import SupervisionSpec
from trajectories.models import Problem, Run

REVIEW = "## Review of your earlier answer"


def opinion(agent: str = "coding", **changes: Any) -> str:
    step = {"retrieval": 1, "planning": 2, "coding": 4, "debugging": 6}[agent]
    base = {
        "responsible_agent": agent,
        "step": step,
        "others": ["planning", "coding"],
        "confidence": 70,
        "diagnosis": "The numbers are subtracted.",
        "feedback": "The task is the sum of the two numbers, not their difference.",
        "evidence": [{"step": step, "quote": ""}],
    }
    return json.dumps({**base, **changes})


def failed_run(engine: Scripted, problem: Problem, **changes: Any) -> Run:
    """A run with k=1, t=1: recall, plan, confidence, code, samples, repair, samples, hidden."""
    engine.answers[Role.CODING] = engine.answers[Role.DEBUGGING] = WRONG
    params = {"k": 1, "t": 1, **changes}
    run = runs.start(problem, engine="scripted", params=params, publish_to_workers=False)
    assert runs.execute(run.pk, "test")
    run.refresh_from_db()
    assert run.verdict == "WA"
    return run


def start(*given: Run, **changes: Any) -> Supervision:
    data = {
        "name": "Test",
        "runs": {"ids": [run.pk for run in given]},
        "supervisor": "scripted",
        "votes": 1,
    }
    return lifecycle.start(read_data(SupervisionSpec, {**data, **changes}))


def go_on(job: Supervision, most: int = 100) -> int:
    """What workers would do: cases and branches in turn, until nothing is left. Returns how often a case was taken."""
    done = 0
    while done < most:
        queued = list(Run.objects.filter(status="queued").values_list("pk", flat=True))
        for pk in queued:
            assert runs.execute(pk, "test")
        ready = lifecycle.workable(job.pk)
        if not ready:
            break
        for pk in ready:
            assert work.work(pk, "test", publish_to_workers=False)
            done += 1
    job.refresh_from_db()
    return done


@pytest.fixture
def listening(engine: Scripted, monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """The scripted engine as student and supervisor; its coder writes the right program once a review asks it to."""
    monkeypatch.setattr(work, "open_engine", lambda spec: engine)
    engine.answers[Role.SUPERVISOR] = opinion()

    def heed(request: ChatRequest) -> None:
        if request.role is Role.CODING:
            reviewed = REVIEW in request.messages[0].content
            engine.answers[Role.CODING] = RIGHT if reviewed else WRONG

    engine.before = heed
    return engine


__all__ = ["engine", "failed_run", "go_on", "listening", "opinion", "problem", "start"]
