"""The starter set as a set: what is in the committed file, and that it is what the modules give."""

from __future__ import annotations

from collections import Counter

import pytest

from starter.build import build, committed, line
from starter.reference import ReferenceFailed, run_reference
from starter.source import TAG_VOCABULARY, load, slugs
from tests.starter.limits import KEEPS_LIMITS
from trajectories.problem_schema import ProblemSpec, TestKind

MOST_BYTES = 60_000
SAMPLED = slugs()[::8]


def test_the_committed_file_holds_every_module_once_and_in_order() -> None:
    assert [spec.id for spec in committed()] == [f"starter/{slug}" for slug in slugs()]


def test_every_problem_has_at_least_twenty_hidden_tests_and_stays_small() -> None:
    for spec in committed():
        assert len(spec.tests) >= 20, spec.id
        assert len(line(spec).encode()) <= MOST_BYTES, spec.id


def test_every_problem_shows_samples_and_none_of_them_is_a_hidden_test() -> None:
    for slug in slugs():
        source = load(slug)
        assert source.samples
        assert not [one for one in source.samples if one in source.hidden], slug


def test_every_problem_is_tagged_from_the_vocabulary_and_labelled_as_ours() -> None:
    for spec in committed():
        assert spec.tags and set(spec.tags) <= TAG_VOCABULARY
        assert (spec.source, spec.licence) == ("starter", "MIT")
        assert spec.provenance == {"written_for": "MapCoder-Lite Lab"}


def test_titles_ids_and_digests_are_unique() -> None:
    specs = committed()
    for field in ([s.id for s in specs], [s.title for s in specs], [s.digest() for s in specs]):
        assert Counter(field).most_common(1)[0][1] == 1


def test_a_problem_survives_the_file_with_its_digest() -> None:
    for spec in committed():
        assert ProblemSpec.model_validate_json(line(spec)).digest() == spec.digest()


@pytest.mark.parametrize("slug", SAMPLED)
def test_building_a_module_again_gives_the_committed_line(slug: str) -> None:
    built = line(build(load(slug)))
    assert built == next(line(spec) for spec in committed() if spec.id == f"starter/{slug}")


@pytest.mark.slow
def test_building_all_modules_again_gives_the_committed_file() -> None:
    assert [line(build(load(slug))) for slug in slugs()] == [line(spec) for spec in committed()]


def test_a_reference_that_raises_is_named_with_its_error() -> None:
    with pytest.raises(ReferenceFailed, match="ZeroDivisionError"):
        run_reference("print(1 // int(input()))", TestKind.STDIO, None, ["0\n"])


def test_a_reference_that_hangs_is_stopped() -> None:
    with pytest.raises(ReferenceFailed, match="no answer within"):
        run_reference("while True: pass", TestKind.STDIO, None, [""], timeout_s=0.5)


def test_a_reference_cannot_change_the_arguments_of_later_calls() -> None:
    shared = [3, 1, 2]
    program = "def f(xs):\n    xs.append(0)\n    return len(xs)\n"
    assert run_reference(program, TestKind.CALL, "f", [[shared], [shared]]) == [4, 4]


@pytest.mark.parametrize("slug", slugs())
def test_every_input_keeps_the_limits_of_its_statement(slug: str) -> None:
    source = load(slug)
    broken = [str(one)[:80] for one in (*source.samples, *source.hidden) if not KEEPS_LIMITS[slug](one)]
    assert not broken
