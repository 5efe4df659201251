"""Which problems a spec picks: the same again, filters that join, mistakes that are named."""

from __future__ import annotations

from typing import Any

import pytest

from solver.campaigns.selection import content_digest, select
from solver.campaigns.spec import ProblemSet
from tests.campaigns.conftest import sums
from tests.factories import make_problem, problem_spec

pytestmark = pytest.mark.django_db


def ids(**wanted: Any) -> list[str]:
    selection, faults = select(ProblemSet.model_validate(wanted))
    assert not faults, faults
    return [chosen.problem.external_id for chosen in selection.chosen]


def says(**wanted: Any) -> dict[str, str]:
    return {fault.where: fault.message for fault in select(ProblemSet.model_validate(wanted))[1]}


@pytest.fixture
def shelf() -> None:
    for i, (tags, difficulty) in enumerate(
        [(["dp"], "800"), (["dp", "math"], "1500"), (["graphs"], "2400"), (["math"], "easy"), ([], "")]
    ):
        make_problem(
            id=f"a/{i}",
            source="a" if i % 2 else "b",
            statement=f"Question {i}.",
            tags=tags,
            difficulty=difficulty,
        )


def test_conditions_join_and_values_within_one_do_not(shelf: None) -> None:
    assert ids(tags=["dp", "graphs"]) == ["a/0", "a/1", "a/2"]
    assert ids(tags=["dp", "graphs"], source="b") == ["a/0", "a/2"]
    assert ids(difficulty={"least": 800, "most": 1500}) == ["a/0", "a/1"]
    assert ids(difficulty=["easy"]) == ["a/3"]
    assert ids(ids=["a/4", "a/1"]) == ["a/1", "a/4"]
    assert ids(limit=2) == ["a/0", "a/1"]


def test_a_sample_is_the_same_every_time_and_another_with_another_seed() -> None:
    sums(20)
    assert ids(limit=5, sample_seed=1) == ids(limit=5, sample_seed=1)
    assert ids(limit=5, sample_seed=1) != ids(limit=5, sample_seed=2)
    assert sorted(ids(sample_seed=3)) == ids()


def test_the_limit_counts_distinct_problems() -> None:
    for i in range(3):
        make_problem(id=f"test/copy-{i}", title=f"Copy {i}", difficulty=str(i))
    sums(3)
    assert ids(limit=3) == ["test/copy-0", "test/sum-00", "test/sum-01"]
    assert len(ids(limit=3, duplicates="keep")) == 3


def test_copies_are_found_by_their_content_and_by_their_group() -> None:
    make_problem(id="test/a", statement="One.", group="g")
    make_problem(id="test/b", statement="Two.", group="g")
    make_problem(id="test/c", statement="Two.")
    selection, _ = select(ProblemSet(duplicates="keep"))
    assert len({chosen.unit for chosen in selection.chosen}) == 1


def test_only_the_question_and_its_tests_make_a_copy() -> None:
    base = problem_spec().model_dump(mode="json", by_alias=True)
    assert content_digest(base) == content_digest(
        {**base, "id": "x", "title": "y", "tags": [], "licence": "z"}
    )
    assert content_digest(base) != content_digest({**base, "tests": base["tests"][:1]})


def test_old_versions_are_not_picked() -> None:
    make_problem(id="test/v")
    make_problem(id="test/v", statement="A better wording.")
    selection, _ = select(ProblemSet())
    assert [chosen.problem.version for chosen in selection.chosen] == [2]


@pytest.mark.parametrize(
    ("wanted", "where", "message"),
    [
        ({"source": "nowhere"}, "problems.source", "There are: a, b."),
        ({"tags": ["dp", "magic"]}, "problems.tags", "no problem with magic"),
        ({"ids": ["a/1", "a/99"]}, "problems.ids", "no problem with a/99"),
        ({"test_kind": "telepathy"}, "problems.test_kind", "There are: assert, call, stdio."),
        ({"difficulty": {"least": 5000}}, "problems", "No problem fits"),
        ({"split": "gold"}, "problems.split", "gold"),
    ],
)
def test_names_that_match_nothing_are_mistakes(
    shelf: None, wanted: dict[str, Any], where: str, message: str
) -> None:
    assert message in says(**wanted)[where]
