"""The public traces beside the repository become runs, all of them, and our judge agrees with what was recorded."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from solver.trace_import import Options, Outcome, import_traces
from trajectories.importers import read_problems
from trajectories.models import Run, Step
from trajectories.problems import store_all
from trajectories.traces import read_traces

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


def test_every_trace_of_the_collection_becomes_a_run(corpus: Path) -> None:
    problems = read_problems(corpus / "problems")
    store_all(
        (spec for spec in problems.problems if spec.source not in ("gcj", "kattis-examples")), problems.faults
    )
    found = read_traces(corpus / "traces")
    report = import_traces(found.found, Options(judge=False), found.faults)
    assert (report.faults, report.missing) == ([], Counter())
    assert report.counts == Counter({Outcome.NEW: 1197})
    assert report.by_strategy == Counter(
        {"LDB debug": 464, "Analogical": 381, "MapCoder": 249, "Reflexion": 103}
    )
    runs = Run.objects.filter(strategy="mapcoder")
    assert (runs.count(), sum(runs.values_list("calls", flat=True))) == (249, 1521)
    # The reproduction's own XML: most answers are well-formed, and what is not is counted, not lost.
    failed = Counter(
        Step.objects.exclude(format_failure="").values_list("run__strategy", "role", "format_failure")
    )
    assert (
        sum(n for (strategy, role, _), n in failed.items() if (strategy, role) == ("mapcoder", "retrieval"))
        < 100
    )
    read = set(Run.objects.values_list("strategy", flat=True))
    assert read == {"ldb_debug", "analogical", "mapcoder", "reflexion"}


def test_our_judge_agrees_with_the_recorded_verdicts_of_a_sample(corpus: Path, tmp_path: Path) -> None:
    """HumanEval, where a verdict takes milliseconds; every 8th trace of LDB's and Analogical's."""
    problems = read_problems(corpus / "problems" / "humaneval.jsonl.gz")
    store_all(problems.problems, problems.faults)
    read = [
        one
        for name in ("ldb", "analogical")
        for one in read_traces(corpus / "traces" / f"{name}.jsonl.gz").found
    ]
    wanted = [found for found in read if getattr(found[1], "problem", "").startswith("humaneval/")][::8]
    report = import_traces(wanted, Options(judge_profile="humaneval"), [])
    same, compared = report.agreements
    assert compared == len(wanted) > 30
    assert same / compared >= 0.97
