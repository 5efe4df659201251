"""The filter language: every expression survives being written and read, every mistake is named and placed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trajectories.expressions import (
    BadExpression,
    Expression,
    Field,
    Term,
    Vocabulary,
    parse,
    piece,
)

KNOWN: Vocabulary = {
    "tag": Field("name", "Tag"),
    "verdict": Field("name", "Verdict", ("AC", "WA", "TLE")),
    "is": Field("flag", "State", ("failed", "solved")),
    "calls": Field("number", "Calls"),
}
values = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
negated = st.booleans()
TERMS = st.one_of(
    st.builds(
        Term, st.just("tag"), st.just(":"), st.lists(values, min_size=1, max_size=3).map(tuple), negated
    ),
    st.builds(
        Term,
        st.just("verdict"),
        st.just(":"),
        st.lists(st.sampled_from(["AC", "WA"]), min_size=1).map(tuple),
        negated,
    ),
    st.builds(
        Term,
        st.just("calls"),
        st.sampled_from([":", ">", ">=", "<", "<="]),
        st.integers(0, 10**9).map(lambda n: (str(n),)),
        negated,
    ),
    st.builds(Term, st.just(""), st.just(""), values.map(lambda v: (v,)), negated),
)


@given(st.lists(TERMS, max_size=6).map(lambda terms: Expression(tuple(terms))))
def test_an_expression_written_and_read_is_the_same(expression: Expression) -> None:
    if len(str(expression)) <= 500:
        assert parse(str(expression), KNOWN) == expression


@given(st.text('tagclsiverdctw:<>=",-\\ 019A\n', max_size=40))
def test_any_text_is_understood_or_refused_with_a_place_in_it(text: str) -> None:
    try:
        understood = parse(text, KNOWN)
    except BadExpression as error:
        assert str(error) and 0 <= error.at <= len(text)
    else:
        assert parse(str(understood), KNOWN) == understood


def test_terms_words_alternatives_and_negation() -> None:
    found = parse('tag:dp verdict:wa,TLE -is:solved calls>=10 "night ferry" -x', KNOWN)
    assert found.terms == (
        Term("tag", ":", ("dp",)),
        Term("verdict", ":", ("WA", "TLE")),
        Term("is", ":", ("solved",), negated=True),
        Term("calls", ">=", ("10",)),
        Term("", "", ("night ferry",)),
        Term("", "", ("x",), negated=True),
    )


@pytest.mark.parametrize(
    ("text", "sentence", "at"),
    [
        ("tga:dp", "did you mean tag?", 0),
        ("dp colour:red", "there are tag, verdict, is, calls", 3),
        ("verdict:maybe", "one of AC, WA, TLE, not 'maybe'", 8),
        ("tag>dp", "tag is no number", 3),
        ("calls>many", "calls is a number", 6),
        ("calls>1,2", "takes one number", 7),
        ("tag:", "tag: needs a value", 3),
        ('x "never', "never closed", 2),
        ("a=b", "no field", 0),
        ("tag:dp,", "needs a value", 6),
    ],
)
def test_a_mistake_is_named_and_placed(text: str, sentence: str, at: int) -> None:
    with pytest.raises(BadExpression) as caught:
        parse(text, KNOWN)
    assert sentence in str(caught.value) and caught.value.at == at


def test_choosing_a_facet_replaces_what_the_expression_said_of_it() -> None:
    expression = parse("ferry tag:dp calls>3", KNOWN)
    assert str(expression.having("tag", "two words")) == 'ferry calls>3 tag:"two words"'
    assert str(expression.having("tag", "")) == "ferry calls>3"
    assert expression.value("tag") == "dp" and expression.value("verdict") == ""


@pytest.mark.parametrize(
    ("text", "start", "field", "typed"),
    [
        ("", 0, "", ""),
        ("ta", 0, "", "ta"),
        ("x -ve", 3, "", "ve"),
        ("tag:d", 4, "tag", "d"),
        ("verdict:WA,T", 11, "verdict", "T"),
    ],
)
def test_what_is_being_typed_is_known(text: str, start: int, field: str, typed: str) -> None:
    found = piece(text, KNOWN)
    assert (found.start, found.field, found.typed) == (start, field, typed)
