"""Asking ahead changes nothing but the time: same steps, numbers, prompts, seeds and answers, in the same order."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from solver import runs
from solver.engines.protocol import ChatReply, ChatRequest, EngineUnreachable, FinishReason, Role, Usage
from solver.models import Engine
from tests.conftest import PATIENCE_S
from tests.runs.conftest import RIGHT, WRONG, Scripted, cancel_noticed, engine, problem
from tests.runs.test_runs import Killed, solve, start
from trajectories import eventlog, leases
from trajectories.models import Problem, Run, RunStatus

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["cancel_noticed", "engine", "problem"]
THREE = "".join(
    f"<problem><description>Add {n}.</description><code>print({n})</code><planning>Plan {n}.</planning></problem>"
    for n in (1, 2, 3)
)
RECALLED = f"<root>{THREE}<algorithm>sums</algorithm></root>"


def content(run: Run) -> list[str]:
    """The log without what may differ: times, and who worked when. Notes of waste are told apart."""
    told = []
    for row in eventlog.read_all(run.pk):
        payload = dict(row.payload)
        for name in ("seconds", "first_token_s", "worker", "fence", "resumed_steps", "report"):
            payload.pop(name, None)
        if row.kind != "run.started" and payload.get("name") != "asked_ahead_unused":
            told.append(json.dumps([row.kind, payload], sort_keys=True))
    return told


def waste(run: Run) -> list[dict[str, Any]]:
    notes = [row.payload for row in eventlog.read_all(run.pk) if row.kind == "note"]
    return [note["detail"] for note in notes if note["name"] == "asked_ahead_unused"]


class Model(Scripted):
    """Answers that depend on the question alone, as a model's at temperature 0 do. Plan 3 is the most confident."""

    wrong_first = retry = False

    def chat(
        self,
        request: ChatRequest,
        *,
        on_delta: Callable[[str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> ChatReply:
        self.asked.append(request)
        self.before(request)
        return ChatReply(self.say(request), FinishReason.STOP, Usage(10, 5), "scripted", 0.01)

    def say(self, request: ChatRequest) -> str:
        text = "\n".join(message.content for message in request.messages)
        n = next((n for n in (1, 2, 3) if f"Plan {n}." in text or f"plan number {n}" in text), 0)
        match request.role:
            case Role.RETRIEVAL:
                return RECALLED
            case Role.PLANNING:
                return f"1. This is plan number {n}."
            case Role.CONFIDENCE if self.retry and n == 1 and len(text) < self.first_length(text):
                return "no tags at all"
            case Role.CONFIDENCE:
                return f"<root><explanation>e</explanation><confidence>{n * 10}</confidence></root>"
            case Role.CODING:
                return WRONG if self.wrong_first and n == 3 else RIGHT
            case _:
                return WRONG

    def first_length(self, text: str) -> int:
        """A question asked again is longer: it shows what was wrong."""
        self.shortest = min(getattr(self, "shortest", len(text)), len(text))
        return self.shortest + 1


@pytest.fixture
def model(engine: Scripted, monkeypatch: pytest.MonkeyPatch) -> Model:
    made = Model()
    monkeypatch.setattr(runs, "open_engine", lambda spec: made)
    return made


def pair(problem: Problem, speculative: str, **params: Any) -> tuple[Run, Run]:
    base = {"k": 3, "t": 1, **params}
    return solve(problem, params=base), solve(problem, params={**base, "speculative": speculative})


@pytest.mark.parametrize("speculative", ["plans", "programs"])
@pytest.mark.parametrize("wrong_first", [False, True], ids=["first plan passes", "second plan passes"])
@pytest.mark.parametrize("retry", [False, True], ids=["plain", "with a retry"])
def test_the_log_is_the_sequential_one(
    model: Model, problem: Problem, speculative: str, wrong_first: bool, retry: bool
) -> None:
    model.wrong_first, model.retry = wrong_first, retry
    one, other = pair(problem, speculative)
    assert one.verdict == other.verdict == "AC"
    assert content(one) == content(other)
    needed = 2 if wrong_first else 1
    spared = 0 if speculative == "plans" else 3 - needed
    assert [note["calls"] for note in waste(other)] == ([spared] if spared else [])
    assert other.calls == one.calls + spared


def test_with_seeds_a_retry_moves_the_later_ones_and_the_log_is_still_the_sequential_one(
    model: Model, problem: Problem
) -> None:
    spec = Engine.objects.get(name="scripted").spec
    Engine.objects.filter(name="scripted").update(spec={**spec, "sampling": {"temperature": 0.7}})
    model.retry = True
    one, other = pair(problem, "programs")
    assert content(one) == content(other)
    seeds = [request.sampling.seed for request in model.asked[: one.calls]]
    assert len(set(seeds)) == len(seeds)
    assert waste(other) and waste(other)[0]["calls"] == 4, (
        "two plans and confidences with seeds that were moved"
    )


def test_without_a_retry_seeds_are_foreseen(model: Model, problem: Problem) -> None:
    spec = Engine.objects.get(name="scripted").spec
    Engine.objects.filter(name="scripted").update(spec={**spec, "sampling": {"temperature": 0.7}})
    one, other = pair(problem, "plans")
    assert content(one) == content(other) and not waste(other) and other.calls == one.calls


def test_the_plans_are_really_asked_at_once(model: Model, problem: Problem) -> None:
    together = threading.Barrier(3, timeout=PATIENCE_S)

    def meet(request: ChatRequest) -> None:
        if request.role is Role.PLANNING:
            together.wait()

    model.before = meet
    run = solve(problem, params={"k": 3, "t": 1, "speculative": "plans"})
    assert run.verdict == "AC"


def test_a_killed_run_goes_on_and_asks_nothing_again_that_is_recorded(model: Model, problem: Problem) -> None:
    whole = solve(problem, params={"k": 3, "t": 1})

    def die(request: ChatRequest) -> None:
        if request.role is Role.CODING and threading.current_thread().name != "ahead":
            raise Killed

    model.before = die
    run = start(problem, params={"k": 3, "t": 1, "speculative": "programs"})
    with pytest.raises(Killed):
        runs.execute(run.pk, "doomed")
    Run.objects.filter(pk=run.pk).update(lease_expires_at="2000-01-01T00:00Z")
    leases.reap()
    model.before, model.asked = lambda _: None, []
    assert runs.execute(run.pk, "next")
    run.refresh_from_db()
    roles = Counter(request.role for request in model.asked)
    assert run.verdict == "AC" and set(roles) == {Role.CODING}
    finished = [line for line in content(run) if '"step.finished"' in line]
    assert finished == [line for line in content(whole) if '"step.finished"' in line]


def test_a_dead_engine_ends_the_run_as_it_would_one_after_another(model: Model, problem: Problem) -> None:
    def fail(request: ChatRequest) -> None:
        if request.role is Role.CONFIDENCE and "plan number 2" in request.messages[-1].content:
            raise EngineUnreachable("gone")

    model.before = fail
    one, other = pair(problem, "plans")
    assert one.status == other.status == RunStatus.FAILED and one.reason == "engine_unreachable"
    assert content(one) == content(other)


def test_a_budget_of_calls_is_not_passed_by_asking_ahead(model: Model, problem: Problem) -> None:
    run = solve(problem, params={"k": 3, "t": 1, "speculative": "programs", "max_calls": 3})
    assert run.reason == "budget" or run.verdict == ""
    assert len(model.asked) <= 5


def test_cancelling_stops_the_scouts(model: Model, problem: Problem, cancel_noticed: threading.Event) -> None:
    run = start(problem, params={"k": 3, "t": 1, "speculative": "plans"})

    def slow(request: ChatRequest) -> None:
        if request.role is Role.PLANNING:
            runs.cancel(run.pk)
            assert cancel_noticed.wait(PATIENCE_S)

    model.before = slow
    runs.execute(run.pk, "test")
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED
    assert not [thread for thread in threading.enumerate() if thread.name == "ahead"]
