"""Steps stand beside their counterparts; parts of one text can be taken into another. Pure, so checked on anything."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trajectories import alignment
from trajectories.alignment import align
from trajectories.highlight import split
from trajectories.side_by_side import merged, sides

KEYS = st.lists(st.sampled_from("abcd"), max_size=12)
TEXTS = st.lists(st.sampled_from(["x = 1", "y = 2", "", "  z", "print(x)"]), max_size=12).map("\n".join)


def longest_common(left: list[str], right: list[str]) -> int:
    if not left or not right:
        return 0
    if left[0] == right[0]:
        return 1 + longest_common(left[1:], right[1:])
    return max(longest_common(left[1:], right), longest_common(left, right[1:]))


@given(KEYS, KEYS)
def test_every_step_appears_once_in_order_and_pairs_are_of_one_kind(
    left: list[str], right: list[str]
) -> None:
    pairs = align(left, right)
    assert [i for i, _ in pairs if i is not None] == list(range(len(left)))
    assert [j for _, j in pairs if j is not None] == list(range(len(right)))
    assert all(left[i] == right[j] for i, j in pairs if i is not None and j is not None)


@given(st.lists(st.sampled_from("abc"), max_size=7), st.lists(st.sampled_from("abc"), max_size=7))
def test_no_alignment_pairs_more_steps(left: list[str], right: list[str]) -> None:
    paired = [pair for pair in align(left, right) if None not in pair]
    assert len(paired) == longest_common(left, right)


@given(KEYS)
def test_a_trajectory_stands_beside_itself_without_a_gap(keys: list[str]) -> None:
    assert align(keys, keys) == [(n, n) for n in range(len(keys))]


def test_very_long_trajectories_are_aligned_too(monkeypatch: object) -> None:
    keys = ["coding", "judge"] * 2000
    other = [*keys[:3000], "debugging", *keys[3000:]]
    assert len(keys) * len(other) > alignment.MOST_CELLS
    assert sum(None not in pair for pair in align(keys, other)) == len(keys)


@given(TEXTS, TEXTS)
def test_taking_no_part_leaves_the_left_text_and_taking_all_gives_the_right_one(old: str, new: str) -> None:
    parts = len(sides(old, new, "text").changed)
    assert split(merged(old, new, ())) == split("\n".join(split(old)))
    assert split(merged(old, new, range(1, parts + 1))) == split("\n".join(split(new)))


@given(TEXTS, TEXTS)
def test_both_sides_are_equally_long_and_show_every_changed_line(old: str, new: str) -> None:
    shown = sides(old, new, "text")
    assert all(len(hunk.left) == len(hunk.right) for hunk in shown.hunks)
    deleted = [line.number for line in shown.left if line.kind == "del"]
    added = [line.number for line in shown.right if line.kind == "add"]
    kept_old = [line for n, line in enumerate(split(old), 1) if n not in deleted]
    kept_new = [line for n, line in enumerate(split(new), 1) if n not in added]
    assert kept_old == kept_new
