"""The table of the reproduction: seeds averaged over problems first, and sentences that say no where it is no."""

from __future__ import annotations

from typing import Any

import pytest

from micro import table
from trajectories.agents import AGENTS


def arm(name: str, solved: str, failed: str = "", code: str = "") -> dict[str, Any]:
    bits = dict.fromkeys(table.MEASURES, "0" * len(solved))
    bits |= {"pass_at_1": solved, "any_format_failure": failed or "0" * len(solved)}
    return {"arm": name, "bits": bits | ({"code_right_given_plan": code} if code else {})}


def said(found: list[tuple[str, bool]], word: str) -> bool:
    return next(holds for sentence, holds in found if word in sentence)


def test_a_problem_counts_once_however_many_seeds_answered_it() -> None:
    seeds = [[arm("base", "1100"), arm("all four", "1111")], [arm("base", "0100"), arm("all four", "1110")]]
    base, four = table.rows(seeds)
    assert base["pass_at_1"]["n"] == four["pass_at_1"]["n"] == 4
    assert base["pass_at_1"]["percent"] == 37.5
    assert four["pass_at_1"]["percent"] == 87.5
    assert [test["won"] for test in four["against_base"]] == [2, 2]
    assert four["gain"]["percent"] == 50.0


def test_a_share_of_some_problems_has_their_number_as_n() -> None:
    (base,) = table.rows([[arm("base", "1100", code="1-0-")], [arm("base", "1100", code="1--1")]][:1])
    assert base["code_right_given_plan"] == {"n": 2, "percent": 50.0, "low": 9.5, "high": 90.5}
    (both,) = table.rows([[arm("base", "1100", code="1-0-")], [arm("base", "1100", code="0--1")]])
    assert both["code_right_given_plan"]["n"] == 3
    assert both["code_right_given_plan"]["percent"] == 50.0


def test_an_arm_that_a_seed_lacks_is_left_out_and_the_paper_gives_the_order() -> None:
    seeds = [[arm("all four", "1"), arm("one shared adapter", "1"), arm("base", "0")]]
    assert [row["arm"] for row in table.rows(seeds)] == ["base", "all four", "one shared adapter"]
    seeds.append([arm("all four", "1"), arm("base", "0")])
    assert [row["arm"] for row in table.rows(seeds)] == ["base", "all four"]


def test_what_the_method_promises_is_confirmed_only_where_the_numbers_do() -> None:
    good = [arm("base", "1" * 20 + "0" * 80, failed="1" * 100), arm("all four", "1" * 60 + "0" * 40)]
    found = table.findings(table.rows([good]))
    assert all(holds for _, holds in found)
    bad = [arm("base", "1" * 50 + "0" * 50), arm("all four", "1" * 53 + "0" * 47, failed="1" + "0" * 99)]
    found = table.findings(table.rows([bad]))
    assert not said(found, "double")
    assert not said(found, "intervals")
    assert not said(found, "format failure")
    assert said(found, "better than 'base'")
    assert "may be chance" in next(sentence for sentence, _ in found if "better than 'base'" in sentence)


def test_the_shared_adapter_may_be_equalled_and_anything_else_must_be_beaten() -> None:
    arms = [arm(name, "1100") for name in ("base", "R+D+P", "all four", "one shared adapter")]
    found = table.findings(table.rows([arms]))
    assert said(found, "one shared adapter")
    assert not said(found, "R+D+P")


def test_every_cell_of_a_row_has_its_column() -> None:
    rows = table.rows([[arm("base", "10"), arm("all four", "11")]])
    assert all(len(table.cells(row)) == len(table.COLUMNS) for row in rows)
    text = table.markdown(rows)
    assert text.splitlines()[2].startswith("| base | 50.0 (9.5 to 90.5) |")
    with pytest.raises(KeyError):
        table.findings(rows[:1])


def test_an_earlier_recording_is_shown_as_it_was_recorded() -> None:
    old = arm("base", "10")
    recorded = {"k": 1, "n": 2, "percent": 50.0, "low": 9.5, "high": 90.5}
    old["bits"] = {"pass_at_1": "10", "strict_pass_at_1": "00"}
    old |= dict.fromkeys(table.MEASURES, recorded) | {"format_failures": dict.fromkeys(AGENTS, recorded)}
    (row,) = table.rows([[old]])
    assert row["tags_right"] == row["coding_failure"] == {"n": 2, "percent": 50.0, "low": 9.5, "high": 90.5}
    assert row["strict_pass_at_1"]["percent"] == 0.0
    with pytest.raises(ValueError, match="unpack"):
        table.rows([[old], [old]])
