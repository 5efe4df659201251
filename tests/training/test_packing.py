"""Bins: every row once, none overfull, the same for the same seed."""

from __future__ import annotations

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.packing import pack
from training.watch import Watch


@given(st.lists(st.integers(1, 100), max_size=200), st.integers(100, 300), st.integers(0, 5))
def test_every_row_is_in_one_bin_and_no_bin_is_overfull(lengths: list[int], capacity: int, seed: int) -> None:
    bins = pack(lengths, capacity, seed)
    assert sorted(chain.from_iterable(bins)) == list(range(len(lengths)))
    assert all(sum(lengths[row] for row in one) <= capacity for one in bins)
    assert bins == pack(lengths, capacity, seed)


def test_best_fit_wastes_little() -> None:
    lengths = [30 + (place * 37) % 200 for place in range(2000)]
    bins = pack(lengths, 1024, 0)
    assert sum(lengths) / (len(bins) * 1024) > 0.97


def test_a_row_longer_than_a_bin_is_refused() -> None:
    with pytest.raises(ValueError, match="row 1 has 9 tokens"):
        pack([3, 9], 8, 0)


def steady(watch: Watch, start: int, losses: list[float]) -> list[str]:
    return [alert.code for at, loss in enumerate(losses) for alert in watch.take(start + at, loss, 1.0)]


def test_what_is_not_a_number_ends_the_run() -> None:
    for loss, norm in ((float("nan"), 1.0), (1.0, float("inf"))):
        alerts = Watch(100).take(3, loss, norm)
        assert [(a.code, a.fatal) for a in alerts] == [("not_a_number", True)]


def test_divergence_is_said_once_until_it_has_passed() -> None:
    watch = Watch(1000)
    assert not steady(watch, 1, [1.0] * 30)
    assert steady(watch, 31, [3.0] * 30) == ["diverging"]


def test_a_plateau_is_said_and_a_falling_loss_is_not() -> None:
    assert not steady(Watch(200), 1, [2.0 * 0.98**at for at in range(200)])
    assert steady(Watch(100), 1, [1.0] * 100) == ["no_progress"]
