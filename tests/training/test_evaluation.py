"""Evaluations of adapters: what is compared on which problems, and which results open the gate of promotion."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from django.test import Client

from solver import engine_book
from solver.campaigns.measures import RunMeasures
from solver.campaigns.models import Campaign, CampaignRun, CampaignStatus, SlotState
from solver.models import Engine
from tests.factories import make_run
from tests.training import micro_rows
from tests.training.test_adapters import SHIPPED, evaluated, imported, micro_problem, roles
from tests.training.versions import make_version, micro_version
from training import adapters, evaluation, registry_page
from training.adapter_models import AdapterState
from training.models import (
    Adapter,
    AdapterEvaluation,
    Example,
    ExampleState,
    TrainingRun,
)
from trajectories.models import Problem
from trajectories.problems import store

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"low": -9.0, "high": -1.0, "points": -5.0}, "worse than the base"),
        ({"low": -2.0, "points": 3.0}, "No clear gain"),
        ({"low": 2.5, "won": 5, "lost": 0, "p": 0.062}, "No clear gain: .* McNemar p 0.062"),
        ({"served": {"low": -9.0, "high": -1.0, "points": -5.0}}, "worse than what serves now"),
    ],
)
def test_the_gate_refuses_what_is_worse_or_not_clearly_better_unless_somebody_insists(
    changes: dict[str, Any], words: str
) -> None:
    made = imported()
    with pytest.raises(adapters.Refused, match="not been evaluated"):
        adapters.promote(made)
    evaluated(made, **changes)
    with pytest.raises(adapters.Refused, match=words):
        adapters.promote(made)
    assert adapters.promote(made, anyway=True, reason="I know").reason == "I know"


def test_what_began_to_serve_after_the_evaluation_has_to_be_compared_with_first() -> None:
    old, first, second = imported(like="retrieval"), imported(like="debugging"), imported("planning")
    evaluated(old)
    evaluated(first, second)
    adapters.promote(first)
    adapters.promote(second)  # what was tried together with it serves now
    with pytest.raises(
        adapters.Refused, match=rf"not compared with what serves now \(planning by {second.name}"
    ):
        adapters.promote(old)
    evaluated(old)
    adapters.promote(old)


def test_a_comparison_with_what_does_not_serve_any_more_says_nothing_about_what_does() -> None:
    old, plan, new = imported(like="retrieval"), imported("planning", "debugging"), imported()
    for one in (old, plan):
        evaluated(one)
        adapters.promote(one)
    evaluated(new, served={"low": -9.0, "high": -1.0, "points": -5.0})
    assert "worse than what serves now" in adapters.objections(new)[0]
    adapters.retire(plan)  # the engine's own model plans again: with it, nobody has measured the new one
    with pytest.raises(adapters.Refused, match=r"not compared with what serves now \(planning by planning\)"):
        adapters.promote(new)


def test_where_the_base_alone_serves_the_comparison_with_the_base_is_enough() -> None:
    """A lab's own engine, whose roles no adapter serves until one is promoted."""
    shipped = engine_book.get("micro")
    spec: dict[str, Any] = {
        "name": "bare", "kind": "transformers", "base": shipped.base, "adapters": {}, "models": {},
        "templates": shipped.templates,
    }  # fmt: skip
    Engine.objects.create(name="bare", spec=spec)
    old, new = (
        adapters.import_folder(SHIPPED / like, role="coding", engine="bare")
        for like in ("coding", "planning")
    )
    evaluated(old)
    adapters.promote(old)
    evaluated(new, served={"low": -9.0, "high": -1.0, "points": -5.0})
    assert "worse than what serves now" in adapters.objections(new)[0]
    adapters.retire(old)  # it was worse than the old one, and the old one is gone
    assert adapters.objections(new) == []
    Engine.objects.all().delete()
    assert "is not in this lab any more" in adapters.objections(new)[0]


def test_a_comparison_in_which_nothing_was_measured_opens_no_gate() -> None:
    made = imported()
    evaluated(made, served={"n": 0, "won": 0, "lost": 0, "p": 1.0, "points": 0.0, "low": 0.0, "high": 0.0})
    with pytest.raises(adapters.Refused, match="no problem was measured with both"):
        adapters.promote(made)


def test_an_evaluation_of_before_there_was_such_a_comparison_is_not_enough_where_something_serves() -> None:
    made = imported()
    evaluated(made)
    past = evaluation.latest(made) or {}
    AdapterEvaluation.objects.update(result={key: told for key, told in past.items() if key != "served"})
    with pytest.raises(adapters.Refused, match=r"coding by coding.*evaluate it again"):
        adapters.promote(made)


def test_an_adapter_whose_rows_were_withdrawn_is_named_as_such() -> None:
    made = imported()
    version = micro_version()
    Adapter.objects.filter(pk=made.pk).update(dataset=version)
    Example.objects.filter(rows__version=version, rows__position=1).update(state=ExampleState.WITHDRAWN)
    made.refresh_from_db()
    assert any("1 row it was trained on was withdrawn" in text for text in adapters.objections(made))


def test_an_evaluation_is_a_campaign_of_the_base_and_the_adapters_on_problems_they_did_not_learn_from() -> (
    None
):
    learned, fresh = micro_problem("micro/learned"), [micro_problem(f"micro/{at}") for at in range(3)]
    made = imported()
    version = make_version("coding", micro_rows.rows("coding", 6, 2), problems=[learned])
    Adapter.objects.filter(pk=made.pk).update(dataset=version)
    made.refresh_from_db()
    chosen = [made, imported("debugging")]
    started = evaluation.start(chosen, problems=3, request_id="e", publish_to_workers=False)
    assert evaluation.start(chosen, request_id="e", publish_to_workers=False) == started
    base, new, now, after = started.campaign.cells.all()
    bare, new_roles = dict.fromkeys(roles(), "base"), {one.role: one.name for one in chosen}
    assert base.engine["roles"] == bare
    assert new.engine["roles"] == {**bare, **new_roles}
    assert now.engine["roles"] == roles() and after.engine["roles"] == roles(**new_roles)
    assert {entry.problem_id for entry in started.campaign.entries.all()} == {problem.pk for problem in fresh}
    assert new.params["k"] == 1
    evaluation.settle()
    started.refresh_from_db()
    assert started.result is None and evaluation.latest(made) is None
    with pytest.raises(evaluation.CannotEvaluate, match="Two adapters of one role"):
        evaluation.start([made, imported("coding", "retrieval")])


def test_no_problem_is_measured_on_that_anything_compared_has_learned_from_by_whatever_name() -> None:
    def learned(adapter: Adapter, *problems: Problem) -> Adapter:
        number = len(Adapter.objects.exclude(dataset=None))
        told = [dataclasses.replace(row, answer=f"{number}") for row in micro_rows.rows(adapter.role, 6, 2)]
        version = make_version(adapter.role, told, problems=list(problems))
        Adapter.objects.filter(pk=adapter.pk).update(dataset=version)
        adapter.refresh_from_db()
        return adapter

    fresh = [micro_problem(f"micro/{at}") for at in range(3)]
    first, went_on, other = imported(like="retrieval"), imported(), imported(like="debugging")
    learned(first, micro_problem("micro/before"))  # SFT, on which DPO went on
    changed, original = micro_problem("micro/changed"), micro_problem("micro/original")
    learned(went_on, changed, original)
    assert went_on.dataset is not None
    TrainingRun.objects.create(
        role="coding", dataset=went_on.dataset, spec={}, spec_digest="", base="", request_id="dpo",
        adapter=went_on, started_from=first,
    )  # fmt: skip
    learned(other, micro_problem("micro/of-what-serves"))
    adapters.promote(other, anyway=True)
    again = changed.spec().model_copy(update={"statement": "micro/changed: print the sum, please."})
    assert store(again)[0].version == 2
    store(original.spec().model_copy(update={"id": "micro/copy", "title": "Another name"}))
    started = evaluation.start([went_on], problems=9, publish_to_workers=False)
    assert {entry.problem.external_id for entry in started.campaign.entries.all()} == {
        problem.external_id for problem in fresh
    }


def test_the_result_compares_with_the_base_and_with_what_served_when_the_evaluation_began() -> None:
    for at in range(8):
        micro_problem(f"micro/{at}")
    made = imported("debugging", "coding")
    campaign = evaluation.start([made], problems=8, request_id="r", publish_to_workers=False).campaign
    solves = [1, 4, 6, 3]  # so many of the eight by each cell: base, with it, serving, serving with it
    for cell, right in zip(campaign.cells.all(), solves, strict=True):
        for at, slot in enumerate(CampaignRun.objects.filter(cell=cell).order_by("position")):
            verdict = "AC" if at < right else "WA"
            ran = make_run(slot.entry.problem, status="finished", verdict=verdict, code_version="x")
            slot.run, slot.state, slot.measures = ran, SlotState.MEASURED, RunMeasures().to_dict()
            slot.save()
    Campaign.objects.filter(pk=campaign.pk).update(status=CampaignStatus.FINISHED)
    adapters.promote(made, anyway=True)  # what served then counts, not what serves now
    evaluation.settle()
    result = evaluation.latest(made)
    assert result is not None
    served = result["served"]
    assert [(one["won"], one["lost"], one["n"], one["points"]) for one in (result, served)] == [
        (3, 0, 8, 37.5),
        (0, 3, 8, -37.5),
    ]
    assert served["roles"] == roles() and (served["base"]["solved"]["value"], served["low"] < -37.5) == (
        0.75,
        True,
    )


def test_an_evaluation_that_measured_nothing_is_over_and_another_may_be_started(client: Client) -> None:
    micro_problem("micro/1"), micro_problem("micro/2")
    made = imported()
    campaign = evaluation.start([made], publish_to_workers=False).campaign
    assert "Being evaluated" in client.get(f"/training/adapters/{made.pk}/").content.decode()
    CampaignRun.objects.filter(campaign=campaign).update(
        state=SlotState.NOT_MEASURED, reason="engine_unreachable"
    )
    Campaign.objects.filter(pk=campaign.pk).update(status=CampaignStatus.FINISHED)
    page = client.get(f"/training/adapters/{made.pk}/").content.decode()
    assert "Being evaluated" not in page and "Not evaluated yet: press Evaluate." in page
    assert registry_page.rows([made])[0].evaluating is None


def test_where_nothing_serves_or_nothing_else_there_is_nothing_more_to_compare() -> None:
    micro_problem("micro/1"), micro_problem("micro/2")
    four = [imported(role) for role in ("retrieval", "planning", "coding", "debugging")]
    first = evaluation.start(four, request_id="1", publish_to_workers=False).campaign
    assert [cell.name for cell in first.cells.all()][2:] == ["serving now"]
    for one in four:
        adapters.promote(one, anyway=True)
    again = evaluation.start(four, request_id="2", publish_to_workers=False).campaign
    assert again.cells.count() == 2


def test_every_share_of_an_evaluation_stands_with_its_interval_and_its_number(client: Client) -> None:
    made = imported()
    share = {"value": 0.5, "low": 0.3, "high": 0.7, "n": 40}
    told = {"solved": share, "first_try": share, "roles": {"coding": {"affected": share}}}
    evaluated(made, base=told, new=told, served={"base": told, "new": told, "points": -7.5})
    page = client.get(f"/training/adapters/{made.pk}/").content.decode()
    assert page.count("[30 %, 70 %] of 40") == 12 and page.count("50 %") == 12
    registry = client.get("/training/").content.decode()
    assert "against what served" in page.lower() and "−7.5" in page and "−7.5" in registry
    assert "worse" not in registry
    evaluated(made, base=told, new=told, served={"base": told, "new": told, "low": -9.0, "high": -1.0})
    assert "worse than what served" in client.get("/training/").content.decode()


def test_home_asks_nobody_to_measure_what_is_being_measured(client: Client) -> None:
    make_run(status="finished", verdict="WA")
    chosen = imported()
    assert "Next: Measure 1 new adapter against" in client.get("/").content.decode()
    evaluated(chosen)
    going = AdapterEvaluation.objects.filter(adapters=chosen)
    going.update(result=None)
    Adapter.objects.update(state=AdapterState.REGISTERED)
    Campaign.objects.update(status="running")
    assert "Next: Measure" not in client.get("/").content.decode()
    Campaign.objects.update(status="cancelled")
    assert "Next: Measure 1 new adapter against" in client.get("/").content.decode()
