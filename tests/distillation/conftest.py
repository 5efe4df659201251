"""A teacher and a student, both scripted; strategies, recorder, judge and campaigns are the real ones."""

from __future__ import annotations

from typing import Any

import pytest

from solver import runs
from solver.campaigns import execution
from solver.engines.protocol import ChatModel, Role
from solver.engines.routed import RoutedEngine
from solver.engines.spec import EngineKind, EngineSpec
from solver.models import Engine
from tests.runs.conftest import WRONG, Scripted
from training.distillation import lifecycle
from training.distillation.harvest import harvest
from training.distillation.models import Distillation
from training.distillation.spec import DistillationSpec
from training.spec_text import read_data


class Pair:
    """The student's first programs are wrong; the teacher is right in every role."""

    def __init__(self) -> None:
        self.student, self.teacher = Scripted(), Scripted()
        self.student.answers[Role.CODING] = self.student.answers[Role.DEBUGGING] = WRONG

    def opened(self, spec: EngineSpec) -> ChatModel:
        if spec.kind is EngineKind.ROUTED:
            return RoutedEngine(spec, self.opened)
        return {"student": self.student, "teacher": self.teacher}[spec.name]


@pytest.fixture
def pair(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Pair:
    for name in ("student", "teacher"):
        spec = {"name": name, "kind": "recorded", "label": name, "recordings": ["none.jsonl"]}
        Engine.objects.create(name=name, spec=spec)
    made = Pair()
    monkeypatch.setattr(runs, "open_engine", made.opened)
    return made


def start(**changes: Any) -> Distillation:
    data = {
        "name": "Test",
        "teacher": "teacher",
        "student": "student",
        "problems": {"source": "test"},
        "k": 1,
        "t": 1,
    }
    return lifecycle.start(read_data(DistillationSpec, {**data, **changes}), publish_to_workers=False)


def work(job: Distillation, most: int = 100) -> None:
    """As a worker would: run what is queued, then look at what was judged."""
    assert job.campaign_id is not None
    for _ in range(most):
        waiting = execution.claimable(job.campaign_id)
        if not waiting:
            break
        assert runs.execute(waiting[0], "test")
        execution.run_ended(waiting[0], publish_to_workers=False)
    while harvest(job):
        pass
