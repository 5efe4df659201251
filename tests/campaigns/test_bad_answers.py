"""Whatever a model sends ends as a recorded outcome; the campaign goes on, and a resumed one asks nothing again."""

from __future__ import annotations

import pytest

from solver import runs
from solver.campaigns import execution
from solver.campaigns.models import CampaignRun, CampaignStatus
from solver.engines.protocol import ChatRequest, EngineUnreachable, Role
from tests.campaigns.conftest import Scripted, start, states, work
from tests.runs.conftest import RIGHT
from trajectories import eventlog, events
from trajectories.models import Problem, Run

pytestmark = pytest.mark.django_db(transaction=True)
TEN_MEGABYTES = "lorem ipsum " * 873_814
CUT = RIGHT.removesuffix("\n```")
# The answer to the first problem; the failure that is counted, and the verdict of the run ("" for no program).
BAD = {
    "empty": ("", "empty", ""),
    "blank": (" \n", "empty", ""),
    "ten megabytes": (TEN_MEGABYTES, "too_long", ""),
    "prose": ("I would rather not.", "no_code", ""),
    "cut inside its fence, whole": (CUT, "unclosed_fence", "AC"),
    "cut inside its fence, in the middle": (CUT[:40], "unclosed_fence", "CE"),
    "NUL and lone surrogates": ("\0\ud800 ```", "no_code", ""),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_answer_is_an_outcome_with_a_reason_and_the_campaign_goes_on(
    engine: Scripted, problems: list[Problem], name: str
) -> None:
    text, failure, verdict = BAD[name]

    def answer(request: ChatRequest) -> None:
        first = "variant 0" in request.messages[0].content
        engine.answers[Role.CODING] = text if first else RIGHT

    engine.before = answer
    campaign = start(strategies=[{"name": "direct", "params": {"retries": 0}}])
    work(campaign)
    assert (campaign.status, states(campaign)) == (CampaignStatus.FINISHED, {"measured": 3})
    run = Run.objects.get(problem=problems[0])
    assert run.verdict == verdict and (verdict or run.reason == "no_program")
    logged = [events.parse(row.kind, row.payload) for row in eventlog.read_all(run.pk)]
    (finished,) = (event for event in logged if isinstance(event, events.StepFinished))
    assert finished.parse.failure == failure and (finished.parse.message or verdict)
    measured = CampaignRun.objects.get(run=run).measures
    assert measured and measured["roles"]["coding"]["failures"] == {failure: 1}
    assert Run.objects.exclude(pk=run.pk).filter(verdict="AC").count() == 2
    assert len(engine.asked) == 3


def test_an_engine_that_dies_half_way_is_asked_only_for_what_it_had_not_answered(
    engine: Scripted, problems: list[Problem]
) -> None:
    def die(request: ChatRequest) -> None:
        if len(engine.asked) > 3:
            raise EngineUnreachable("The connection was closed in the middle of the answer.")

    engine.before = die
    campaign = start(
        problems={"ids": "test/sum-00"}, strategies=[{"name": "mapcoder", "params": {"k": 1, "t": 1}}]
    )
    work(campaign)
    run = Run.objects.get()
    assert run.reason == "engine_unreachable" and "middle of the answer" in run.message
    answered = len(engine.asked) - 1
    engine.before = lambda request: None
    engine.asked.clear()
    assert runs.retry(run.pk) and runs.execute(run.pk, "test")
    execution.run_ended(run.pk, publish_to_workers=False)
    run.refresh_from_db()
    assert run.verdict == "AC" and answered == 3
    assert [request.role for request in engine.asked] == [Role.CODING], "the three before it were answered"
