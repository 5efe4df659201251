"""The maps of blame and coverage, and the page of agreement: counts that add up, links that lead to the same cases."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client

from tests.pages.markup import dangers
from tests.review.desk_runs import correction_of, failed_run, problem
from training.desk import acceptance
from training.desk.agreement import comparisons
from training.desk.coverage import coverage
from trajectories import filters, review
from trajectories.agents import AGENTS
from trajectories.desk.heat import heat
from trajectories.expressions import parse
from trajectories.models import Run, Step

pytestmark = pytest.mark.django_db


def judged_runs() -> list[Run]:
    """Six failures: the supervisor blames planning in four and coding in two; anna agrees with three of the plans."""
    runs = [failed_run(problem(n, tags=["dp"] if n % 2 else ["dp", "graphs"])) for n in range(6)]
    for place, run in enumerate(runs):
        agent = "planning" if place < 4 else "coding"
        review.blame(run, agent, actor="supervisor@1", source="supervisor", step=2)
        if place < 4:
            review.blame(run, "planning" if place else "coding", actor="anna", step=2)
    return runs


def test_the_supervisors_shares_are_of_the_tags_failures_and_say_what_people_confirmed() -> None:
    judged_runs()
    found = heat("supervisor")
    rows = dict(found.rows)
    assert found.runs == 6 and list(rows) == ["dp", "graphs"]
    dp = dict(zip(AGENTS, rows["dp"], strict=True))
    assert (dp["planning"].share.hits, dp["planning"].share.n, dp["planning"].confirmed) == (4, 6, 3)
    assert (dp["coding"].share.hits, dp["coding"].confirmed) == (2, 0)
    assert dp["planning"].level > dp["coding"].level > dp["retrieval"].level == 0


def test_of_several_replays_of_a_run_the_one_that_flips_the_largest_share_counts() -> None:
    run = failed_run(problem(1, tags=["dp"]))
    for step, agent, flips, trials in ((1, "retrieval", 1, 5), (2, "retrieval", 2, 5), (3, "coding", 4, 5)):
        review.blame(
            run, agent, actor=f"edit at s{step}", source="replay", step=step, flips=flips, trials=trials
        )
    cells = dict(zip(AGENTS, dict(heat("replay").rows)["dp"], strict=True))
    assert (cells["coding"].share.hits, cells["retrieval"].share.hits) == (1, 0)


def test_a_run_whose_replays_flipped_nothing_is_not_blamed() -> None:
    run = failed_run(problem(1))
    review.blame(run, "none", actor="edit at s3", source="replay", step=3, flips=0, trials=5)
    blamed = filters.runs(Run.objects.all(), parse("is:blamed", filters.RUN_FIELDS))
    assert not blamed.exists()
    review.blame(run, "coding", actor="anna", step=3)
    assert list(blamed.all()) == [run]


def test_the_difference_is_over_what_both_judged() -> None:
    judged_runs()
    dp = dict(zip(AGENTS, dict(heat("difference").rows)["dp"], strict=True))
    assert dp["planning"].share.n == 4
    assert dp["planning"].gap == pytest.approx((3 - 4) / 4) and dp["coding"].gap == pytest.approx(1 / 4)


def test_a_cell_leads_to_exactly_its_cases() -> None:
    judged_runs()
    for _, cells in heat("supervisor").rows:
        for cell in cells:
            found = filters.runs(Run.objects.all(), parse(cell.filter, filters.RUN_FIELDS))
            assert found.count() == cell.share.hits, cell


def test_coverage_counts_accepted_rows_of_wanted_and_what_the_pool_offers() -> None:
    branch = correction_of(failed_run(problem(1)))
    correction_of(failed_run(problem(2)))
    failed_run(problem(3, split="test", difficulty="hard"))
    step = Step.objects.get(run=branch, number=3)
    acceptance.accept(branch, step, actor="anna", confirmed=False)
    found = coverage("coding", wanted=2)
    cells = {(tag, cell.level): cell for tag, row in found.rows for cell in row}
    easy = cells["dp", "easy"]
    assert (easy.accepted, easy.available, easy.missing, easy.kind) == (1, 1, 1, "")
    assert found.levels == ("easy",) and found.best in (easy, cells["graphs", "easy"])


def test_cells_of_the_test_split_are_hatched(client: Client) -> None:
    problem(1)
    problem(2, split="test", difficulty="hard")
    cells = {cell.level: cell for cell in dict(coverage("planning").rows)["dp"]}
    assert cells["hard"].kind == "testset" and cells["easy"].kind == "empty-c"
    html = client.get("/review/maps/").content.decode()
    assert "test split" in html and dangers(html) == []


def test_an_empty_cell_leads_to_candidate_steps(client: Client) -> None:
    run = correction_of(failed_run(problem(1)))
    Run.objects.filter(pk=run.pk).update(branch_of=None, branch={})
    cell = dict(coverage("planning").rows)["dp"][0]
    assert (cell.accepted, cell.available) == (0, 1)
    html = client.get(f"/review/?{cell.query}").content.decode()
    assert f'data-key="{run.pk}-2"' in html


def test_agreement_pairs_people_with_each_other_and_with_the_supervisor(client: Client) -> None:
    runs = judged_runs()
    review.blame(runs[1], "coding", actor="ben")
    review.blame(runs[2], "planning", actor="ben")
    people, supervisor, replay = comparisons()
    assert (people.n, supervisor.n, replay.n) == (2, 6, 0)
    assert supervisor.whole.observed.value == pytest.approx(4 / 6)
    counts = {(s.first, s.second): s.count for _, row in supervisor.matrix for s in row if s.count}
    assert counts == {("planning", "planning"): 4, ("coding", "planning"): 2}
    html = client.get("/review/agreement/").content.decode()
    assert "0.67" in html and dangers(html) == []
    links = re.findall(r'href="(/runs/\?q=[^"]+)">\d+</a>', html)
    assert links and all(client.get(unescape(link)).status_code == 200 for link in links)


@pytest.mark.parametrize(
    "query", ["", "?who=human", "?who=difference", "?who=replay&agent=coding", "?who=x&agent=y"]
)
def test_every_view_of_the_maps_opens_and_says_what_is_missing(client: Client, query: str) -> None:
    page = client.get(f"/review/maps/{query}").content.decode()
    part = client.get(f"/review/maps/{query}", headers={"X-Part": "maps"}).content.decode()
    assert "No problems yet" in page and "<html" not in part and part.count("<section") == 2
