from __future__ import annotations

import json
from typing import Any

import pytest

from solver.agents.prompts import has_template
from solver.strategies.profiles import Defect
from solver.strategies.registry import STRATEGIES, BadParameter

MAPCODER = STRATEGIES["mapcoder"]


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_finds_its_templates_in_the_lab_set(name: str) -> None:
    assert STRATEGIES[name].missing_templates("lab") == []
    assert all(has_template("lab", template) for template in STRATEGIES[name].templates)


def test_mapcoder_finds_its_templates_in_every_set() -> None:
    assert [MAPCODER.missing_templates(name) for name in ("upstream", "micro")] == [[], []]
    assert STRATEGIES["direct"].missing_templates("nowhere") == ["direct"]


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_defaults_are_plain_json_and_within_their_own_bounds(name: str) -> None:
    defaults = STRATEGIES[name].check({})
    assert json.loads(json.dumps(defaults)) == defaults
    assert STRATEGIES[name].check(defaults) == defaults


def test_the_defaults_of_mapcoder_are_the_paper_s() -> None:
    params = MAPCODER.params({**MAPCODER.check({}), "language": "cpp"})
    assert (params.k, params.t, params.profile, params.language, params.max_calls) == (
        3,
        5,
        "lab",
        "cpp",
        None,
    )
    assert params.extra == {}


@pytest.mark.parametrize(
    ("given", "bound"),
    [
        ({}, 50),
        ({"retries": 0}, 25),
        ({"profile": "upstream"}, 25),
        ({"profile": "upstream", "k": 5}, 41),
        ({"profile": "upstream", "defects": ["strict_parser"]}, 50),
    ],
)
def test_the_call_bound_counts_retries_where_there_are_any(given: dict[str, Any], bound: int) -> None:
    assert MAPCODER.call_bound(MAPCODER.params(MAPCODER.check(given))) == bound


def test_values_of_a_form_are_read_as_their_kind() -> None:
    given = {"k": " 5 ", "t": "0", "max_calls": "", "profile": "", "defects": "strict_parser, no_retry"}
    checked = MAPCODER.check(given)
    assert checked == {
        "k": 5,
        "t": 0,
        "profile": "lab",
        "retries": 1,
        "speculative": "off",
        "defects": ["no_retry", "strict_parser"],
    }
    assert MAPCODER.params(checked).extra == {"defects": ["no_retry", "strict_parser"]}
    assert MAPCODER.check({"defects": "none"})["defects"] == []


@pytest.mark.parametrize(
    ("given", "name", "message"),
    [
        ({"k": 0}, "k", "must be from 1 to 9, not 0"),
        ({"k": "three"}, "k", "must be a whole number, not 'three'"),
        ({"k": True}, "k", "must be a whole number, not True"),
        ({"k": 2.5}, "k", "must be a whole number, not 2.5"),
        ({"t": 10**400}, "t", "must be from 0 to 20, not 1000"),
        ({"t": "9" * 5000}, "t", "must be a whole number"),
        ({"profile": "best"}, "profile", "must be one of lab, upstream, not 'best'"),
        ({"defects": "tyop"}, "defects", "cannot hold 'tyop'; there are: strict_parser"),
        ({"defects": {"a": 1}}, "defects", "must be a list of names"),
        ({"depth": 3}, "depth", "MapCoder has no parameter 'depth'; it has: k, t, speculative, profile"),
    ],
)
def test_a_bad_parameter_is_refused_by_name_with_a_sentence(
    given: dict[str, Any], name: str, message: str
) -> None:
    with pytest.raises(BadParameter) as refused:
        MAPCODER.check(given)
    assert refused.value.name == name
    assert message in str(refused.value)


def test_every_defect_has_words() -> None:
    assert all(defect.summary for defect in Defect)


def test_best_of_n_keeps_its_own_parameter() -> None:
    info = STRATEGIES["best_of_n"]
    params = info.params(info.check({"n": "7", "retries": 0}))
    assert (params.extra, info.call_bound(params)) == ({"n": 7}, 7)
