"""The parts pages are made of: intervals, colours, diffs, the time axis, judged tests."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trajectories import cases, diffs, highlight, lanes, svg
from trajectories.bodies import plan_lines, prose
from trajectories.models import Run, RunStatus, Step, StepState
from trajectories.templatetags.lab import ago, inline_code, paragraphs, short
from trajectories.wilson import share

programs = st.text(alphabet=st.sampled_from("ab01 \r\n\t\"'`#/*\\(){}<>&;é🚋"), max_size=300)


def bare(markup: str) -> str:
    return html.unescape(re.sub(r"</?\w[^>]*>", "", markup))


# -- Wilson: values computed with R's binom.wilson


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        (9, 24, 0.2116, 0.5729),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (1, 1, 0.2065, 1.0),
        (500, 1000, 0.4691, 0.5309),
    ],
)
def test_intervals_are_wilsons(hits: int, n: int, low: float, high: float) -> None:
    found = share(hits, n)
    assert found.low == pytest.approx(low, abs=5e-5)
    assert found.high == pytest.approx(high, abs=5e-5)


def test_nothing_tried_is_nothing_known() -> None:
    assert (share(0, 0).low, share(0, 0).high) == (0.0, 1.0)


@given(st.integers(0, 200), st.integers(0, 200))
def test_an_interval_holds_its_rate(hits: int, misses: int) -> None:
    found = share(hits, hits + misses)
    assert 0 <= found.low <= found.rate <= found.high <= 1


# -- colours


@given(programs, st.sampled_from([*highlight.SYNTAXES, "brainfuck"]))
def test_colours_change_no_character(code: str, language: str) -> None:
    shown = [bare(line) for line in highlight.lines(code, language)]
    assert shown == highlight.split(code)


@given(programs, st.sampled_from(list(highlight.SYNTAXES)))
def test_tags_never_reach_over_a_line(code: str, language: str) -> None:
    for line in highlight.lines(code, language):
        assert line.count("<i ") == line.count("</i>")
        assert "<" not in re.sub(r'<i class="[cfkns]">|</i>', "", line)


def test_words_strings_numbers_and_comments_have_their_colours() -> None:
    (line,) = highlight.lines('return f("a", 0x1F)  # done', "python")
    assert line == (
        '<i class="k">return</i> <i class="f">f</i>(<i class="s">&quot;a&quot;</i>, <i class="n">0x1F</i>)  '
        '<i class="c"># done</i>'
    )


# -- diffs


@settings(deadline=None)
@given(programs, programs)
def test_a_diff_can_be_read_both_ways(old: str, new: str) -> None:
    found = diffs.diff(old, new, "python")
    for row in found.rows:
        if row.old is not None:
            assert bare(row.html) == highlight.split(old)[row.old - 1]
        if row.new is not None:
            assert bare(row.html) == highlight.split(new)[row.new - 1]
    assert found.added == sum(row.kind == "add" for row in found.rows)
    assert found.removed == sum(row.kind == "del" for row in found.rows)
    assert (found.added + found.removed > 0) == (highlight.split(old) != highlight.split(new))


def test_changed_words_are_marked_within_their_line() -> None:
    found = diffs.diff("free_at = e\nx = 1", "free_at = e + c\nx = 1", "python")
    assert [str(row.html) for row in found.rows[:2]] == ["free_at = e", "free_at = e<mark> + c</mark>"]
    assert found.summary == "+1 −1"


def test_unchanged_lines_are_counted_not_shown() -> None:
    lines = [f"x{n} = {n}" for n in range(30)]
    found = diffs.diff("\n".join(lines), "\n".join([*lines[:15], "y = 0", *lines[15:]]), "python")
    assert [row.skipped for row in found.rows if row.kind == "hunk"] == [12, 12]


def test_endless_programs_are_not_compared() -> None:
    assert diffs.diff("x\n" * 5000, "y\n" * 5000, "python").too_long


# -- the time axis

ZERO = datetime(2026, 1, 1, tzinfo=UTC)


def timeline(*spans: tuple[str, float, float], ended: bool = True) -> lanes.Timeline:
    steps = [
        Step(
            number=number,
            role=role,
            state=StepState.DONE,
            started_at=ZERO + timedelta(seconds=start),
            finished_at=ZERO + timedelta(seconds=end),
        )
        for number, (role, start, end) in enumerate(spans, start=1)
    ]
    last = ZERO + timedelta(seconds=max(end for _, _, end in spans))
    run = Run(status=RunStatus.FINISHED if ended else RunStatus.RUNNING, finished_at=last if ended else None)
    drawn = lanes.timeline(run, steps, last)
    assert drawn is not None
    return drawn


def test_an_idle_gap_is_cut_out_and_named() -> None:
    drawn = timeline(("coding", 0, 10), ("judge", 10, 12), ("coding", 142, 152))
    (gap,) = drawn.gaps
    assert gap.label == "2 m 10 s" and gap.width == lanes.GAP_WIDTH
    first, _, second = drawn.bars
    assert first.width == pytest.approx(second.width, abs=0.01)  # ten seconds are ten seconds on both sides
    assert second.x == pytest.approx(gap.x + gap.width, abs=0.01)


@pytest.mark.parametrize(("steps", "ended"), [(29, True), (31, True), (120, True), (120, False)])
def test_however_many_gaps_there_are_every_step_is_on_the_drawing(steps: int, ended: bool) -> None:
    """As in an imported conversation whose turns bear a time each and the model thought for longer than a gap."""
    drawn = timeline(*[("coding", at * 10.0, at * 10.0 + 1) for at in range(steps)], ended=ended)
    places = [bar.x for bar in drawn.bars]
    assert places == sorted(places) and len(set(places)) == steps
    right = lanes.RIGHT if ended else lanes.LIVE_RIGHT
    assert all(bar.x + bar.width <= right + lanes.SLIVER for bar in drawn.bars)
    assert len(drawn.gaps) == steps - 1
    assert drawn.now is None or drawn.now <= right
    written = [gap.middle for gap in drawn.gaps if gap.written]
    assert written and all(b - a >= lanes.CLEAR for a, b in pairwise(written))


def test_short_pauses_stay_on_the_axis() -> None:
    assert timeline(("coding", 0, 10), ("judge", 14, 15)).gaps == ()


def test_the_lanes_are_always_the_same_and_the_supervisor_comes_with_its_steps() -> None:
    assert [lane.agent for lane in timeline(("coding", 0, 1)).lanes] == [*lanes.ALWAYS]
    assert [lane.agent for lane in timeline(("supervisor", 0, 1)).lanes] == [*lanes.LANES]
    assert timeline(("confidence", 0, 1)).bars[0].agent == "planning"


@given(st.lists(st.tuples(st.floats(0, 500), st.floats(0, 500)), min_size=1, max_size=12), st.booleans())
def test_everything_lies_on_the_axis_in_order(spans: list[tuple[float, float]], ended: bool) -> None:
    drawn = timeline(*(("coding", start, start + length) for start, length in sorted(spans)), ended=ended)
    xs = [bar.x for bar in drawn.bars]
    assert xs == sorted(xs)
    assert all(bar.x >= 0 and bar.x + bar.width <= 100 for bar in drawn.bars)
    assert all(0 <= tick.x <= 100 for tick in drawn.ticks)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 ms"),
        (0.04, "40 ms"),
        (0.9999, "1.0 s"),
        (4.1, "4.1 s"),
        (59.96, "1 m 00 s"),
        (130, "2 m 10 s"),
        (3900, "1 h 05 m"),
    ],
)
def test_durations_are_short(seconds: float, text: str) -> None:
    assert lanes.duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "every", "text"),
    [(0.02, 0.02, "20 ms"), (1.5, 0.5, "1.5 s"), (10, 10, "10 s"), (185, 5, "3:05"), (3725, 60, "1:02:05")],
)
def test_clock_times_follow_the_scale(seconds: float, every: float, text: str) -> None:
    assert lanes.clock(seconds, every) == text


# -- judged tests


def result(**changes: object) -> dict[str, object]:
    return {
        "verdict": "WA",
        "stdout": "1 2 4",
        "expected": "1 2 3",
        "first_diff": {"index": 2, "got": "4", "want": "3"},
        **changes,
    }


def test_the_first_differing_token_is_marked_on_both_sides() -> None:
    shown = cases.case(result(), 0, None)
    assert shown.expected is not None
    assert (shown.got.before, shown.got.hit, shown.expected.hit) == ("1 2 ", "4", "3")
    assert shown.difference == "First difference: token 3. Expected 3, got 4."


def test_a_difference_deep_in_a_long_output_is_in_sight() -> None:
    words = [str(n) for n in range(20_000)]
    got = " ".join([*words[:15_000], "wrong", *words[15_001:]])
    shown = cases.case(
        result(stdout=got, first_diff={"index": 15_000, "got": "wrong", "want": "15000"}), 0, None
    )
    assert shown.got.hit == "wrong" and shown.got.cut_before > 0 and shown.got.cut_after > 0
    whole = (
        shown.got.cut_before + shown.got.cut_after + len(shown.got.before + shown.got.hit + shown.got.after)
    )
    assert whole == len(got)


@pytest.mark.parametrize(
    ("difference", "sentence"),
    [
        ({"index": 2, "got": None, "want": "3"}, "The output ends before token 3; 3 was expected there."),
        ({"index": 2, "got": "9", "want": None}, "The output goes on after its expected end: token 3 is 9."),
        ({"index": 2, "got": None, "want": None}, ""),
        (None, ""),
    ],
)
def test_the_difference_is_told_in_words(difference: object, sentence: str) -> None:
    assert cases.case(result(first_diff=difference), 0, None).difference == sentence


def test_a_long_error_output_shows_its_end_and_counts_what_is_left_out() -> None:
    trace = "\n".join(f"frame {n}" for n in range(1000)) + "\nZeroDivisionError"
    shown = cases.case(result(stderr=trace), 0, None).stderr
    assert shown.before + shown.hit + shown.after == trace[-cases.CLIP :]
    assert (shown.cut_before, shown.cut_after) == (len(trace) - cases.CLIP, 0)


def test_an_accepted_hidden_test_shows_what_was_expected() -> None:
    shown = cases.case({"verdict": "AC", "stdout": ""}, 0, cases.Question("1 2", "3"))
    assert shown.got.after == "3" and shown.input.after == "1 2"


def test_a_strip_says_in_words_what_it_shows() -> None:
    drawn = svg.strip("aaw" + "a" * 40, 50, limit=24)
    assert 'aria-label="50 tests: 42 passed, first failure test 3, wrong answer"' in drawn
    assert "+26" in drawn and drawn.count("h5v5") == 24


# -- small text


def test_a_plan_loses_its_own_numbers_and_a_repair_its_program() -> None:
    assert plan_lines("1. Read.\n2) Sort.\n\n- Print.\nDone 3. times") == [
        "Read.",
        "Sort.",
        "Print.",
        "Done 3. times",
    ]
    assert prose("Why.\n```python\nx = 1\n```\nend") == "Why."
    assert prose("no program") == ""


def test_a_statement_keeps_its_paragraphs_and_is_never_markup() -> None:
    blocks = paragraphs("One <b>\nline.\n\n    1 2\n    3 4\n\nUse `a<b`.")
    assert blocks == [
        ("p", "One &lt;b&gt;\nline."),
        ("pre", "    1 2\n    3 4"),
        ("p", "Use <code>a&lt;b</code>."),
    ]
    assert inline_code("a ` b") == "a ` b"


@pytest.mark.parametrize(
    ("number", "text"), [(9, "9"), (9_999, "9,999"), (128_400, "128 k"), (2_140_000, "2.1 M")]
)
def test_counts_fit_their_box(number: int, text: str) -> None:
    assert short(number) == text


def test_ages_are_one_unit() -> None:
    assert ago(None) == ""
    assert ago(datetime.now(UTC) - timedelta(hours=3, minutes=20)) == "3 h"
