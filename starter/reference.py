"""Runs a reference program over many inputs in one child process and returns what it printed or returned.

For the repository's own programs only: the child has a time limit and a fresh interpreter, no sandbox. Run as
`python -m starter.reference`, this module is that child: a job as JSON on stdin, answers as JSON on stdout.
"""

from __future__ import annotations

import copy
import io
import json
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from trajectories.problem_schema import TestKind


class ReferenceFailed(RuntimeError):
    """The reference raised or ran out of time; the message has the last line of its error."""


def run_reference(
    program: str, kind: TestKind, entry_point: str | None, inputs: list[Any], *, timeout_s: float = 60.0
) -> list[Any]:
    """One answer an input: the text on stdout, or the function's result as a JSON value."""
    with tempfile.TemporaryDirectory(prefix="starter-") as folder:
        path = Path(folder) / "reference.py"
        path.write_text(program, encoding="utf-8")
        job = {"path": str(path), "kind": kind.value, "entry_point": entry_point, "inputs": inputs}
        try:
            child = subprocess.run(
                [sys.executable, "-m", "starter.reference"],
                input=json.dumps(job),
                capture_output=True,
                text=True,
                timeout=timeout_s,
                check=False,
                cwd=Path(__file__).parent.parent,
            )
        except subprocess.TimeoutExpired as slow:
            raise ReferenceFailed(f"no answer within {timeout_s:g} s") from slow
    if child.returncode != 0:
        raise ReferenceFailed((child.stderr.strip().splitlines() or ["no message"])[-1])
    answers: list[Any] = json.loads(child.stdout)
    return answers


def _answer_stdio(path: str, text: str) -> str:
    stdin, stdout = sys.stdin, sys.stdout
    sys.stdin = io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8")
    sys.stdout = caught = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n")
    try:
        runpy.run_path(path, run_name="__main__")
        caught.flush()
        printed = caught.buffer
        assert isinstance(printed, io.BytesIO)
        return printed.getvalue().decode()
    finally:
        sys.stdin, sys.stdout = stdin, stdout


def main() -> None:
    job = json.load(sys.stdin)
    if job["kind"] == TestKind.STDIO:
        answers = [_answer_stdio(job["path"], text) for text in job["inputs"]]
    else:
        function = runpy.run_path(job["path"])[job["entry_point"]]
        answers = [function(*copy.deepcopy(args)) for args in job["inputs"]]
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
