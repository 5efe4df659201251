"""Storing problems: idempotent by content digest; a changed problem becomes a new version, never an edit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils.timezone import now

from trajectories.models import Problem, ProblemBody, ProblemTag
from trajectories.problem_schema import ProblemSpec
from trajectories.text import printable

if TYPE_CHECKING:
    from trajectories.importers import Fault


class Outcome(StrEnum):
    NEW = "new"
    NEW_VERSION = "new version"
    UNCHANGED = "unchanged"


@dataclass(slots=True)
class Stored:
    """What an import did, or, for a dry run, would do."""

    dry_run: bool
    counts: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    by_source: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    refused: bool = False

    def to_dict(self) -> dict[str, Any]:
        return {
            "dry_run": self.dry_run,
            "refused": self.refused,
            "counts": {outcome.value: number for outcome, number in self.counts.items()},
            "by_source": self.by_source,
            "faults": [asdict(fault) for fault in self.faults],
        }


class _DryRun(Exception):
    """Unwinds the transaction of a dry run."""


def store(spec: ProblemSpec) -> tuple[Problem, Outcome]:
    """Store one problem. Equal digest: nothing happens. Same id, other digest: a new version supersedes the old."""
    digest = spec.digest()
    try:
        return _store(spec, digest)
    except IntegrityError:  # another import stored it at the same moment; now it can be seen
        return _store(spec, digest)


def _store(spec: ProblemSpec, digest: str) -> tuple[Problem, Outcome]:
    with transaction.atomic():
        if known := Problem.objects.filter(digest=digest).first():
            return known, Outcome.UNCHANGED
        older = Problem.objects.filter(external_id=spec.id).order_by("-version").first()
        Problem.objects.filter(external_id=spec.id, superseded_at=None).update(superseded_at=now())
        problem = Problem.objects.create(
            external_id=spec.id,
            version=older.version + 1 if older else 1,
            digest=digest,
            source=spec.source,
            title=spec.title,
            difficulty=spec.difficulty[:64],
            test_kind=spec.test_kind.value,
            sample_count=len(spec.samples),
            test_count=len(spec.tests),
            licence=spec.licence[:300],
            split=spec.split[:32],
        )
        ProblemBody.objects.create(
            problem=problem, spec=_storable(spec.model_dump(mode="json", by_alias=True))
        )
        tags = dict.fromkeys(tag.strip()[:64] for tag in spec.tags if tag.strip())
        ProblemTag.objects.bulk_create([ProblemTag(problem=problem, name=tag) for tag in tags])
    return problem, Outcome.NEW_VERSION if older else Outcome.NEW


def store_all(
    specs: Iterable[ProblemSpec], faults: list[Fault], *, dry_run: bool = False, all_or_nothing: bool = False
) -> Stored:
    """Store an import in one transaction. `all_or_nothing` refuses the whole file if any row has a fault."""
    result = Stored(dry_run=dry_run)
    try:
        with transaction.atomic():
            for spec in specs:
                _, outcome = store(spec)
                result.counts[outcome] += 1
                result.by_source[spec.source] = result.by_source.get(spec.source, 0) + 1
            result.faults = list(faults)
            result.refused = bool(result.faults) and all_or_nothing
            if dry_run or result.refused:
                raise _DryRun
    except _DryRun:
        pass
    return result


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {key: _storable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_storable(item) for item in value]
    return value
