"""The reference page names everything there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from solver.agents.formats import FormatFailure
from solver.agents.prompts import template_sets
from solver.engines.protocol import Role
from solver.strategies.profiles import Defect
from solver.strategies.registry import STRATEGIES

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "agents.md").read_text(encoding="utf-8")
NAMES = [
    *(f"| `{failure}` |" for failure in FormatFailure),
    *(f"| `{defect}` |" for defect in Defect),
    *(f"| `{name}` |" for name in (*STRATEGIES, *template_sets())),
    *(f"| {role} |" for role in Role if role is not Role.SUPERVISOR),
]


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_page_has_a_row_for_it(name: str) -> None:
    assert name in PAGE


def test_the_reference_page_knows_the_defaults() -> None:
    for info in STRATEGIES.values():
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{info.name}` |"))
        for parameter in info.parameters:
            if parameter.name in ("k", "t", "n"):
                assert f"{parameter.name} ({parameter.default})" in row
