"""Reports: every total is the sum of the events, every place is accounted for, every file says the same."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.test import Client

from solver.campaigns import export, latex, lifecycle, report
from solver.campaigns.models import Campaign, CampaignCell, CampaignRun
from solver.campaigns.scoring import Outcome
from solver.engines.protocol import ChatRequest, EngineUnreachable, Role
from tests.campaigns.conftest import Scripted, spec, start, sums, work
from tests.runs.conftest import RECALLED, RIGHT, WRONG
from trajectories.models import Problem, Run, StepEvent

pytestmark = pytest.mark.django_db(transaction=True)

BAD_XML = "<root><problem><description>x</description>"


def mixed(engine: Scripted, **changes: Any) -> Campaign:
    """Right, repaired, wrong, unparsable and unreachable answers, by problem and agent."""

    def answer(request: ChatRequest) -> None:
        text = request.messages[-1].content
        direct = request.role is Role.CODING and "variant" in text and "lan" not in text
        engine.answers[Role.CODING] = WRONG if "variant 1" in text or "variant 3" in text else RIGHT
        engine.answers[Role.DEBUGGING] = WRONG if "variant 3" in text else "Plan.\n" + RIGHT
        engine.answers[Role.RETRIEVAL] = BAD_XML if "variant 2" in text else RECALLED
        if "variant 4" in text and direct:
            engine.answers[Role.CODING] = "I would rather not."
        if "variant 5" in text and request.role is Role.PLANNING:
            raise EngineUnreachable("gone")

    engine.before = answer
    sums(6)
    price = {"models": [{"engine": "scripted", "price": {"input": 1.0, "output": 2.0}}]}
    campaign = start(**{**price, "engine_tries": 1, "problems": {"source": "test"}, **changes})
    work(campaign)
    return campaign


def sum_of_events(campaign: Campaign, measured_only: bool) -> dict[str, float]:
    """Straight from the payloads, without any projection."""
    slots = CampaignRun.objects.filter(campaign=campaign)
    if measured_only:
        slots = slots.filter(state="measured")
    total = {
        "calls": 0.0,
        "prompt": 0.0,
        "completion": 0.0,
        "seconds": 0.0,
        "failures": 0.0,
        "rescued": 0.0,
        "judge": 0.0,
    }
    for event in StepEvent.objects.filter(run__in=slots.values("run")):
        if event.kind == "step.finished":
            total["calls"] += 1
            total["prompt"] += event.payload["prompt_tokens"]
            total["completion"] += event.payload["completion_tokens"]
            total["seconds"] += event.payload["seconds"]
            total["failures"] += bool(event.payload["parse"]["failure"])
            total["rescued"] += bool(event.payload["parse"]["failure"]) and event.payload["parse"]["usable"]
        if event.kind == "tests.finished":
            total["judge"] += event.payload["seconds"]
    return total


def test_totals_are_the_sums_of_the_events(engine: Scripted) -> None:
    campaign = mixed(engine)
    found = report.build(campaign)
    cells, events = found.cells, sum_of_events(campaign, measured_only=True)
    assert events["failures"] > 2 and events["calls"] > 20
    reported = {
        "calls": sum(cell.total.calls for cell in cells),
        "prompt": sum(cell.total.prompt_tokens for cell in cells),
        "completion": sum(cell.total.completion_tokens for cell in cells),
        "seconds": sum(cell.total.seconds for cell in cells),
        "failures": sum(cell.format_failures for cell in cells),
        "rescued": sum(cell.rescued for cell in cells),
        "judge": sum(cell.judge_seconds for cell in cells),
    }
    assert reported == pytest.approx(events, abs=1e-3)
    everything = sum_of_events(campaign, measured_only=False)
    assert everything["calls"] > events["calls"], "the unreachable run had asked before it failed"
    assert found.spent["calls"] == everything["calls"]
    assert found.spent["tokens"] == everything["prompt"] + everything["completion"]
    assert found.spent["model_seconds"] == pytest.approx(everything["seconds"])


def test_solved_runs_are_those_whose_last_hidden_verdict_is_accepted(engine: Scripted) -> None:
    campaign = mixed(engine)
    for cell in report.build(campaign).cells:
        runs = CampaignRun.objects.filter(cell=cell.cell, state="measured").values("run")
        hidden = StepEvent.objects.filter(run__in=runs, kind="tests.finished", payload__suite="hidden")
        assert cell.solved_runs == sum(event.payload["verdict"] == "AC" for event in hidden)
        assert sum(cell.outcomes.values()) == cell.runs
        assert cell.solved_runs == sum(
            cell.outcomes[o] for o in (Outcome.FIRST, Outcome.OTHER, Outcome.REPAIR)
        )


def test_first_programs_repairs_and_failures_are_told_apart(engine: Scripted) -> None:
    direct, mapcoder = report.build(mixed(engine)).cells
    assert direct.outcomes == {
        Outcome.FIRST: 3, Outcome.OTHER: 0, Outcome.REPAIR: 0, Outcome.WRONG: 2, Outcome.NO_PROGRAM: 1,
    }  # fmt: skip
    assert mapcoder.outcomes[Outcome.REPAIR] == 1 and mapcoder.outcomes[Outcome.WRONG] == 1
    assert mapcoder.not_measured == {"engine_unreachable": 1} and mapcoder.runs == 5
    assert mapcoder.first_samples == (3, 5)
    assert direct.first_samples == (0, 0), "direct runs no samples"
    retrieval = next(role for role in mapcoder.roles if role.role == "retrieval")
    assert retrieval.failures >= 1 and retrieval.affected.n == 5
    assert (direct.pass_at_1.value, direct.pass_at_1.n) == (0.5, 6)


def test_every_place_is_measured_open_or_excluded_with_its_count(engine: Scripted) -> None:
    campaign = mixed(engine)
    found = report.build(campaign)
    assert found.complete and any("1 of 12 runs could not be measured" in note for note in found.notes)
    CampaignRun.objects.filter(position=0).update(state="waiting")
    partial = report.build(campaign)
    assert not partial.complete and any("Partial: 10 of 12" in note for note in partial.notes)
    assert sum(cell.runs + cell.open + cell.left_out for cell in partial.cells) == 12


def test_cost_is_tokens_times_price(engine: Scripted) -> None:
    campaign = mixed(engine)
    for cell in report.build(campaign).cells:
        expected = (cell.total.prompt_tokens * 1.0 + cell.total.completion_tokens * 2.0) / 1e6
        assert cell.total_cost is not None and cell.cost is not None
        assert float(cell.total_cost) == pytest.approx(expected, abs=1e-8) and cell.currency == "USD"


def test_the_other_cells_are_compared_with_the_first_and_corrected_together(engine: Scripted) -> None:
    campaign = mixed(engine)
    found = report.build(campaign)
    assert found.baseline.position == 0 and len(found.against) == 1
    against = found.against[0]
    assert (against.comparison.common, against.comparison.only_first) == (5, 1)
    assert against.adjusted_p == against.comparison.test.p
    turned = report.build(campaign, baseline=1).against[0].comparison
    assert (turned.won, turned.lost) == (against.comparison.lost, against.comparison.won)


def test_copies_are_left_out_or_counted_once(engine: Scripted, transactional_db: None) -> None:
    sums(2)
    copy = sums(3)[2]
    from tests.factories import make_problem

    make_problem(id="test/copy", title="Other title", statement=copy.spec().statement)
    make_problem(id="test/sibling", statement="Another wording.", group="test-group")
    make_problem(id="test/twin", statement="Yet another.", group="test-group")
    skipping = start()
    assert sorted(item["id"] for item in skipping.left_out) == ["test/sum-02", "test/twin"]
    assert any("2 problems left out" in warning for warning in skipping.warnings)
    keeping = start(problems={"source": "test", "duplicates": "keep"})
    work(keeping)
    cell = report.build(keeping).cells[0]
    assert (cell.runs, cell.problems) == (6, 4)


def test_the_json_the_csv_and_the_table_say_the_same(engine: Scripted) -> None:
    campaign = mixed(engine)
    found = report.build(campaign)
    data = json.loads(json.dumps(export.report_dict(found)))
    rows = list(csv.DictReader(io.StringIO("".join(export.csv_lines(export.run_rows(campaign))))))
    assert len(rows) == 12 and {row["state"] for row in rows} == {"measured", "not_measured"}
    for cell in data["cells"]:
        mine = [row for row in rows if row["cell"] == cell["name"] and row["state"] == "measured"]
        assert cell["total"]["calls"] == sum(int(row["calls"]) for row in mine)
        assert cell["solved_runs"] == sum(row["verdict"] == "AC" for row in mine)
        assert float(cell["total"]["cost"]) == pytest.approx(sum(float(row["cost"]) for row in mine))
        assert f"{cell['pass_at']['1']['value'] * 100:.1f} [" in latex.table(found)
    assert data["spent"] == found.spent and data["campaign"]["spec_digest"] == campaign.spec_digest


def test_names_cannot_break_the_table_or_the_spreadsheet(engine: Scripted, problems: list[Problem]) -> None:
    strategies = [
        {"name": "direct", "label": "100 % & \\input{x} _$#"},
        {"name": "mapcoder", "label": "=1+1", "params": {"k": 1}},
    ]
    campaign = start(strategies=strategies)
    text = latex.table(report.build(campaign))
    assert r"100 \% \& \textbackslash{}input\{x\} \_\$\#" in text
    lines = list(export.csv_lines(export.run_rows(campaign)))
    assert not any(line.startswith("=") for line in lines) and any(line.startswith("'=1+1") for line in lines)


def test_a_report_of_nothing_yet_is_a_report(engine: Scripted, problems: list[Problem]) -> None:
    found = report.build(start())
    assert not found.complete and found.cells[0].pass_at_1.n == 0
    assert "--" in latex.table(found) and export.report_dict(found)["cells"][0]["runs"] == 0


def test_several_seeds_give_pass_at_k(engine: Scripted, problems: list[Problem]) -> None:
    campaign = start(seeds=[0, 1, 2])
    work(campaign)
    cell = report.build(campaign).cells[0]
    assert [at.k for at in cell.pass_at] == [1, 2, 3]
    assert (cell.runs, cell.problems, cell.pass_at[2].estimate.value) == (9, 3, 1.0)
    assert any("3 seeds repeat one answer" in warning for warning in campaign.warnings)


def test_breakdowns_hold_each_problem_in_its_groups(engine: Scripted, transactional_db: None) -> None:
    sums(2, tags=["math", "dp"], difficulty="900")
    from tests.factories import make_problem

    make_problem(id="test/hard", statement="Hard one.", tags=["dp"], difficulty="1900")
    campaign = start()
    work(campaign)
    found = {breakdown.title: breakdown for breakdown in report.build(campaign).breakdowns}
    assert [(group.name, group.problems) for group in found["tag"].groups] == [("dp", 3), ("math", 2)]
    assert [group.name for group in found["difficulty"].groups] == ["up to 1000", "1501 to 2000"]
    assert "source" not in found, "one source would repeat the main table"


def test_two_languages_are_two_rows_of_one_column(
    engine: Scripted, problems: list[Problem], monkeypatch: pytest.MonkeyPatch
) -> None:
    from solver import judge_pool

    if "cpp" not in judge_pool.languages():
        pytest.skip("no C++ compiler on this machine")
    campaign = lifecycle.start(spec(languages=["python", "cpp"]), publish_to_workers=False)
    assert [cell.language for cell in CampaignCell.objects.filter(campaign=campaign)] == [
        "python",
        "python",
        "cpp",
        "cpp",
    ]
    work(campaign)
    language = next(b for b in report.build(campaign).breakdowns if b.title == "language")
    assert [group.name for group in language.groups] == ["python", "cpp"] and len(language.columns) == 2
    python, cpp = language.groups
    assert python.estimates[0] is not None and python.estimates[0].value == 1.0
    assert cpp.estimates[0] is not None and cpp.estimates[0].value == 0.0, (
        "a Python program is no C++ program"
    )
    assert Run.objects.filter(language="cpp", verdict="CE").exists()


def test_each_step_of_an_ablation_is_compared_with_the_row_before_too(engine: Scripted) -> None:
    sums(2)
    names = ("direct", "cot", "mapcoder")
    campaign = start(strategies=[{"name": name} for name in names])
    work(campaign)
    found = report.build(campaign)
    assert [(row.other.strategy, row.cell.strategy) for row in found.against] == [
        ("direct", "cot"),
        ("direct", "mapcoder"),
    ]
    assert [(row.other.strategy, row.cell.strategy) for row in found.steps] == [
        ("direct", "cot"),
        ("cot", "mapcoder"),
    ]
    data = export.report_dict(found)["against_the_cell_before"]
    assert [(row["against"], row["cell"]) for row in data] == [
        (row.other.name, row.cell.name) for row in found.steps
    ]


def test_the_stated_confidence_is_in_the_page_and_in_both_files(engine: Scripted, client: Client) -> None:
    campaign = mixed(engine)
    cell = next(found for found in report.build(campaign).cells if found.confidence)
    assert cell.confidence is not None and cell.confidence.orders is not None
    assert (cell.confidence.stated.value, cell.confidence.orders.value) == (0.9, 0.5), "it always says 90"
    page = client.get(f"/campaigns/{campaign.pk}/").content.decode()
    assert "Surer of the one that passes" in page and "80 to 100" in page
    whole = json.loads(json.dumps(export.report_dict(report.build(campaign))))
    told = next(found for found in whole["cells"] if found["name"] == cell.cell.name)
    assert told["stated_confidence"]["orders"]["value"] == 0.5
    header, *rows = list(csv.reader(io.StringIO("".join(export.csv_lines(export.run_rows(campaign))))))
    said = [row[header.index("stated_confidence")] for row in rows]
    everywhere = sum(worth.runs for _, worth in report.build(campaign).confidences)
    assert said.count("90") == everywhere and all(len(row) == len(header) for row in rows)
