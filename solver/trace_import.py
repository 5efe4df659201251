"""Importing trajectories: each becomes a run with its log; its final program is judged here beside what was recorded.

A trajectory is one run whatever happens: the run's request id is the digest of what was read, so importing a file
again, or going on after a crash, stores nothing twice. Each run is written in a transaction of its own. Nothing that
was recorded is overwritten: our verdict stands in `Run.verdict`, the source's in `Run.recorded_solved`.
"""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.timezone import now

from solver import judge_pool, judging, run_copies, trace_events
from solver.judge import Program, Task, language_from_name
from solver.problem_names import ProblemBook
from solver.trace_events import Judged
from trajectories import eventlog
from trajectories.importers import Fault
from trajectories.importers.fault import Malformed, Place
from trajectories.models import IMPORTED, Run, RunStatus, Step
from trajectories.problem_schema import ProblemSpec, TestKind
from trajectories.text import printable
from trajectories.traces import LabRun, Trajectory
from trajectories.version import code_version

REQUEST = "trace:"
Found = tuple[Place, Trajectory | LabRun]


class Outcome(StrEnum):
    NEW = "new"
    KNOWN = "already here"
    NO_PROBLEM = "without a problem"


@dataclass(frozen=True, slots=True)
class Options:
    """`language` is for trajectories that do not name theirs, `problem` for files that do not name their problem.

    A verdict needs no test after the first that fails; `all_tests` runs them for the strip's sake.
    """

    judge: bool = True
    all_tests: bool = False
    judge_profile: str = "strict"
    language: str = "python"
    problem: str = ""
    created_by: str = ""
    dry_run: bool = False


@dataclass(slots=True)
class Imported:
    """What an import did or, for a dry run, would do.

    `verdicts` counts (recorded as solved, our verdict) of every program judged by this import; `unjudged` says why
    others were not; `missing` names problems that the lab does not hold, with how many trajectories want each.
    """

    dry_run: bool = False
    counts: Counter[Outcome] = field(default_factory=Counter)
    by_strategy: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[tuple[bool | None, str]] = field(default_factory=Counter)
    unjudged: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    runs: list[int] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @property
    def agreements(self) -> tuple[int, int]:
        """How many of the judged programs that came with a verdict got the same one here."""
        with_verdict = {key: n for key, n in self.verdicts.items() if key[0] is not None}
        same = sum(n for (solved, ours), n in with_verdict.items() if trace_events.agree(bool(solved), ours))
        return same, sum(with_verdict.values())

    def to_dict(self) -> dict[str, Any]:
        same, judged = self.agreements
        return {
            "dry_run": self.dry_run,
            "counts": {outcome.value: self.counts[outcome] for outcome in Outcome},
            "by_strategy": dict(self.by_strategy),
            "verdicts": [
                {"recorded_solved": solved, "verdict": ours, "runs": n}
                for (solved, ours), n in sorted(self.verdicts.items(), key=str)
            ],
            "agree": same,
            "compared": judged,
            "unjudged": dict(self.unjudged),
            "missing_problems": dict(self.missing),
            "runs": self.runs,
            "faults": [
                {
                    name: getattr(fault, name)
                    for name in ("file", "member", "line", "field", "problem", "mend")
                }
                for fault in self.faults
            ],
        }


@dataclass(slots=True)
class _Job:
    """A trajectory with its problem; `run_id` is set when it was imported before, but never judged."""

    trace: Trajectory
    problem: int
    language: str
    run_id: int | None = None
    judged: Future[Judged] | None = None


def import_traces(found: Iterable[Found], options: Options, faults: list[Fault]) -> Imported:
    """Store every trajectory that names a problem of the lab. `faults` is the reader's list; it grows meanwhile.

    Programs are judged on all cores while earlier runs are written. Raises JudgeError where this machine cannot judge.
    """
    report = Imported(dry_run=options.dry_run, faults=faults)
    slots = settings.JUDGE_SLOTS or os.cpu_count() or 1
    book = ProblemBook()
    with ThreadPoolExecutor(max_workers=slots, thread_name_prefix="rejudge") as pool:
        waiting: deque[_Job] = deque()
        try:
            for job in _jobs(found, options, report, book):
                _submit(job, pool, book, options, report)
                waiting.append(job)
                while len(waiting) > 4 * slots:
                    _settle(waiting.popleft(), options, report)
            while waiting:
                _settle(waiting.popleft(), options, report)
        finally:
            pool.shutdown(cancel_futures=True)
    return report


def _jobs(found: Iterable[Found], options: Options, report: Imported, book: ProblemBook) -> Iterator[_Job]:
    seen: set[str] = set()
    for place, one in found:
        try:
            job = _job(one, options, report, book, seen)
        except Malformed as malformed:
            report.faults.append(place.fault(malformed))
            continue
        if job is not None:
            yield job


def _job(
    one: Trajectory | LabRun, options: Options, report: Imported, book: ProblemBook, seen: set[str]
) -> _Job | None:
    """What is left to do with it, if anything. Raises Malformed."""
    if isinstance(one, LabRun):
        _copy(one, options, report)
        return None
    name = request_id(one)
    known = Run.objects.filter(request_id=name).first()
    if name in seen or known is not None:
        report.counts[Outcome.KNOWN] += 1
        if known is None or known.verdict or not options.judge or name in seen:
            return None
    seen.add(name)
    problem = book.find([options.problem] if options.problem else one.candidates)
    if problem is None:
        wanted = options.problem or one.problem
        if not wanted:
            raise Malformed(
                "problem", "the trajectory does not name its problem", "name it with --problem ID"
            )
        report.counts[Outcome.NO_PROBLEM] += 1
        report.missing[wanted] += 1
        return None
    return _Job(one, problem, _language(one, options), known.pk if known else None)


def request_id(trace: Trajectory) -> str:
    """Of at most 64 characters."""
    return REQUEST + trace.digest()[: 64 - len(REQUEST)]


def _copy(one: LabRun, options: Options, report: Imported) -> None:
    run_id, fresh = run_copies.restore(one, dry_run=options.dry_run)
    report.counts[Outcome.NEW if fresh else Outcome.KNOWN] += 1
    if fresh:
        report.by_strategy[one.head.run.strategy] += 1
        if run_id is not None:
            report.runs.append(run_id)


def _language(trace: Trajectory, options: Options) -> str:
    """The judge's key; a language that it does not know keeps its own name, and is not judged."""
    name = trace.language or options.language
    try:
        return language_from_name(name)
    except ValueError:
        return printable(name.lower())[:16]


# -- judging


def _submit(
    job: _Job, pool: ThreadPoolExecutor, book: ProblemBook, options: Options, report: Imported
) -> None:
    if not options.judge or options.dry_run:
        return
    spec = book.spec(job.problem)
    if why := _unjudgeable(job, spec):
        report.unjudged[why] += 1
        return
    try:
        task = judging.task(spec, spec.tests, job.language)
    except ValueError as error:
        report.unjudged[str(error)] += 1
        return
    program = judging.program(job.trace.final_code or "", job.language)
    job.judged = pool.submit(_judge, program, task, options)


def _judge(program: Program, task: Task, options: Options) -> Judged:
    began = time.monotonic()
    report = judge_pool.judge().judge(
        program, task, profile=options.judge_profile, stop_on_first_failure=not options.all_tests
    )
    return Judged(report, round(time.monotonic() - began, 4))


def _unjudgeable(job: _Job, spec: ProblemSpec) -> str:
    if not (job.trace.final_code or "").strip():
        return "no program was recorded"
    if job.language not in judge_pool.languages():
        return f"this machine cannot run {job.language}"
    if spec.test_kind is not TestKind.STDIO and job.language != "python":
        return f"a function's tests are not run in {job.language}"
    return ""


# -- writing


def _settle(job: _Job, options: Options, report: Imported) -> None:
    judged = job.judged.result() if job.judged else None
    if judged is not None:
        report.verdicts[job.trace.solved, judged.report.verdict.value] += 1
    if job.run_id is not None:
        if judged is not None:
            _judge_later(job.run_id, job, judged)
        return
    if not options.dry_run and (run_id := _store(job, judged, options)):
        report.runs.append(run_id)
    report.counts[Outcome.NEW] += 1
    report.by_strategy[job.trace.strategy] += 1


def _store(job: _Job, judged: Judged | None, options: Options) -> int | None:
    """The run's id; None when another import stored it meanwhile."""
    trace = job.trace
    timed = trace_events.timed_events(trace, job.language, judged, now())
    try:
        with transaction.atomic():
            run = Run.objects.create(
                problem_id=job.problem,
                strategy=slug(trace.strategy)[:32],
                params={},
                engine=engine_copy(trace),
                engine_name=printable(f"{IMPORTED}{trace.model or 'unknown'}")[:64],
                language=job.language,
                judge_profile=options.judge_profile,
                code_version=code_version(),
                request_id=request_id(trace),
                created_by=options.created_by[:150],
                imported_from=trace.format[:32],
                published_at=now(),  # no worker is to be told of it
            )
            eventlog.restore(run.pk, [event for event, _ in timed], [at for _, at in timed])
    except IntegrityError:
        if Run.objects.filter(request_id=request_id(trace)).exists():
            return None
        raise
    return run.pk


def slug(name: str) -> str:
    """A strategy's name as the lab writes names: `LDB debug` is `ldb_debug`."""
    words = "".join(char if char.isalnum() else " " for char in name.lower()).split()
    return "_".join(words) or "unknown"


def engine_copy(trace: Trajectory) -> dict[str, Any]:
    """In place of an engine's settings: the models as recorded, and that nothing ran here."""
    title = trace_events.TITLES.get(trace.format, trace.format)
    models = {
        step.role: step.model or trace.model or "unknown" for step in trace.steps if step.kind == "answer"
    }
    copy = {
        "name": "imported",
        "kind": "imported",
        "label": f"{trace.model or 'unknown model'}, imported from {title}, not run here",
        "simulated": False,
        "roles": models,
        "framework": trace.framework,
    }
    found: dict[str, Any] = trace_events.storable(copy)
    return found


def _judge_later(run_id: int, job: _Job, judged: Judged) -> None:
    """Our verdict on a run that was imported without one, unless somebody else gave it meanwhile."""
    with transaction.atomic():
        run = Run.objects.select_for_update().get(pk=run_id)
        if run.verdict:
            return
        number = Step.objects.filter(run=run).aggregate(n=Max("number"))["n"] or 0
        attempt = trace_events.last_attempt(job.trace)
        code = job.trace.final_code or ""
        for event in trace_events.judge_step(number + 1, attempt, code, run.language, judged):
            eventlog.append_unowned(run_id, event, when=[RunStatus.FINISHED])
