"""Runs of other labs: restored event by event, exactly as they were exported."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.timezone import now
from pydantic import ValidationError

from solver.change import Change
from solver.judge import Report
from trajectories import eventlog, events, run_page, story
from trajectories.exporters import lab_lines
from trajectories.importers.fault import Malformed
from trajectories.models import Problem, Run
from trajectories.traces.lab_run import EventLine, Head, LabRun, line

ORIGIN = "lab"
_MEND = "export the run again"


def restore(copy: LabRun, *, dry_run: bool = False) -> tuple[int | None, bool]:
    """Store the run; its id, and whether it is new. Raises Malformed where it cannot be the run it says it is."""
    typed = [_event(entry) for entry in copy.events]
    fence = _check_ending(typed)
    head = copy.head
    if known := Run.objects.filter(request_id=head.run.request_id).first():
        _check_same(known, copy)
        return known.pk, False
    problem = _problem(head)
    if dry_run:
        return None, True
    with transaction.atomic():
        run = Run.objects.create(problem=problem, fence=fence, published_at=now(), **_fields(head))
        eventlog.restore(run.pk, typed, [entry.at for entry in copy.events])
        _check_readable(run.pk)
        Run.objects.filter(pk=run.pk).update(
            created_at=head.run.created_at,
            started_at=head.run.started_at,
            imported_from=head.run.imported_from or ORIGIN,
        )
        # Its branches that came before it.
        Run.objects.filter(awaits=run.request_id).update(branch_of=run, awaits="")
    return run.pk, True


def _check_readable(run_id: int) -> None:
    """An event may fit its schema and hold a value that no strategy writes; such a run would break its own page."""
    run = Run.objects.select_related("problem").get(pk=run_id)
    try:
        told = story.tell(run)
        run_page.fill(run, list(told.cards.values()))
        [marker.sentence for marker in told.markers]
    except (TypeError, ValueError, KeyError, AttributeError, IndexError) as error:
        raise Malformed(
            "events", f"the run cannot be shown ({type(error).__name__}: {error})", _MEND
        ) from error


def _fields(head: Head) -> dict[str, Any]:
    return head.run.model_dump(
        exclude={"created_at", "started_at", "imported_from", "branch_of", "branch"}
    ) | _branch(head)


def _branch(head: Head) -> dict[str, Any]:
    """Whose branch the run is. Where the parent is not here the run stands alone until it comes. Raises Malformed."""
    if not head.run.branch_of:
        return {}
    try:
        change = Change.parse(head.run.branch)
    except ValueError as error:
        raise Malformed("run.branch", f"is no change of a step ({error})", _MEND) from error
    parent = Run.objects.filter(request_id=head.run.branch_of).first()
    awaits = "" if parent else head.run.branch_of
    return {"branch_of": parent, "branch": change.to_json(), "awaits": awaits}


def _event(entry: EventLine) -> events.Event:
    """Typed, and the same when written again."""
    where = f"line {entry.seq + 1}"
    if entry.kind not in events.KINDS:
        raise Malformed(where, f"{entry.kind!r} is no event of this version of the lab", "update the lab")
    try:
        event = events.parse(entry.kind, entry.payload)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise Malformed(f"{where}, {field}", first["msg"], _MEND) from error
    if line(event.model_dump(mode="json")) != line(entry.payload):
        raise Malformed(
            where, "the event does not survive being read by this version of the lab", "update the lab"
        )
    if isinstance(event, events.TestsFinished | events.Rejudged) and event.report:
        _check_report(event.report, where)
    return event


def _check_report(report: dict[str, Any], where: str) -> None:
    try:
        Report.from_dict(report)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Malformed(f"{where}, report", f"is no report of the judge ({error})", _MEND) from error


def _check_ending(typed: list[events.Event]) -> int:
    """The last fence. A run that had not ended cannot go on here: its engine and worker are elsewhere."""
    ended, fence = False, 0
    for event in typed:
        if isinstance(event, events.RunStarted):
            ended, fence = False, max(fence, event.fence)
        elif isinstance(event, events.RunFinished):
            ended = True
    if not ended:
        raise Malformed("events", "the run had not ended when it was exported", "export it again when it has")
    return fence


def _check_same(known: Run, copy: LabRun) -> None:
    here = lab_lines.event_lines(known.pk)
    for mine, theirs in zip(here, copy.events, strict=False):
        if mine != lab_lines.event_line(theirs.seq, theirs.at, theirs.kind, theirs.payload):
            raise Malformed(
                "run", f"run {known.pk} has the same id and another history", "keep one of the two"
            )
    if known.last_seq < len(copy.events):
        raise Malformed(
            "run",
            f"run {known.pk} is this run with {len(copy.events) - known.last_seq} events fewer",
            "a recorded run is not overwritten; remove it first if the file is to replace it",
        )


def _problem(head: Head) -> Problem:
    if exact := Problem.objects.filter(digest=head.problem.digest).first():
        return exact
    name = head.problem.external_id
    if Problem.objects.filter(external_id=name).exists():
        what = f"{name} is here in another version, and a run's tests are those of its own version"
    else:
        what = f"{name} ({head.problem.title}) is not in this lab"
    raise Malformed("problem", what, "import the problem first: manage.py import_problems FILE")
