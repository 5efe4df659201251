"""The small readers that formats share: assert statements, docstring examples, JSON one value at a time."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trajectories.importers import assertions, docstring_examples, titles
from trajectories.importers.bounds import Bounds
from trajectories.importers.fault import Malformed
from trajectories.importers.json_stream import JsonStream


@pytest.mark.parametrize(
    ("code", "shown", "wanted"),
    [
        ("assert f(1)==2", "f(1)", "2"),
        ("assert f([1, 2]) == [(1, 2)]", "f([1, 2])", "[(1, 2)]"),
        ("assert not f('==')", "f('==')", "False"),
        ("assert f(1) is None", "f(1)", "None"),
        ("assert f(1)", "f(1)", "True"),
        ("assert abs(f(1) - 2) < 1e-6", "abs(f(1) - 2) < 1e-6", "True"),
        ("assert f(1) == (\n    2\n)", "f(1)", "2"),
        ("assert (f(1)\n == 2)", "f(1)", "2"),
    ],
)
def test_an_assert_shows_a_call_and_its_result(code: str, shown: str, wanted: str) -> None:
    sample = assertions.sample(code)
    assert sample is not None
    assert (sample.input, sample.output, sample.assert_code) == (shown, wanted, code)


@pytest.mark.parametrize(
    "code", ["f(1) == 2", "assert f(1) => 2", "", "assert", "x = 1; assert x", "(" * 500]
)
def test_what_is_no_assert_is_no_sample(code: str) -> None:
    assert assertions.sample(code) is None


@given(st.text(max_size=60))
def test_no_text_makes_the_reading_of_asserts_raise(text: str) -> None:
    assertions.sample(text)
    assertions.sample(f"assert {text}")
    assertions.entry_point([text], text)


pytestmark = pytest.mark.filterwarnings("ignore:invalid escape sequence")
DOCSTRING = '''def f(x, y=0):
    """Add one, as in f(1), which is 2.

    >>> f(1)
    2
    >>> round(f(0.5), 1)
    1.5
    >>> f("no result below")
    f([1, 2]) == [2, 3]   # and so on
    f("(") => "(1"
    * f(3) ➞ 4
    f(4) returns 5.
    f(5) -> 5 + 1 = 6
    g(1) == 3
    f(6) = seven
    f(z) == 1
    f(1) == 2
    """
'''


def test_examples_in_a_docstring_are_found_in_the_forms_that_people_write() -> None:
    found = {sample.input: sample.output for sample in docstring_examples.samples(DOCSTRING, "f")}
    assert found == {
        "f(1)": "2",
        "round(f(0.5), 1)": "1.5",
        "f([1, 2])": "[2, 3]",
        'f("(")': '"(1"',
        "f(3)": "4",
        "f(4)": "5",
    }


@given(st.text(max_size=80))
def test_no_docstring_makes_the_search_raise(text: str) -> None:
    docstring_examples.samples(f'def f(x):\n    """{text}"""\n', "f")


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


class Dripping(io.StringIO):
    """Gives three characters a read, so that every value is cut somewhere."""

    def read(self, size: int | None = -1, /) -> str:
        return super().read(3)


@given(st.lists(_VALUES, max_size=6), st.sampled_from([None, 1]))
def test_elements_are_those_of_the_array_wherever_it_is_cut(values: list[Any], indent: int | None) -> None:
    text = json.dumps(values, indent=indent, ensure_ascii=False)
    assert list(JsonStream(Dripping(text), Bounds()).elements()) == values


@given(st.dictionaries(st.text(), _VALUES, max_size=6))
def test_members_are_those_of_the_object_wherever_it_is_cut(values: dict[str, Any]) -> None:
    assert dict(JsonStream(Dripping(json.dumps(values)), Bounds()).members()) == values


@pytest.mark.parametrize("text", ["[1, 2", "[1 2]", "[1,]", "[", '["a', "[tru]", "[1}", ""])
def test_a_broken_array_is_malformed_after_its_good_elements(text: str) -> None:
    with pytest.raises(Malformed):
        list(JsonStream(io.StringIO(text), Bounds()).elements())


def test_a_value_longer_than_the_bound_is_refused() -> None:
    stream = JsonStream(io.StringIO('["' + "x" * 500_000 + '"]'), Bounds(row=100_000))
    with pytest.raises(Malformed, match="longer than"):
        list(stream.elements())


@pytest.mark.parametrize("length", [0, 10, 71, 72, 73, 300, 5000])
def test_titles_are_short_and_on_one_line(length: int) -> None:
    for statement in ("word " * length, "w" * length, "Two.\nlines " * length):
        title = titles.from_statement(statement, "fallback")
        assert 0 < len(title) <= 200 and "\n" not in title
        assert len(titles.clipped(statement or "x")) <= 200
