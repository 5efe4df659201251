"""Answers that real models gave, from the shared data set: what the parsers make of them."""

from __future__ import annotations

import gzip
import json
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from solver.agents.coding import parse_strict, parse_tolerant
from solver.agents.languages import LANGUAGES

TRACES = Path(__file__).parents[3] / "shared" / "data" / "traces"
CODE_STAGES = {"coding", "debugging", "retrieval+planning+coding"}

pytestmark = pytest.mark.skipif(
    not TRACES.is_dir(), reason="the shared data set is not beside the repository"
)


def answers(name: str) -> Iterator[str]:
    with gzip.open(TRACES / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            for step in json.loads(line)["steps"]:
                if step["stage"] in CODE_STAGES and step.get("response"):
                    yield step["response"]


def compiles(code: str | None) -> bool:
    if code is None:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(code, "answer", "exec")
    except (SyntaxError, ValueError):
        return False
    return True


@pytest.mark.parametrize(("name", "malformed"), [("mapcoder", 0.01), ("analogical", 0.0)])
def test_programs_of_real_answers_are_found_whole(name: str, malformed: float) -> None:
    """The four MapCoder answers that do not compile (of 774) hold programs that are themselves malformed."""
    found = [
        (parse_strict(text).value, parse_tolerant(text, LANGUAGES["python"]).value) for text in answers(name)
    ]
    assert len(found) > 300
    lost = [tolerant for strict, tolerant in found if compiles(strict) and not compiles(tolerant)]
    assert not lost
    assert sum(not compiles(tolerant) for _, tolerant in found) <= malformed * len(found)
