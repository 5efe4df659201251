"""A changed step of an imported run is gone on from by an engine that somebody chose; what came before stays as recorded."""

from __future__ import annotations

import pytest
from django.test import Client

from solver import branches, replays, runs
from solver.branches import BranchRefused
from solver.change import Change
from solver.engines.protocol import Role
from tests.runs.conftest import RIGHT, WRONG, Scripted
from trajectories import eventlog
from trajectories.models import Blame, Run, Step

pytestmark = pytest.mark.django_db(transaction=True)
ENGINE = "scripted"


@pytest.fixture(autouse=True)
def unpublished(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solver.runs.publish", lambda run: None)


def replayed(parent: Run, change: Change, times: int = 1) -> list[Run]:
    started = replays.start(parent, change, times, goes_on=ENGINE)
    for run in started:
        assert runs.execute(run.pk, "test")
        replays.run_ended(run.pk)
        run.refresh_from_db()
    return started


def test_a_corrected_program_is_judged_and_asks_nobody(engine: Scripted, recorded: Run) -> None:
    [run] = replayed(recorded, Change(3, "edit", RIGHT, actor="anna"))
    assert (run.status, run.verdict) == ("finished", "AC") and engine.asked == []
    before = [event.payload for event in eventlog.read_all(recorded.pk) if event.step in (1, 2)]
    assert [event.payload for event in eventlog.read_all(run.pk) if event.step in (1, 2)] == before
    assert [step.role for step in run.steps.order_by("number")] == [
        *("retrieval", "planning", "coding"), "judge", "judge",
    ]  # fmt: skip
    stands = Blame.objects.get(run=recorded)
    assert (stands.source, stands.agent, stands.flips, stands.trials) == ("replay", "coding", 1, 1)


def test_a_corrected_plan_is_coded_and_repaired_by_the_engine_that_was_chosen(
    engine: Scripted, recorded: Run
) -> None:
    engine.answers[Role.CODING] = WRONG
    [run] = replayed(recorded, Change(2, "edit", "Add both numbers.", actor="anna"))
    assert [request.role for request in engine.asked] == [Role.CODING, Role.DEBUGGING]
    assert "Add both numbers." in engine.asked[0].messages[0].content
    assert (run.verdict, run.engine_name, run.strategy) == ("AC", ENGINE, "takeover")


def test_the_step_is_asked_with_the_very_turns_that_were_recorded(engine: Scripted, recorded: Run) -> None:
    replayed(recorded, Change(2, "again"))
    assert [(turn.role, turn.content) for turn in engine.asked[0].messages] == [
        ("system", "Write <plan> and <test_cases>.")
    ]
    engine.asked.clear()
    replayed(recorded, Change(3, "feedback", "Add, do not subtract."))
    first = engine.asked[0].messages[0].content
    assert first.startswith("Write the program.") and "Add, do not subtract." in first


def test_an_unusable_answer_to_a_recorded_question_is_asked_for_again_with_that_question(
    engine: Scripted, recorded: Run
) -> None:
    def second_time(request: object) -> None:
        engine.answers[Role.CODING] = RIGHT if len(engine.asked) > 1 else "I cannot."

    engine.before = second_time
    [run] = replayed(recorded, Change(3, "again"))
    first, second = engine.asked
    assert first.messages[0].content == "Write the program."
    assert [turn.role for turn in second.messages] == [turn.role for turn in first.messages]
    assert second.messages[-1].content.startswith("Write the program.\n")
    assert "could not be used" in second.messages[-1].content and run.verdict == "AC"


def test_a_recall_is_gone_on_from_with_a_plan_and_a_program(engine: Scripted, recorded: Run) -> None:
    [run] = replayed(recorded, Change(1, "again"))
    roles = [Role.RETRIEVAL, Role.PLANNING, Role.CODING]
    assert [request.role for request in engine.asked] == roles and run.verdict == "AC"


def test_a_killed_workers_takeover_goes_on_without_asking_again(engine: Scripted, recorded: Run) -> None:
    def die(request: object) -> None:
        raise SystemExit

    [run] = replays.start(recorded, Change(2, "edit", "Add."), 1, goes_on=ENGINE)
    engine.answers[Role.CODING] = WRONG
    engine.before = lambda request: die(request) if request.role is Role.DEBUGGING else None
    with pytest.raises(SystemExit):
        runs.execute(run.pk, "test")
    engine.before = lambda request: None
    asked = len(engine.asked)
    Run.objects.filter(pk=run.pk).update(status="queued", lease_expires_at=None)
    assert runs.execute(run.pk, "test")
    run.refresh_from_db()
    assert run.verdict == "AC" and [request.role for request in engine.asked[asked:]] == [Role.DEBUGGING]


@pytest.mark.parametrize(
    ("change", "goes_on", "words"),
    [
        (Change(3, "edit", RIGHT), "", "choose the engine that goes on"),
        (Change(3, "edit", RIGHT), "nobody", "there is no engine 'nobody'"),
        (Change(3, "models", models={"coding": "x"}), ENGINE, "Of an imported run"),
    ],
)
def test_what_cannot_be_gone_on_from_is_refused_with_the_mend(
    engine: Scripted, recorded: Run, change: Change, goes_on: str, words: str
) -> None:
    with pytest.raises(BranchRefused, match=words):
        branches.start(recorded, change, goes_on=goes_on, publish_to_workers=False)
    assert not Run.objects.filter(branch_of=recorded).exists()


def test_the_page_asks_for_the_engine_and_keeps_what_was_written(
    engine: Scripted, recorded: Run, client: Client
) -> None:
    address = f"/runs/{recorded.pk}/steps/3/replays/"
    page = client.get(address).content.decode()
    assert "Engine that goes on from here" in page and "Other models from here on" not in page
    refused = client.post(address, {"kind": "edit", "text": RIGHT, "times": "1", "key": "a"})
    assert refused.status_code == 422 and "print(a + b)" in refused.content.decode()
    client.post(address, {"kind": "edit", "text": RIGHT, "times": "1", "key": "b", "goes_on": ENGINE})
    branch = Run.objects.get(branch_of=recorded)
    assert branch.engine_name == ENGINE and Step.objects.filter(run=branch).count() == 2
