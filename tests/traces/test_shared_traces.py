"""The public traces beside the repository become runs, all of them, and our judge agrees with what was recorded."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from django.utils.timezone import now

from solver import trace_events
from solver.trace_import import Options, Outcome, import_traces
from trajectories import events
from trajectories.importers import read_problems
from trajectories.models import Run, Step
from trajectories.problems import store_all
from trajectories.traces import Trajectory, read_traces

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


def test_every_trace_of_the_collection_is_a_log_that_fits_the_schemas(corpus: Path) -> None:
    calls: Counter[str] = Counter()
    failed: Counter[tuple[str, str]] = Counter()
    traces = [one for _, one in read_traces(corpus / "traces").found if isinstance(one, Trajectory)]
    for trace in traces:
        for event, _ in trace_events.timed_events(trace, "python", None, now()):
            assert events.parse(event.kind, event.model_dump(mode="json")) == event
            if isinstance(event, events.StepFinished):
                calls[trace.strategy] += 1
                failed[trace.strategy, event.parse.failure] += bool(event.parse.failure)
    assert len(traces) == 1197
    assert calls == Counter({"LDB debug": 3870, "Reflexion": 1501, "MapCoder": 1521, "Analogical": 381})
    # 24 recalls and 15 plans of MapCoder's agents are not the well-formed XML that they were asked for.
    assert +failed == Counter({("MapCoder", "bad_xml"): 39})


def test_a_sixth_of_the_collection_becomes_runs(corpus: Path) -> None:
    """Every sixth: what is stored is what the test above holds against the schemas, at a sixth of the time."""
    problems = read_problems(corpus / "problems")
    kept = ("apps", "codecontests", "humaneval", "mbpp", "mbpp-typed", "xcodeeval")
    store_all((spec for spec in problems.problems if spec.source in kept), problems.faults)
    found = read_traces(corpus / "traces")
    report = import_traces(list(found.found)[::6], Options(judge=False), found.faults)
    assert (report.faults, report.missing) == ([], Counter())
    assert report.counts == Counter({Outcome.NEW: 200})
    slugs = {
        "LDB debug": "ldb_debug",
        "Analogical": "analogical",
        "MapCoder": "mapcoder",
        "Reflexion": "reflexion",
    }
    stored = Counter(Run.objects.values_list("strategy", flat=True))
    assert stored == Counter({slugs[name]: number for name, number in report.by_strategy.items()})
    assert Step.objects.count() == sum(Run.objects.values_list("calls", flat=True)) > 1000


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
