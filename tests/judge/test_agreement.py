from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from solver.judge import Judge
from solver.judge.agreement import document, main, measure
from solver.judge.causes import Cause

_PROBLEM = {
    "id": "p/1", "tests": [{"input": "1\r\n2\r\n", "outputs": ["3", "three"]}], "test_kind": "stdio",
    "checker": {"type": "execeval"}, "quirks": [], "starter_code": "", "entry_point": None,
}  # fmt: skip


def _program(number: int, source: str, verdict: bool, harness: str, **more: Any) -> dict[str, Any]:
    return {"id": f"r{number}", "problem_id": "p/1", "eval_set": "set", "language": "Python3", "source": source,
            "verdict": verdict, "harness": harness, "provenance": {"repo": "a/b", "path": "f", "line": number}, **more}  # fmt: skip


def _folder(path: Path, problem: dict[str, Any], *programs: dict[str, Any]) -> Path:
    for name, rows in (("problems", [problem]), ("programs", programs)):
        (path / name).mkdir()
        with gzip.open(path / name / "set.jsonl.gz", "wt") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
    return path


_LOCAL = "local subprocess (stdout.strip()==str(expected[0]).strip(), 5 s)"
_RIGHT = "print(int(input()) + int(input()))"


def test_disagreements_are_put_down_to_their_causes(tmp_path: Path, judge: Judge) -> None:
    folder = _folder(
        tmp_path,
        {**_PROBLEM, "quirks": ["crlf_inputs", "nonstring_expected"]},
        _program(1, _RIGHT, True, "ExecEval"),
        _program(2, _RIGHT, False, "ExecEval"),
        _program(3, _RIGHT, False, _LOCAL),
        _program(4, "import sys\nprint('three')", False, _LOCAL),
        _program(5, "import sys\nprint(3)\nsys.exit(4)", True, _LOCAL),
        _program(6, "while True:\n    pass", True, "ExecEval"),
        _program(7, "print(4)", True, "ExecEval"),
        _program(8, "import nowhere", True, "ExecEval"),
        _program(9, _RIGHT, True, "ExecEval", language="Haskell"),
    )
    found = measure(folder, judge=judge)
    causes = {item.id: item.cause for tally in found.tallies for item in tally.disagreements}
    assert causes == {
        "r2": Cause.NOT_A_STRING,
        "r3": Cause.CRLF_DOUBLED,
        "r4": Cause.FIRST_ONLY,
        "r5": Cause.EXIT_IGNORED,
        "r6": Cause.TIME_LIMIT,
        "r7": Cause.UNEXPLAINED,
        "r8": Cause.MODULE_MISSING,
    }
    assert sum(found.unusable.values()) == 1
    bars = {bar["name"]: bar for bar in document(found)["bars"]}
    assert bars["unexplained disagreements"]["value"] == 1
    assert bars["agreement where the harness was sound"]["n"] == 4


def test_a_folder_without_problems_is_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path)]) == 1
    assert "give the folder that contains problems/ and programs/" in capsys.readouterr().out


@pytest.mark.slow
def test_recorded_verdicts_are_reproduced(data_folder: Path, judge: Judge) -> None:
    found = measure(data_folder, limit=40, judge=judge)
    unexplained = [
        item for tally in found.tallies for item in tally.disagreements if item.cause is Cause.UNEXPLAINED
    ]
    assert len(unexplained) <= 2, unexplained
