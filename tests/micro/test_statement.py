"""The grammar: what the writer says, the parser understands, and nothing else."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micro.chain import Chain, Step, random_chain
from micro.engine_spec import is_in_family
from micro.random_problem import random_problem
from micro.source import SITES
from micro.statement import parse, parses, write

SEEDS = st.integers(min_value=0, max_value=10**9)


@given(seed=SEEDS, transforms=st.integers(min_value=0, max_value=3))
def test_every_statement_is_read_back_as_the_chain_it_was_written_for_and_as_no_other(
    seed: int, transforms: int
) -> None:
    rng = random.Random(seed)
    chain = random_chain(rng, transforms)
    told = write(rng, chain)
    assert set(parses(told.text)) == {chain}
    assert 0 <= told.site < SITES


@given(seed=SEEDS)
def test_the_same_seed_writes_the_same_statement(seed: int) -> None:
    chain = random_chain(random.Random(seed), 2)
    assert write(random.Random(seed), chain) == write(random.Random(seed), chain)


def test_a_nested_phrase_is_done_from_the_inside_out() -> None:
    text = "Read n and then n ages. Print the sum of the squares of those that are even among the ages."
    assert parse(text) == Chain("list", (Step("even"), Step("square"), Step("sum")))


def test_a_sequential_statement_is_done_in_the_order_told() -> None:
    text = (
        "You are given a word of small letters. First reverse the letters. Then convert the letters to their "
        "positions in the alphabet. Finally print the maximum of the result."
    )
    assert parse(text) == Chain("word", (Step("backwards"), Step("positions"), Step("maximum")))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Print the sum of the numbers.",
        "Given an array of integers, return indices of the two numbers such that they add up to target.",
        "Read n and then n ages. Print the sum of the prices.",
        "Read n and then n ages. Print the sum of those that exceed 4 among the ages.",
        "Read n and then n ages. Keep the first k of the ages. Print the sum of the result.",
        "Read a word of small letters. Print the sum of the word.",
        "Read n and then n ages. Print the sum of the ages. Print the maximum of the ages.",
        "Read n and then n ages. " + "Print the sum of the ages. " * 500,
    ],
)
def test_free_text_and_ill_formed_chains_are_outside_the_family(text: str) -> None:
    assert not is_in_family(text)


@given(st.text(max_size=300))
def test_no_text_makes_the_parser_fail(text: str) -> None:
    assert is_in_family(text) in (True, False)


@given(seed=SEEDS)
def test_a_random_problem_is_in_the_family(seed: int) -> None:
    assert is_in_family(random_problem(seed)["statement"])
