"""The public traces beside the repository are read whole: every trace, every field."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trajectories.traces import StepKind, TraceStep, Trajectory, read_traces

FILES = ("analogical", "ldb", "mapcoder", "reflexion")


def rows(corpus: Path, name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(corpus / "traces" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def traces(corpus: Path, name: str = "") -> list[Trajectory]:
    report = read_traces(corpus / "traces" / (f"{name}.jsonl.gz" if name else ""))
    found = [one for _, one in report.found]
    assert report.faults == []
    assert report.formats == ["normalised"]
    return [one for one in found if isinstance(one, Trajectory)]


def test_every_trace_of_the_collection_is_read(corpus: Path) -> None:
    found = traces(corpus)
    manifest = json.loads((corpus / "manifest.json").read_text())
    assert len(found) == manifest["counts"]["traces"]
    counts = {"LDB debug": 464, "Analogical": 381, "MapCoder": 249, "Reflexion": 103}
    assert Counter(trace.strategy for trace in found) == counts
    assert len({trace.digest() for trace in found}) == len(found)
    roles = Counter(step.role for trace in found for step in trace.steps if step.kind is StepKind.ANSWER)
    assert roles["agent"] == 0  # every stage of the collection is known


@pytest.mark.parametrize("name", FILES)
def test_no_field_of_any_trace_is_lost(corpus: Path, name: str) -> None:
    found = traces(corpus, name)
    for trace, row in zip(found, rows(corpus, name), strict=True):
        assert restored(trace, row) == row


def test_an_attempt_of_reflexion_is_one_program_with_its_feedback_and_reflection(corpus: Path) -> None:
    trace = max(traces(corpus, "reflexion"), key=lambda trace: len(trace.steps))
    by_attempt: dict[int, list[str]] = {}
    for step in trace.steps:
        by_attempt.setdefault(step.attempt, []).append(step.stage)
    stages = list(by_attempt.values())
    assert stages[:-1] == [["coding", "execution_feedback", "reflection"]] * (len(stages) - 1)


def restored(trace: Trajectory, row: dict[str, Any]) -> dict[str, Any]:
    """The row as the trajectory alone gives it; `row` only says how a step's words were called."""
    back: dict[str, Any] = {
        "problem_id": trace.problem,
        "model": trace.model,
        "strategy": trace.strategy,
        "agent_framework": trace.framework,
        "solved_recorded": trace.solved,
        "prompt_tokens": trace.tokens.prompt,
        "completion_tokens": trace.tokens.completion,
        "total_tokens": trace.tokens.total,
        "n_calls": trace.calls,
    }
    back = {name: value for name, value in back.items() if value is not None}
    provenance = dict(trace.provenance)
    back["id"] = provenance.pop("id")
    steps = [_step(step, given) for step, given in zip(trace.steps, row["steps"], strict=True)]
    return {**back, "provenance": provenance, "steps": steps, "final_code": trace.final_code, **trace.extra}


def _step(step: TraceStep, given: dict[str, Any]) -> dict[str, Any]:
    back: dict[str, Any] = {"stage": step.stage}
    if step.messages:
        back["messages"] = [{"role": m.role, "content": m.content} for m in step.messages]
    if step.text is not None:
        back["response" if "response" in given else "text"] = step.text
    if step.code is not None:
        back["code"] = step.code
    return back | step.extra
