"""Problems: tests that mean something, records that the lab can read, the same for the same seed."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from micro import engine_spec
from micro.chain import Split, substitutes
from micro.execution import Undefined, answer
from micro.problem import HIDDEN_TESTS, complete, problem_spec
from micro.random_problem import random_problem
from micro.shown_problems import AS_DRAWN, COUNT, MENDED, order
from micro.statement import parse
from trajectories.problem_schema import ProblemSpec


def _answer_or_error(code: str, stdin: str) -> str:
    try:
        return answer(code, stdin)
    except Undefined as error:
        return f"undefined: {error}"


def _as_spec(record: dict[str, Any]) -> ProblemSpec:
    tests = [{"kind": record["test_kind"], **test} for test in record["tests"]]
    return ProblemSpec.model_validate({**record, "tests": tests})


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(min_value=0, max_value=10**6), transforms=st.integers(min_value=1, max_value=3))
def test_the_reference_program_passes_every_test_and_every_mutant_fails_one(
    seed: int, transforms: int
) -> None:
    problem = complete(random.Random(seed), transforms, Split.TEST)
    assert len(problem.tests) == HIDDEN_TESTS >= 40
    assert len({test.input for test in problem.tests}) == HIDDEN_TESTS
    for test in (problem.sample, *problem.tests):
        assert answer(problem.chain.code, test.input) + "\n" == test.output
    for mutant in substitutes(problem.chain):
        assert any(
            _answer_or_error(mutant.code, test.input).split() != test.output.split() for test in problem.tests
        ), mutant


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(min_value=0, max_value=10**6), index=st.integers(min_value=0, max_value=100))
def test_the_same_seed_and_index_give_the_same_record(seed: int, index: int) -> None:
    assert problem_spec(seed, index) == problem_spec(seed, index)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(min_value=0, max_value=10**6))
def test_a_random_problem_is_held_out_and_in_the_labs_schema(seed: int) -> None:
    record = random_problem(seed)
    spec = _as_spec(record)
    chain = parse(spec.statement)
    assert chain is not None
    assert chain.split is Split.TEST
    assert (spec.split, spec.source) == ("test", "micro")
    assert spec.tags == chain.tags
    assert spec.reference_solution == chain.code
    assert spec.difficulty == {1: "easy", 2: "medium", 3: "hard"}[chain.transforms]


def test_a_negative_seed_is_refused_with_a_sentence() -> None:
    with pytest.raises(ValueError, match="at least 0"):
        random_problem(-1)


def test_the_shipped_list_holds_distinct_held_out_problems_and_is_what_the_generator_makes() -> None:
    records = engine_spec.shipped_problems()
    assert len(records) == 60
    assert len({record["id"] for record in records}) == 60
    assert len({record["statement"] for record in records}) == 60
    assert engine_spec.PROBLEMS.stat().st_size < 1_500_000
    for record in records:
        _as_spec(record)
        assert record["split"] == "test"
    for record in records[::10]:
        made = record["provenance"]
        own = {key: value for key, value in record.items() if key not in ("id", "group", "provenance")}
        assert problem_spec(made["seed"], made["index"]).items() >= own.items()


def test_the_shipped_list_is_the_whole_draw_with_the_mended_ones_first() -> None:
    places = [record["provenance"]["place"] for record in engine_spec.shipped_problems()]
    drawn = [record["provenance"]["index"] for record in engine_spec.shipped_problems()]
    mended = places.count(MENDED)
    assert places == [MENDED] * mended + [AS_DRAWN] * (COUNT - mended)
    assert sorted(drawn) == list(range(COUNT))
    assert drawn[mended:] == sorted(drawn[mended:])
    ids = [record["id"] for record in engine_spec.shipped_problems()]
    assert ids == sorted(ids)


def test_only_problems_that_the_adapters_mend_are_moved_to_the_front() -> None:
    base = [True, False, False, True, False]
    four = [True, True, False, False, True]
    assert order(base, four) == [1, 4, 0, 2, 3]


def test_no_test_input_of_a_shipped_problem_is_its_sample_alone() -> None:
    for record in engine_spec.shipped_problems():
        assert any(test["input"] != record["samples"][0]["input"] for test in record["tests"])
