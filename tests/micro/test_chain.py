"""Chains: meaning, split and near misses."""

from __future__ import annotations

import itertools
import random

from hypothesis import given
from hypothesis import strategies as st

from micro import oracle
from micro.chain import OPERATIONS, Chain, Split, Step, held_out, random_chain, substitutes, swaps
from micro.corpus import wrong_chain
from micro.oracle import exemplar_chain

CHAINS = st.builds(
    lambda seed, transforms: random_chain(random.Random(seed), transforms),
    st.integers(min_value=0, max_value=10**9),
    st.integers(min_value=0, max_value=3),
)


def test_the_family_has_its_operations_and_holds_out_about_a_tenth_of_their_pairs() -> None:
    pairs = [(a.name, b.name) for a in OPERATIONS.values() for b in OPERATIONS.values() if a.gives is b.takes]
    assert len(OPERATIONS) == 50
    assert 0.07 < sum(held_out(*pair) for pair in pairs) / len(pairs) < 0.13


@given(CHAINS)
def test_a_chain_is_held_out_exactly_when_one_of_its_neighbouring_pairs_is(chain: Chain) -> None:
    pairs = itertools.pairwise(step.name for step in chain.steps)
    assert (chain.split is Split.TEST) == any(held_out(a, b) for a, b in pairs)


@given(CHAINS)
def test_an_exemplar_never_shows_a_held_out_pair(chain: Chain) -> None:
    small = exemplar_chain(chain)
    assert small.split is Split.TRAIN
    assert set(small.plan[1:-1]) <= set(chain.plan)


@given(CHAINS, st.integers(min_value=0, max_value=1000))
def test_a_near_miss_in_training_data_never_shows_a_held_out_pair(chain: Chain, seed: int) -> None:
    wrong = wrong_chain(random.Random(seed), chain)
    assert wrong == chain or wrong.split is Split.TRAIN


@given(CHAINS)
def test_near_misses_differ_from_the_chain_and_end_in_an_answer(chain: Chain) -> None:
    for near in (*substitutes(chain), *swaps(chain)):
        assert near != chain
        assert not near.steps[-1].operation.is_transform


def test_the_tags_follow_the_steps_and_come_once() -> None:
    chain = Chain("list", (Step("even"), Step("add", 2), Step("positive"), Step("sum")))
    assert chain.tags == ("filter", "arithmetic", "sum")


def test_a_chain_that_ignores_its_k_is_not_well_formed() -> None:
    assert not Chain("list_k", (Step("even"), Step("sum"))).is_well_formed
    assert Chain("list_k", (Step("greater_k"), Step("sum"))).is_well_formed


def test_a_wrong_plan_is_told_by_its_first_wrong_step() -> None:
    chain = Chain("list", (Step("even"), Step("square"), Step("sum")))
    wrong = Chain("list", (Step("even"), Step("sum")))
    assert oracle.plan_verdict(chain, oracle.planning(chain)) == ("Every step is right", 88)
    said, confidence = oracle.plan_verdict(chain, oracle.planning(wrong))
    assert (said, confidence) == ("Step 3 should be: replace each element by its square", 12)
    assert oracle.plan_verdict(wrong, oracle.planning(chain))[1] == 12
    assert oracle.plan_verdict(chain, "")[1] == 12
