"""A version: the same every time, split by problem, without copies, never with an evaluation problem in it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.datasets.conftest import built, example, problems, story
from tests.factories import make_problem, make_run
from tests.review.desk_runs import correction_of, failed_run
from tests.review.desk_runs import problem as desk_problem
from training.datasets import lifecycle
from training.datasets.build import build
from training.datasets.spec import DatasetSpec
from training.models import DatasetRow, DatasetVersion, Example, ExampleState, VersionState, Way
from training.spec_text import BadJob, read_data
from trajectories import review
from trajectories.models import Run

pytestmark = pytest.mark.django_db(transaction=True)


def left_out(version: DatasetVersion) -> dict[str, int]:
    return {reason: told["count"] for reason, told in version.report["left_out"].items()}


def test_the_same_spec_over_the_same_pool_is_the_same_content(transactional_db: None) -> None:
    for number, problem in enumerate(problems(12)):
        example(problem, story(100 + number))
    first, second = built(), built()
    assert first.state == VersionState.READY and first.row_count == 12
    assert (first.number, second.number) == (1, 2)
    assert first.digest == second.digest
    Example.objects.filter(pk=Example.objects.latest("pk").pk).update(state=ExampleState.WITHDRAWN)
    assert built().digest != first.digest


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    counts=st.lists(st.integers(1, 4), min_size=1, max_size=8),
    share=st.floats(0, 0.9),
    seed=st.integers(0, 99),
)
def test_no_problem_is_in_both_splits(
    transactional_db: None, counts: list[int], share: float, seed: int
) -> None:
    DatasetVersion.objects.all().delete()
    Example.objects.all().delete()
    for problem, count in zip(problems(len(counts)), counts, strict=True):
        for number in range(count):
            example(problem, story(1000 * problem.pk + number))
    version = built(eval_share=share, seed=seed)
    rows = set(version.rows.values_list("example__problem", "split"))
    assert len(rows) == len({problem for problem, _ in rows})
    assert version.row_count == sum(counts)
    assert version.eval_count == version.rows.filter(split="eval").count()


def test_copies_of_a_problem_are_in_one_split(transactional_db: None) -> None:
    for number in range(12):
        for source in ("a", "b"):
            problem = make_problem(
                id=f"{source}/{number}", statement=story(number), source=source, group=f"same/{number}"
            )
            example(problem, story(500 + number + (50 if source == "b" else 0)))
    version = built(eval_share=0.5)
    sides: dict[str, set[str]] = {}
    for name, split in version.rows.values_list("example__problem__external_id", "split"):
        sides.setdefault(name[2:], set()).add(split)
    assert all(len(side) == 1 for side in sides.values()) and version.row_count == 24


def test_near_duplicates_of_an_earlier_row_are_left_out(transactional_db: None) -> None:
    texts = [story(number, 120) for number in range(20)]
    chosen = problems(20)
    for problem, text in zip(chosen, texts, strict=True):
        example(problem, text)
    again = example(chosen[3], f"{texts[3]} end")
    version = built()
    assert version.row_count == 20 and left_out(version) == {"near-duplicate of an earlier row": 1}
    assert version.report["left_out"]["near-duplicate of an earlier row"]["examples"] == [again.pk]
    assert built(near_duplicates=0).row_count == 21


@pytest.mark.parametrize("split", ["test", "validation", "dev"])
def test_an_evaluation_problem_refuses_the_build(transactional_db: None, split: str) -> None:
    for number, problem in enumerate(problems(5)):
        example(problem, story(100 + number))
    example(make_problem(id="held/out", statement=story(77), split=split), story(200))
    version = built()
    assert version.state == VersionState.FAILED and "held/out" in version.message
    assert version.report["overlap"] == {"held/out": "held/out"} and version.rows.count() == 0
    without = lifecycle.without_overlap(version, request_id="w", created_by="")
    assert build(without.pk, "test")
    without.refresh_from_db()
    assert (without.state, without.row_count, without.parent) == (VersionState.READY, 5, version)


def test_a_copy_of_an_evaluation_problem_under_another_name_refuses_the_build(transactional_db: None) -> None:
    make_problem(id="held/out", statement=story(5), split="test")
    example(make_problem(id="other/name", statement=story(5), split="train"), story(200))
    assert built().report["overlap"] == {"other/name": "held/out"}


def test_an_evaluation_statement_quoted_anywhere_refuses_the_build(transactional_db: None) -> None:
    make_problem(id="held/out", statement=story(77, 60), split="test")
    [problem] = problems(1)
    quoting = f"A similar problem: {story(77, 60).upper()}. Plan: read, print."
    example(problem, quoting, role="retrieval")
    version = built(role="retrieval")
    assert version.state == VersionState.FAILED
    assert version.report["overlap"] == {problem.external_id: "held/out"}


def test_problems_of_a_campaign_count_as_evaluation_when_asked(transactional_db: None) -> None:
    from solver.campaigns.models import Campaign, CampaignProblem

    chosen = problems(3)
    for number, problem in enumerate(chosen):
        example(problem, story(100 + number))
    campaign = Campaign.objects.create(name="c", spec={"at_once": 1}, spec_digest="x", request_id="c")
    CampaignProblem.objects.create(campaign=campaign, problem=chosen[1], position=0, unit="u")
    assert built().state == VersionState.READY
    refused = built(against={"campaigns": [campaign.pk]})
    assert refused.state == VersionState.FAILED and chosen[1].external_id in refused.message


def test_caps_and_quotas_leave_out_with_a_reason(transactional_db: None) -> None:
    easy = problems(2, tags=["dp"])
    for problem in easy:
        for number in range(3):
            example(problem, story(problem.pk * 10 + number))
    assert left_out(built(per_problem=2)) == {"its problem has 2 rows already": 2}
    assert left_out(built(quotas={"tags": {"dp": 4}})) == {"quota of tag dp": 2}
    assert left_out(built(quotas={"difficulty": {"easy": 5}})) == {"quota of difficulty easy": 1}
    assert left_out(built(limit=1)) == {"limit of the version": 5}


def test_only_what_was_accepted_and_passed_gets_in_unless_asked(transactional_db: None) -> None:
    chosen = problems(4)
    runs = [
        make_run(problem, verdict=verdict)
        for problem, verdict in zip(chosen, ("AC", "AC", "WA", "WA"), strict=True)
    ]
    states = (ExampleState.ACCEPTED, ExampleState.CANDIDATE, ExampleState.ACCEPTED, ExampleState.REJECTED)
    for number, (problem, run, state) in enumerate(zip(chosen, runs, states, strict=True)):
        example(problem, story(100 + number), run=run, step=1, state=state, way="teacher")
    assert built().row_count == 1
    assert built(reviewed=False).row_count == 2
    assert built(reviewed=False, passed=False).row_count == 3


def test_every_row_leads_to_its_step_and_back_in_one_query(
    transactional_db: None, django_assert_num_queries: Any
) -> None:
    [problem] = problems(1)
    run = make_run(problem, verdict="AC")
    example(problem, story(1), run=run, step=4, way="teacher")
    version = built()
    with django_assert_num_queries(1):
        row = DatasetRow.objects.select_related("example__run", "example__problem").get(version=version)
        assert row.example.run == run and row.example.step == 4
    with django_assert_num_queries(1):
        back = DatasetRow.objects.filter(example__run=run, example__step=4).values_list("version", flat=True)
        assert list(back) == [version.pk]


def test_what_is_withdrawn_taints_the_versions_that_used_it_and_they_can_be_built_without(
    transactional_db: None,
) -> None:
    rows = [example(problem, story(100 + number)) for number, problem in enumerate(problems(4))]
    version = built()
    Example.objects.filter(pk=rows[2].pk).move(ExampleState.WITHDRAWN)
    [seen] = lifecycle.with_taint(DatasetVersion.objects.filter(pk=version.pk))
    assert seen.tainted == 1 and lifecycle.withdrawn_rows(version) == [rows[2].pk]  # type: ignore[attr-defined]
    without = lifecycle.without_withdrawn(version, request_id="again", created_by="anna")
    build(without.pk, "test")
    without.refresh_from_db()
    assert (without.row_count, without.parent) == (3, version)


class Killed(BaseException):
    """As good as kill -9."""


@pytest.mark.parametrize("batches", [0, 1])
def test_a_killed_build_leaves_no_row_and_is_done_again(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, batches: int
) -> None:
    for number, problem in enumerate(problems(5)):
        example(problem, story(100 + number))
    version = lifecycle.start(read_data(DatasetSpec, {"role": "coding"}))
    real = DatasetRow.objects.bulk_create
    calls = 0

    def cut(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > batches:
            raise Killed
        return real(*args, **kwargs)

    from training.datasets import build as module

    monkeypatch.setattr(module, "_BATCH", 2)
    monkeypatch.setattr(DatasetRow.objects, "bulk_create", cut)
    with pytest.raises(Killed):
        build(version.pk, "test")
    monkeypatch.undo()
    version.refresh_from_db()
    assert version.state == VersionState.BUILDING and version.rows.count() == 0
    assert lifecycle.waiting() == [version.pk]
    assert build(version.pk, "test") and not build(version.pk, "test")
    version.refresh_from_db()
    assert version.row_count == version.rows.count() == 5


def test_a_version_with_nothing_to_build_from_is_refused_with_the_way_out(transactional_db: None) -> None:
    with pytest.raises(BadJob, match="no coding example to build from; accept some"):
        lifecycle.start(read_data(DatasetSpec, {"role": "coding"}))
    with pytest.raises(BadJob, match=r"(?i)no campaign 9"):
        lifecycle.start(read_data(DatasetSpec, {"role": "coding", "against": {"campaigns": [9]}}))


def test_a_correction_is_among_those_that_passed_only_if_a_branch_with_its_own_words_did() -> None:
    def corrected(branch: Run, run: Run, answer: str) -> Example:
        review.correct(run, 3, answer, actor="anna", branch=branch.pk)
        return example(run.problem, answer, way=Way.HUMAN, run=run, step=3)

    run, elsewhere = failed_run(desk_problem(1)), failed_run(desk_problem(2))
    corrected(correction_of(run, verdict="WA"), run, "The first try, which failed.")
    passed = corrected(correction_of(run), run, "The second, which passed.")
    corrected(correction_of(run), elsewhere, "A number of another lab's run, which here is another's.")
    version = built(near_duplicates=0)
    assert [row.example for row in version.rows.all()] == [passed]
    assert built(near_duplicates=0, passed=False).row_count == 3
