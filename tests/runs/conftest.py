"""A run with the real strategy, recorder and judge; only the model is scripted, and says so in its label."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from solver import runs
from solver.engines.protocol import ChatReply, ChatRequest, EngineInfo, FinishReason, Role, Usage
from solver.models import Engine
from tests.factories import make_problem
from trajectories.models import Problem

RECALLED = """<root><problem><description>Add three numbers.</description><code>print(sum(map(int, input().split())))
</code><planning>Read, add, print.</planning></problem><algorithm>arithmetic</algorithm></root>"""
CONFIDENT = "<root><explanation>It is a sum.</explanation><confidence>90</confidence></root>"
RIGHT = "```python\na, b = map(int, input().split())\nprint(a + b)\n```"
WRONG = "```python\na, b = map(int, input().split())\nprint(a - b)\n```"
GOOD_ANSWERS = {
    Role.RETRIEVAL: RECALLED,
    Role.PLANNING: "1. Read two integers.\n2. Print their sum.",
    Role.CONFIDENCE: CONFIDENT,
    Role.CODING: RIGHT,
    Role.DEBUGGING: "## Modified Planning\nAdd.\n" + RIGHT,
}


class Scripted:
    """A ChatModel that answers by role and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[Role, str] = dict(GOOD_ANSWERS)
        self.asked: list[ChatRequest] = []
        self.before: Callable[[ChatRequest], None] = lambda request: None

    def chat(
        self,
        request: ChatRequest,
        *,
        on_delta: Callable[[str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> ChatReply:
        self.asked.append(request)
        self.before(request)
        text = self.answers[request.role]
        if on_delta:
            on_delta(text)
        return ChatReply(text, FinishReason.STOP, Usage(10, 5), "scripted", 0.01)

    def info(self) -> EngineInfo:
        return EngineInfo("scripted", "recorded", "scripted answers of a test", True, ("scripted",))

    def close(self) -> None: ...


@pytest.fixture
def engine(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """The engine named `scripted`."""
    spec = {"name": "scripted", "kind": "recorded", "label": "Scripted", "recordings": ["none.jsonl"]}
    Engine.objects.create(name="scripted", spec=spec)
    scripted = Scripted()
    monkeypatch.setattr(runs, "open_engine", lambda spec: scripted)
    return scripted


@pytest.fixture
def problem(transactional_db: None) -> Problem:
    return make_problem()
