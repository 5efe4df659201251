"""A campaign's YAML: exact, round-tripped, and every mistake named with its field and its mend."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from solver.campaigns.spec import BadCampaign, CampaignSpec, read_data, read_yaml

WHOLE = """
name: Direct against MapCoder
problems:
  source: [codecontests, xcodeeval]
  tags: dp
  difficulty: {least: 800, most: 1600}
  limit: 60
  sample_seed: 7
strategies:
- name: direct
- {name: mapcoder, params: {k: 3, t: 5}, label: the paper}
models:
- engine: qwen
  adapters: [retrieval, debugging]
  price: {input: 0.1, output: 0.3}
seeds: [0, 1]
languages: python
budget: {calls: 1000}
"""


def faults(text: str) -> dict[str, str]:
    with pytest.raises(BadCampaign) as refused:
        read_yaml(text)
    return {fault.where: fault.message for fault in refused.value.faults}


def with_line(line: str) -> str:
    return f"name: x\nstrategies: [{{name: direct}}]\nmodels: [{{engine: a}}]\n{line}\n"


def test_a_whole_spec_is_read_with_its_defaults() -> None:
    spec = read_yaml(WHOLE)
    assert spec.problems.tags == ("dp",) and spec.languages == ("python",) and spec.seeds == (0, 1)
    assert spec.models[0].switches() == {
        "retrieval": True,
        "planning": False,
        "coding": False,
        "debugging": True,
    }
    assert (spec.budget.calls, spec.budget.tokens, spec.at_once, spec.judge_profile) == (
        1000,
        None,
        8,
        "strict",
    )


def test_the_yaml_that_is_written_reads_back_as_the_same_spec() -> None:
    spec = read_yaml(WHOLE)
    assert read_yaml(spec.to_yaml()) == spec
    assert read_data(spec.canonical()) == spec
    assert list(yaml.safe_load(spec.to_yaml()))[:4] == ["name", "problems", "strategies", "models"]


NAMES = st.text("abcdefgh", min_size=1, max_size=8)
SPECS = st.fixed_dictionaries(
    {
        "name": st.text(min_size=1, max_size=40).filter(lambda s: s.isprintable()),
        "strategies": st.lists(
            st.fixed_dictionaries({"name": NAMES, "params": st.dictionaries(NAMES, st.integers() | NAMES)}), min_size=1, max_size=3
        ),
        "models": st.lists(st.fixed_dictionaries({"engine": NAMES, "adapters": st.sampled_from(["all", "none", ["coding"]])}), min_size=1, max_size=3),
        "seeds": st.lists(st.integers(-5, 5), min_size=1, unique=True),
    },
    optional={
        "problems": st.fixed_dictionaries({}, optional={"limit": st.integers(1, 9), "ids": st.lists(NAMES), "difficulty": st.just({"least": 1.5})}),
        "budget": st.fixed_dictionaries({}, optional={"tokens": st.integers(1, 9)}),
    },
)  # fmt: skip


@given(SPECS)
def test_any_spec_survives_yaml(data: dict[str, Any]) -> None:
    spec = CampaignSpec.model_validate(data)
    again = read_yaml(spec.to_yaml())
    assert again == spec and again.digest() == spec.digest()


@pytest.mark.parametrize(
    ("price", "says"),
    [
        ("{input: 1, output: 2, currency: usd}", "currency: must be three capital letters such as USD"),
        ("{input: 1, output: 2, currency: $}", "currency: must be three capital letters such as USD"),
        ("{input: 0.0000001, output: 2}", "input: "),
        ("{input: 1, output: 1234567890}", "output: "),
    ],
)
def test_a_price_that_the_report_could_not_reckon_with_is_refused_before_the_start(
    price: str, says: str
) -> None:
    text = f"name: x\nstrategies: [{{name: direct}}]\nmodels: [{{engine: a, price: {price}}}]\n"
    assert says in faults(text)["models.1.price"]


@pytest.mark.parametrize(
    ("line", "where", "says"),
    [
        ("sedes: [1]", "sedes", "did you mean 'seeds'"),
        ("problems: {sources: [a]}", "problems.sources", "did you mean 'source'"),
        ("seeds: 5", "seeds", "must be a list such as [a, b], not 5"),
        ("seeds: [1, x]", "seeds.2", "valid integer"),
        ("seeds: [1, 1]", "", "the same number twice"),
        ("problems: {limit: 0}", "problems.limit", "greater than or equal to 1, not 0"),
        ("budget: {calls: -3}", "budget.calls", "not -3"),
        ("at_once: 1000", "at_once", "less than or equal to 256"),
        ("judge_profile: [a]", "judge_profile", "valid string"),
        ("problems: {duplicates: maybe}", "problems.duplicates", "'skip' or 'keep'"),
        ("budget: {cost: .inf}", "budget.cost", "finite number"),
        ("name: [", "line 5, column 1", "not YAML"),
        ("seeds: &a [1]\nlanguages: *a", "line 5, column 12", "aliases"),
    ],
)
def test_a_mistake_is_named_with_its_field(line: str, where: str, says: str) -> None:
    found = faults(with_line(line))
    assert where in found, found
    assert says in found[where]


def test_all_mistakes_are_reported_at_once() -> None:
    found = faults("problems: {limit: 0}\nstrategies: []\nmodels: [{adapters: none}]\n")
    assert {"name", "problems.limit", "strategies", "models.1.engine"} <= set(found)


def test_wrong_adapters_are_explained() -> None:
    found = faults(with_line("").replace("{engine: a}", "{engine: a, adapters: [supervisor]}"))
    assert any("retrieval" in message for message in found.values()), found


@pytest.mark.parametrize("text", ["", "just words", "- a list", "2024-13-45", "x" * 300_000, "[" * 5000])
def test_what_is_no_spec_is_refused_with_a_sentence(text: str) -> None:
    assert all(message for message in faults(text).values())


def test_too_many_combinations_are_refused() -> None:
    many = {"name": "x", "strategies": [{"name": "direct"}] * 10, "models": [{"engine": "a"}] * 10}
    with pytest.raises(BadCampaign, match="at most 64"):
        read_data(many)
