"""The shipped model itself: it loads, it works, and its card says what was measured."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from micro import engine_spec, table
from micro.artefact import LARGEST_BYTES
from micro.evaluation import evaluation_problems
from micro.model_card import model_card
from micro.staff import Staff, students
from micro.workbench import solve_all
from solver.engines.adapters import read_adapter
from solver.engines.base_model import read_base
from solver.engines.protocol import Role
from solver.engines.spec import EngineSpec
from solver.judge import Judge
from trajectories.agents import AGENTS

pytestmark = pytest.mark.skipif(
    not (engine_spec.ARTEFACT / "manifest.json").exists(), reason="the artefact has not been made"
)
SAMPLE = 24


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    data: dict[str, Any] = json.loads((engine_spec.ARTEFACT / "results.json").read_text(encoding="utf-8"))
    return data


def _arm(results: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(arm for arm in results["seeds"]["1"] if arm["arm"] == name)
    return found


def test_it_is_whole_and_small_enough_to_ship() -> None:
    shipped = engine_spec.artefact()
    files = [path for path in engine_spec.ARTEFACT.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= LARGEST_BYTES
    assert {path.suffix for path in files} <= {".safetensors", ".json", ".md", ".jinja"}
    assert read_base(shipped.base).parameters > 1_000_000
    spec = EngineSpec.parse(engine_spec.engine_entry())
    assert [spec.model_for(role) for role in (Role.CONFIDENCE, Role.CODING)] == ["planning", "coding"]


def test_every_adapter_is_plain_lora_for_exactly_this_base() -> None:
    shipped = engine_spec.artefact()
    base = read_base(shipped.base)
    for agent, folder in shipped.adapters.items():
        adapter = read_adapter(agent, folder, max_rank=32)
        assert adapter.base_fingerprint == base.fingerprint
        assert json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"] is None


def test_the_model_card_is_the_one_that_the_recorded_results_make(results: dict[str, Any]) -> None:
    card = (engine_spec.ARTEFACT / "README.md").read_text(encoding="utf-8")
    assert card == model_card(results)
    for row in results["table"]:
        assert f"| {row['arm']} | {table.interval(row['pass_at_1'])} |" in card


def test_the_recorded_table_follows_from_the_recorded_bits(results: dict[str, Any]) -> None:
    rows = table.rows(list(results["seeds"].values()))
    assert rows == results["table"]
    assert [{"said": s, "holds": h} for s, h in table.findings(rows)] == results["findings"]
    for arms in results["seeds"].values():
        for arm in arms:
            bits = arm["bits"]["pass_at_1"]
            assert len(bits) == arm["n"] >= 400
            assert arm["pass_at_1"]["k"] == bits.count("1")


def test_four_adapters_beat_the_base_beyond_chance(results: dict[str, Any]) -> None:
    rows = {row["arm"]: row for row in results["table"]}
    base, four = rows["base"], rows["all four"]
    assert four["pass_at_1"]["low"] > base["pass_at_1"]["high"]
    assert all(test["p"] < 0.001 for test in four["against_base"])
    assert base["any_format_failure"]["percent"] > 10 > four["any_format_failure"]["percent"]


def _always(staff: Staff, _: int) -> Staff:
    return staff


@pytest.mark.slow
def test_it_solves_the_problems_that_the_results_say_it_solves(results: dict[str, Any]) -> None:
    """Bit for bit where the arithmetic is the same; another processor may round another way, hence the slack."""
    pytest.importorskip("torch", reason="the engine needs torch")
    from solver.engines.transformers_engine import TransformersEngine

    problems = evaluation_problems(SAMPLE)
    engine = TransformersEngine(EngineSpec.parse(engine_spec.engine_entry()))
    try:
        with Judge(slots=1) as judge:
            for name, adapted in (("base", {}), ("all four", {agent: agent for agent in AGENTS})):
                runs = solve_all(problems, partial(_always, students(engine, adapted)), judge)
                recorded = _arm(results, name)["bits"]["pass_at_1"][:SAMPLE]
                differ = sum(run.passed != (bit == "1") for run, bit in zip(runs, recorded, strict=True))
                assert differ <= 2, name
    finally:
        engine.close()
