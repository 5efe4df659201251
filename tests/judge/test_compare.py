from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solver.judge.compare import (
    KattisFlags,
    equal_exact,
    equal_execeval,
    equal_float,
    equal_kattis,
    equal_livecodebench,
    equal_tokens,
    equal_unordered_lines,
    equal_value,
)

_words = st.lists(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8), max_size=12
)
_blanks = st.sampled_from([" ", "\n", "\r\n", "\t", "  \n"])


@given(_words, st.data())
def test_white_space_never_matters_to_tokens(words: list[str], data: st.DataObject) -> None:
    def joined() -> bytes:
        return "".join(word + data.draw(_blanks) for word in words).encode()

    assert equal_tokens(joined(), joined())


@given(_words, _words)
def test_token_equality_is_equality_of_words_and_finds_the_first_that_differs(
    a: list[str], b: list[str]
) -> None:
    comparison = equal_tokens(" ".join(a).encode(), " ".join(b).encode())
    assert bool(comparison) == (a == b)
    if not comparison:
        assert comparison.first_diff is not None
        index = comparison.first_diff.index
        assert a[:index] == b[:index]
        assert a[index : index + 1] != b[index : index + 1]


def test_a_number_in_another_form_is_another_token() -> None:
    assert not equal_tokens(b"2.0", b"2")
    assert not equal_tokens(b"True", b"true")


def test_a_no_break_space_is_not_white_space() -> None:
    assert not equal_tokens("6\u00a0".encode(), b"6")


def test_exact_forgives_line_ends_and_one_last_newline_only() -> None:
    assert equal_exact(b"a b\r\nc\r\n", b"a b\nc")
    assert not equal_exact(b"a  b\nc", b"a b\nc")
    assert not equal_exact(b"a b\nc\n\n", b"a b\nc")


@pytest.mark.parametrize(
    ("got", "want", "right"),
    [
        (b"0.3000001", b"0.3", True),
        (b"0.31", b"0.3", False),
        (b"12345678901", b"12345678902", False),
        (b"7.0", b"7", False),
        (b"nan", b"0.5", False),
        (b"nan", b"nan", False),
        (b"inf", b"1e300", False),
        (b"inf", b"inf", True),
        (b"-inf", b"inf", False),
        (b"1e400", b"1.5", False),
        (b"3.0 x", b"3.0 x", True),
        (b"0x10", b"16.0", False),
        (b"1_0.0", b"10.0", False),
    ],
)
def test_float_slack_is_for_expected_reals_only(got: bytes, want: bytes, right: bool) -> None:
    assert bool(equal_float(got, want, absolute=1e-6, relative=1e-6)) is right


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(0, 1), st.floats(0, 1))
def test_a_float_equals_itself_under_any_slack(value: float, absolute: float, relative: float) -> None:
    text = repr(value).encode()
    assert equal_float(text, text, absolute=absolute, relative=relative)


def test_unordered_lines_are_a_multiset() -> None:
    assert equal_unordered_lines(b"b 2\na 1\n", b"a 1\r\nb  2")
    assert not equal_unordered_lines(b"a\na\nb\n", b"a\nb\nb\n")


def test_execeval_takes_nan_for_any_number_as_the_original_does() -> None:
    assert equal_execeval(b"NaN", b"332748118")
    assert equal_execeval(b"2", b"2.0")
    assert equal_execeval(b"0x10", b"16")
    assert equal_execeval(b"YES", b"yes")
    assert not equal_execeval(b"Maybe", b"maybe")
    assert not equal_execeval(b"144115188075855871", b"144115188075855872")


@pytest.mark.parametrize("got", [b"1e9999999", b"-1e9999999", b"9e999999999999999999", b"1e-9999999"])
@pytest.mark.parametrize("want", [b"5", b"1e9999998", b"-9e999999999999999999"])
def test_a_number_beyond_all_bounds_is_a_wrong_answer_and_no_error(got: bytes, want: bytes) -> None:
    assert not equal_execeval(got, want) and not equal_livecodebench(got, want)
    assert equal_execeval(got, got) and equal_livecodebench(got, got)


def test_a_signalling_nan_is_a_wrong_answer_and_no_error() -> None:
    assert not equal_livecodebench(b"1 snan", b"1 5") and not equal_livecodebench(b"1 5", b"1 snan")


@given(st.binary(max_size=12), st.binary(max_size=12))
def test_no_output_whatever_makes_a_comparison_fail(got: bytes, want: bytes) -> None:
    for compare in (equal_tokens, equal_exact, equal_execeval, equal_livecodebench, equal_unordered_lines):
        compare(got, want)
    equal_float(got, want, absolute=1e-6, relative=1e-6)


def test_livecodebench_rows_may_match_as_decimals() -> None:
    assert equal_livecodebench(b"1.50 2\n x\n", b"1.5 2.0\nx")
    assert not equal_livecodebench(b"1 2", b"1\n2")


def test_a_value_is_compared_as_json_and_nan_is_never_right() -> None:
    assert equal_value([1, 2.0], [1.0, 2])
    assert not equal_value(True, 1)
    assert not equal_value(math.nan, math.nan)
    assert not equal_value([1], {"0": 1})
    assert equal_value(0.1 + 0.2, 0.3, absolute=1e-9)
    assert not equal_value("10", 10)
    assert not equal_value(10**400, 0.5, absolute=1e-6) and not equal_value([-(10**400)], [1e308])


def test_every_recorded_execeval_case_is_reproduced(data_folder: Path) -> None:
    with gzip.open(data_folder / "checker" / "execeval_cases.jsonl.gz", "rt") as file:
        for row in map(json.loads, file):
            got = row["actual"].encode()
            assert (
                any(equal_execeval(got, text.encode()) for text in row["expected_any_of"])
                == row["accept_execeval"]
            )
            assert (
                any(equal_tokens(got, text.encode()) for text in row["expected_any_of"])
                == row["accept_tokens"]
            )


def test_every_case_of_the_default_validator_is_reproduced(data_folder: Path) -> None:
    with gzip.open(data_folder / "checker" / "kattis_default_validator.jsonl.gz", "rt") as file:
        for row in map(json.loads, file):
            got, want = row["user_out"].encode("latin-1"), row["judge_ans"].encode("latin-1")
            assert bool(equal_kattis(got, want, KattisFlags.parse(row["args"]))) == row["accept_true"], row[
                "id"
            ]
