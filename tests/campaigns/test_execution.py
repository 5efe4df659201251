"""A campaign's life: started once, kept going by whoever comes by, stopped, resumed, and never asked twice."""

from __future__ import annotations

import pytest

from solver import runs
from solver.campaigns import execution, lifecycle
from solver.campaigns.models import Campaign, CampaignRun, CampaignStatus, SlotState
from solver.campaigns.spec import BadCampaign
from solver.engines.protocol import ChatRequest, ContextOverflow, EngineUnreachable, Role
from solver.models import Engine
from tests.campaigns.conftest import Scripted, spec, start, states, sums, work
from trajectories import eventlog, leases
from trajectories.events import RunFinished
from trajectories.models import Problem, Run, RunStatus

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """Stands for kill -9."""


def test_every_cell_of_the_grid_gets_one_run(engine: Scripted, problems: list[Problem]) -> None:
    campaign = start(seeds=[0, 1])
    assert CampaignRun.objects.filter(campaign=campaign).count() == 3 * 2 * 2
    work(campaign)
    assert (campaign.status, states(campaign)) == (CampaignStatus.FINISHED, {"measured": 12})
    places = CampaignRun.objects.values_list("cell__strategy", "run__problem", "run__seed")
    assert len(set(places)) == 12 == Run.objects.count()
    assert campaign.finished_at is not None


def test_no_more_than_at_once_runs_are_ever_under_way(engine: Scripted, problems: list[Problem]) -> None:
    campaign = start(at_once=2)
    while execution.claimable(campaign.pk):
        assert len(execution.claimable(campaign.pk)) <= 2
        assert CampaignRun.objects.filter(campaign=campaign, state=SlotState.ACTIVE).count() <= 2
        work(campaign, most=1)
    assert campaign.status == CampaignStatus.FINISHED


def test_the_same_request_starts_one_campaign(engine: Scripted, problems: list[Problem]) -> None:
    first = lifecycle.start(spec(), request_id="twice", publish_to_workers=False)
    again = lifecycle.start(spec(), request_id="twice", publish_to_workers=False)
    assert first.pk == again.pk and Campaign.objects.count() == 1


def test_a_problem_is_measured_in_every_cell_before_the_next_begins(
    engine: Scripted, problems: list[Problem]
) -> None:
    campaign = start(at_once=1)
    work(campaign, most=2)
    measured = CampaignRun.objects.filter(campaign=campaign, state=SlotState.MEASURED)
    assert {slot.entry.position for slot in measured.select_related("entry")} == {0}


def test_a_kill_at_any_moment_neither_loses_nor_repeats_a_call(
    engine: Scripted, problems: list[Problem]
) -> None:
    campaign = start(at_once=3)
    undisturbed_calls = 3 * (1 + 4)
    for victim in range(1, undisturbed_calls + 1):
        fatal = 2 * victim - 1  # each kill before wasted the call that was being asked

        def die(request: ChatRequest, at: int = fatal) -> None:
            if len(engine.asked) == at:
                raise Killed

        engine.before = die
        with pytest.raises(Killed):
            work(campaign)
        Run.objects.filter(status=RunStatus.RUNNING).update(lease_expires_at="2000-01-01T00:00:00Z")
        leases.reap()
        if victim % 2:  # sometimes the reaper comes by first, sometimes a worker takes the orphan at once
            execution.tick()
    engine.before = lambda request: None
    work(campaign)
    assert (campaign.status, states(campaign)) == (CampaignStatus.FINISHED, {"measured": 6})
    assert len(engine.asked) == 2 * undisturbed_calls
    assert sum(Run.objects.values_list("calls", flat=True)) == undisturbed_calls


def test_a_start_that_was_cut_off_before_its_link_finds_its_run(
    engine: Scripted, problems: list[Problem], monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(self: CampaignRun, *args: object, **kwargs: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(CampaignRun, "save", die)
        with pytest.raises(Killed):
            start()
    campaign = Campaign.objects.get()
    execution.advance(campaign.pk, publish_to_workers=False)
    work(campaign)
    assert states(campaign) == {"measured": 6} and Run.objects.count() == 6


def test_advancing_twice_changes_nothing(engine: Scripted, problems: list[Problem]) -> None:
    campaign = start(at_once=2)
    before = list(CampaignRun.objects.values_list("pk", "state", "run"))
    execution.advance(campaign.pk)
    execution.tick()
    assert list(CampaignRun.objects.values_list("pk", "state", "run")) == before


def test_pause_starts_nothing_more_and_resume_goes_on(engine: Scripted, problems: list[Problem]) -> None:
    campaign = start(at_once=2)
    assert lifecycle.pause(campaign.pk) and not lifecycle.pause(campaign.pk)
    assert work(campaign) == 2
    assert (campaign.status, states(campaign)) == (CampaignStatus.PAUSED, {"measured": 2, "waiting": 4})
    assert lifecycle.resume(campaign.pk, publish_to_workers=False)
    work(campaign)
    assert campaign.status == CampaignStatus.FINISHED


def test_cancel_ends_what_is_under_way_and_resume_takes_it_up_again(
    engine: Scripted, problems: list[Problem]
) -> None:
    campaign = start(at_once=2)
    work(campaign, most=1)
    assert lifecycle.cancel(campaign.pk)
    campaign.refresh_from_db()
    assert (campaign.status, states(campaign)) == (
        CampaignStatus.CANCELLED,
        {"measured": 1, "not_measured": 2, "waiting": 3},
    )
    assert work(campaign) == 0
    assert lifecycle.resume(campaign.pk, publish_to_workers=False)
    work(campaign)
    assert (campaign.status, states(campaign)) == (CampaignStatus.FINISHED, {"measured": 6})
    assert Run.objects.count() == 6


@pytest.mark.parametrize("heard", [False, True])
def test_a_campaign_resumed_before_its_runs_have_stopped_measures_them_too(
    engine: Scripted, problems: list[Problem], heard: bool
) -> None:
    """`heard`: the worker had noticed the cancel, so its run ends as cancelled all the same."""
    campaign = start(at_once=1)
    [pk] = execution.claimable(campaign.pk)
    fence = leases.claim(pk, "busy")
    assert fence is not None and lifecycle.cancel(campaign.pk)
    assert Run.objects.get(pk=pk).cancel_requested
    assert lifecycle.resume(campaign.pk, publish_to_workers=False)
    assert not Run.objects.get(pk=pk).cancel_requested
    if heard:
        ending = RunFinished(status="cancelled", reason="cancelled", message="Cancelled.")
        eventlog.append(pk, [ending], fence=fence)
        execution.run_ended(pk, publish_to_workers=False)
    else:
        leases.release(pk, fence)
    work(campaign)
    assert (campaign.status, states(campaign)) == (CampaignStatus.FINISHED, {"measured": 6})
    assert Run.objects.count() == 6


def test_a_campaign_that_is_resumed_while_it_is_being_cancelled_goes_on(
    engine: Scripted, problems: list[Problem], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever cancels has read the campaign as cancelled; it is resumed before the first run is asked to stop."""
    campaign, cancel_active = start(), execution._cancel_active

    def resumed_first(given: int) -> None:
        monkeypatch.setattr(execution, "_cancel_active", cancel_active)
        assert lifecycle.resume(campaign.pk, publish_to_workers=False)
        cancel_active(given)

    monkeypatch.setattr(execution, "_cancel_active", resumed_first)
    assert lifecycle.cancel(campaign.pk)
    assert states(campaign) == {"active": 6} and not Run.objects.exclude(status=RunStatus.QUEUED).exists()
    work(campaign)
    assert (campaign.status, states(campaign)) == (CampaignStatus.FINISHED, {"measured": 6})


def test_a_run_that_a_person_takes_up_first_keeps_its_place(
    engine: Scripted, problems: list[Problem], monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = start(strategies=[{"name": "direct"}], problems={"ids": "test/sum-00"})
    work(campaign)
    Run.objects.update(status=RunStatus.FAILED, reason="judge_unavailable")
    CampaignRun.objects.update(state=SlotState.NOT_MEASURED, reason="judge_unavailable")
    retry = runs.retry

    def a_person_was_faster(run_id: int) -> bool:
        assert retry(run_id)
        return retry(run_id)

    monkeypatch.setattr(runs, "retry", a_person_was_faster)
    lifecycle.measure_again(campaign.pk, publish_to_workers=False)
    slot = CampaignRun.objects.get()
    assert (Run.objects.count(), slot.earlier, slot.state) == (1, [], SlotState.ACTIVE)


def test_a_cancel_that_was_killed_half_way_is_finished_by_the_reaper(
    engine: Scripted, problems: list[Problem], monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = start()

    def die(campaign_id: int) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(execution, "advance", die)
        with pytest.raises(Killed):
            lifecycle.cancel(campaign.pk)
    assert states(campaign) == {"active": 6}
    execution.tick()
    assert states(campaign) == {"not_measured": 6}


def test_an_engine_that_is_away_is_tried_a_bounded_number_of_times(
    engine: Scripted, problems: list[Problem]
) -> None:
    def unplugged(request: ChatRequest) -> None:
        raise EngineUnreachable("No answer from http://127.0.0.1:9/v1.")

    engine.before = unplugged
    campaign = start(engine_tries=3, at_once=2)
    for _ in range(40):
        CampaignRun.objects.exclude(retry_at=None).update(retry_at="2000-01-01T00:00:00Z")
        execution.advance(campaign.pk, publish_to_workers=False)
        work(campaign)
    assert (campaign.status, states(campaign)) == (CampaignStatus.FINISHED, {"not_measured": 6})
    assert len(engine.asked) == 6 * 3
    assert set(CampaignRun.objects.values_list("reason", flat=True)) == {"engine_unreachable"}


def test_a_retry_waits_its_turn_and_asks_no_finished_step_again(
    engine: Scripted, problems: list[Problem]
) -> None:
    def unplugged(request: ChatRequest) -> None:
        if request.role is Role.CODING and len(engine.asked) == 4:
            raise EngineUnreachable("gone")

    engine.before = unplugged
    campaign = start(
        strategies=[{"name": "mapcoder", "params": {"k": 1, "t": 1}}], problems={"ids": "test/sum-00"}
    )
    assert work(campaign) == 1
    slot = CampaignRun.objects.get()
    assert (slot.state, slot.retries) == (SlotState.ACTIVE, 1) and slot.retry_at is not None
    assert execution.claimable(campaign.pk) == []
    CampaignRun.objects.update(retry_at="2000-01-01T00:00:00Z")
    execution.tick()
    work(campaign)
    assert states(campaign) == {"measured": 1}
    assert [request.role for request in engine.asked].count(Role.PLANNING) == 1


def test_what_could_not_be_measured_can_be_measured_again(engine: Scripted, problems: list[Problem]) -> None:
    def unplugged(request: ChatRequest) -> None:
        raise EngineUnreachable("gone")

    engine.before = unplugged
    campaign = start(engine_tries=1)
    work(campaign)
    assert states(campaign) == {"not_measured": 6}
    engine.before = lambda request: None
    assert lifecycle.measure_again(campaign.pk, publish_to_workers=False) == 6
    work(campaign)
    assert (campaign.status, states(campaign)) == (CampaignStatus.FINISHED, {"measured": 6})
    assert lifecycle.measure_again(campaign.pk) == 0


def test_a_run_that_a_person_retries_counts_once_it_has_ended(
    engine: Scripted, problems: list[Problem]
) -> None:
    def unplugged(request: ChatRequest) -> None:
        raise EngineUnreachable("gone")

    engine.before = unplugged
    campaign = start(engine_tries=1, problems={"ids": "test/sum-00"}, strategies=[{"name": "direct"}])
    work(campaign)
    engine.before = lambda request: None
    run = Run.objects.get()
    assert runs.retry(run.pk) and runs.execute(run.pk, "test")
    execution.run_ended(run.pk)
    assert states(campaign) == {"measured": 1}


def test_a_measured_failure_that_a_person_retries_is_measured_anew(
    engine: Scripted, problems: list[Problem]
) -> None:
    def overflow(request: ChatRequest) -> None:
        raise ContextOverflow("too long")

    engine.before = overflow
    campaign = start(problems={"ids": "test/sum-00"}, strategies=[{"name": "direct"}])
    work(campaign)
    assert CampaignRun.objects.get().reason == "context_overflow"
    engine.before = lambda request: None
    run = Run.objects.get()
    assert runs.retry(run.pk) and runs.execute(run.pk, "test")
    execution.run_ended(run.pk)
    slot = CampaignRun.objects.get()
    assert (slot.state, slot.reason) == (SlotState.MEASURED, "")
    assert slot.measures and slot.measures["origin"] == "first"


def test_a_prompt_that_does_not_fit_is_the_models_failure_and_is_measured(
    engine: Scripted, problems: list[Problem]
) -> None:
    def overflow(request: ChatRequest) -> None:
        raise ContextOverflow("The prompt needs 9000 tokens, the context holds 4096.")

    engine.before = overflow
    campaign = start()
    work(campaign)
    assert states(campaign) == {"measured": 6}
    assert set(CampaignRun.objects.values_list("reason", flat=True)) == {"context_overflow"}


def test_a_spent_budget_pauses_and_a_raised_one_goes_on(engine: Scripted, problems: list[Problem]) -> None:
    campaign = start(budget={"calls": 4}, at_once=1)
    work(campaign)
    assert (campaign.status, campaign.reason) == (CampaignStatus.PAUSED, "budget")
    assert "4 model calls is used up (5)" in campaign.message
    assert not execution.claimable(campaign.pk)
    lifecycle.set_budget(campaign.pk, {"calls": 400})
    lifecycle.resume(campaign.pk, publish_to_workers=False)
    work(campaign)
    assert campaign.status == CampaignStatus.FINISHED
    with pytest.raises(BadCampaign, match=r"budget\.calls"):
        lifecycle.set_budget(campaign.pk, {"calls": -1})


def test_an_engine_that_was_changed_meanwhile_pauses_instead_of_mixing(
    engine: Scripted, problems: list[Problem]
) -> None:
    campaign = start(at_once=1)
    row = Engine.objects.get(name="scripted")
    Engine.objects.update(spec={**row.spec, "label": "Another one"})
    work(campaign, most=1)
    assert (campaign.status, campaign.reason) == (CampaignStatus.PAUSED, "engine_changed")
    Engine.objects.update(spec=row.spec)
    lifecycle.resume(campaign.pk, publish_to_workers=False)
    assert campaign.slots.filter(state=SlotState.ACTIVE).exists()


def test_a_run_that_cannot_be_resumed_is_replaced_and_its_cost_still_counts(
    engine: Scripted, problems: list[Problem]
) -> None:
    campaign = start(strategies=[{"name": "direct"}], problems={"ids": "test/sum-00"})
    work(campaign)
    Run.objects.update(status=RunStatus.FAILED, reason="diverged")
    CampaignRun.objects.update(state=SlotState.NOT_MEASURED, reason="diverged")
    lifecycle.measure_again(campaign.pk, publish_to_workers=False)
    work(campaign)
    slot = CampaignRun.objects.get()
    assert Run.objects.count() == 2 and slot.earlier == [Run.objects.order_by("pk")[0].pk]
    assert execution.spent(campaign)["calls"] == 2


def test_two_campaigns_do_not_share_runs(engine: Scripted, problems: list[Problem]) -> None:
    for campaign in (start(), start()):
        work(campaign)
    assert Run.objects.count() == 12


def test_a_large_campaign_queues_only_its_window(engine: Scripted, transactional_db: None) -> None:
    sums(12)
    start(seeds=list(range(20)), at_once=4)
    assert CampaignRun.objects.count() == 12 * 2 * 20
    assert Run.objects.count() == 4


def test_constrained_decoding_is_a_column_of_its_own(engine: Scripted, problems: list[Problem]) -> None:
    holding = {
        "name": "scripted",
        "kind": "openai",
        "base_url": "http://127.0.0.1:9/v1",
        "allow_loopback": True,
        "models": {"default": "m"},
        "capabilities": {"structured_output": True},
    }
    Engine.objects.filter(name="scripted").update(spec=holding)
    campaign = start(
        strategies=[{"name": "direct"}],
        models=[{"engine": "scripted"}, {"engine": "scripted", "constrained": True}],
    )
    free, constrained = campaign.cells.all()
    assert (free.constrained, constrained.constrained) == (False, True)
    assert constrained.name == "scripted, constrained"
    work(campaign)
    assert campaign.status == CampaignStatus.FINISHED
    assert sum(request.grammar is not None for request in engine.asked) == len(problems)
    runs_of = Run.objects.filter(campaign_slot__cell=constrained)
    assert all(run.engine["constrained"] for run in runs_of) and runs_of.count() == len(problems)


def test_constrained_decoding_on_an_engine_that_cannot_is_a_fault_of_the_spec(
    engine: Scripted, problems: list[Problem]
) -> None:
    with pytest.raises(BadCampaign, match="cannot hold its answers to a grammar") as refused:
        start(models=[{"engine": "scripted", "constrained": True}])
    assert refused.value.faults[0].where == "models.1.constrained"
