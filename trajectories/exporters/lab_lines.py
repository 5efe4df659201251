"""The lab's own export: JSON Lines that another lab restores event by event (see `trajectories.traces.lab_run`)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from trajectories import eventlog
from trajectories.models import Run
from trajectories.traces.lab_run import NAME, VERSION, digest, line, moment


def export(run: Run) -> str:
    lines = list(event_lines(run.pk))
    return "\n".join([line(head(run, lines)), *lines]) + "\n"


def head(run: Run, lines: list[str]) -> dict[str, Any]:
    fields = (
        "request_id",
        "strategy",
        "params",
        "engine",
        "engine_name",
        "seed",
        "language",
        "judge_profile",
    )
    more = ("code_version", "created_by", "imported_from")
    parent = run.branch_of.request_id if run.branch_of else run.awaits
    return {
        "format": NAME,
        "version": VERSION,
        "run": {
            **{name: getattr(run, name) for name in (*fields, *more)},
            "created_at": moment(run.created_at.astimezone(UTC)),
            "started_at": moment(run.started_at.astimezone(UTC)) if run.started_at else None,
            **({"branch_of": parent, "branch": run.branch} if parent else {}),
        },
        "problem": {
            name: getattr(run.problem, name) for name in ("external_id", "digest", "title", "source")
        },
        "events": len(lines),
        "digest": digest(lines),
    }


def event_lines(run_id: int) -> Iterator[str]:
    for event in eventlog.read_all(run_id):
        yield event_line(event.seq, event.created_at, event.kind, event.payload)


def event_line(seq: int, at: datetime, kind: str, payload: dict[str, Any]) -> str:
    return line({"seq": seq, "at": moment(at.astimezone(UTC)), "kind": kind, "payload": payload})
