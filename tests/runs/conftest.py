"""A run with the real strategy, recorder and judge; only the model is scripted, and says so in its label."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from solver import runs
from solver.engines.protocol import ChatReply, ChatRequest, EngineInfo, FinishReason, Role, Usage
from solver.models import Engine
from solver.trace_import import Options, import_traces
from tests.factories import make_problem
from tests.traces.samples import NORMALISED, SUM
from trajectories import leases
from trajectories.models import Problem, Run
from trajectories.traces import read_traces

RECALLED = """<root><problem><description>Add three numbers.</description><code>print(sum(map(int, input().split())))
</code><planning>Read, add, print.</planning></problem><algorithm>arithmetic</algorithm></root>"""
CONFIDENT = "<root><explanation>It is a sum.</explanation><confidence>90</confidence></root>"
RIGHT = "```python\na, b = map(int, input().split())\nprint(a + b)\n```"
WRONG = "```python\na, b = map(int, input().split())\nprint(a - b)\n```"
FAILED = SUM.replace("a + b", "a - b")
RECALLED_ELSEWHERE = {
    "stage": "retrieval",
    "messages": [{"role": "user", "content": "Recall."}],
    "response": "nothing",
}
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
def cancel_noticed(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set once a beat of a working thread has seen that its run is to be cancelled."""
    beat, noticed = leases.Held.beat, threading.Event()

    def beat_and_tell(hold: leases.Held) -> None:
        beat(hold)
        if hold.cancel.is_set():
            noticed.set()

    monkeypatch.setattr(leases.Held, "beat", beat_and_tell)
    return noticed


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


@pytest.fixture
def recorded(problem: Problem, tmp_path: Path) -> Run:
    """An imported run. Steps: 1 retrieval, 2 planning (a system turn), 3 coding (fails), 4 our judge."""
    steps = [RECALLED_ELSEWHERE, *NORMALISED["steps"]]
    steps[3] = {**steps[3], "response": f"Here:\n```python\n{FAILED}```"}
    trace = {**NORMALISED, "steps": steps, "final_code": FAILED, "solved_recorded": False}
    (tmp_path / "trace.jsonl").write_text(json.dumps(trace) + "\n", encoding="utf-8")
    found = read_traces(tmp_path / "trace.jsonl")
    [pk] = import_traces(found.found, Options(), found.faults).runs
    run = Run.objects.get(pk=pk)
    assert run.verdict == "WA" and [s.role for s in run.steps.order_by("number")][2] == "coding"
    return run
