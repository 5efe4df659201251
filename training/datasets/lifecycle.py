"""Dataset versions as verbs: start a build, build without what was withdrawn, and what is tainted."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Max, Q, QuerySet

from solver.campaigns.models import Campaign
from training.datasets import pool
from training.datasets.spec import DatasetSpec
from training.models import DatasetVersion, ExampleState, VersionState
from training.spec_text import BadJob
from trajectories.row_leases import free
from trajectories.spec_text import Fault
from trajectories.version import code_version

_UNFIT = (ExampleState.WITHDRAWN, ExampleState.REJECTED)


def start(
    spec: DatasetSpec,
    *,
    request_id: str = "",
    created_by: str = "",
    parent: DatasetVersion | None = None,
) -> DatasetVersion:
    """Number the version and leave the building to a worker. The same `request_id` again returns the first. Raises BadJob."""
    request_id = request_id or uuid.uuid4().hex
    if known := DatasetVersion.objects.filter(request_id=request_id).first():
        return known
    _check(spec)
    for _ in range(5):
        newest = DatasetVersion.objects.filter(role=spec.role).aggregate(n=Max("number"))["n"] or 0
        try:
            with transaction.atomic():
                return DatasetVersion.objects.create(
                    role=spec.role,
                    number=newest + 1,
                    spec=spec.canonical(),
                    parent=parent,
                    request_id=request_id,
                    created_by=created_by,
                    code_version=code_version(),
                )
        except IntegrityError:  # the same request, or another version of this role, at the same moment
            if known := DatasetVersion.objects.filter(request_id=request_id).first():
                return known
    raise BadJob([Fault("", "Several versions were started at once; press again.")])


def _check(spec: DatasetSpec) -> None:
    faults = []
    known = set(Campaign.objects.filter(pk__in=spec.against.campaigns).values_list("pk", flat=True))
    faults += [
        Fault("against.campaigns", f"There is no campaign {pk}.")
        for pk in spec.against.campaigns
        if pk not in known
    ]
    if not pool.query(spec).exists():
        more = "accept some on the review desk, or set reviewed: false to take what passed the filter alone"
        faults.append(Fault("", f"There is no {spec.role} example to build from; {more}."))
    if faults:
        raise BadJob(faults)


def waiting(limit: int = 4) -> list[int]:
    found = DatasetVersion.objects.filter(free(), state=VersionState.BUILDING)
    return list(found.order_by("pk").values_list("pk", flat=True)[:limit])


def with_taint(versions: QuerySet[DatasetVersion]) -> QuerySet[DatasetVersion]:
    """Adds `tainted`: how many of its rows somebody has taken back since."""
    unfit = Count("rows", filter=Q(rows__example__state__in=_UNFIT))
    return versions.annotate(tainted=unfit)


def withdrawn_rows(version: DatasetVersion) -> list[int]:
    """Examples of the version that are not fit any more."""
    rows = version.rows.filter(example__state__in=_UNFIT)
    return list(rows.values_list("example", flat=True))


def without_withdrawn(version: DatasetVersion, *, request_id: str, created_by: str) -> DatasetVersion:
    """The same spec again: what was withdrawn is not in the pool any more."""
    spec = DatasetSpec.model_validate(version.spec)
    return start(spec, request_id=request_id, created_by=created_by, parent=version)


def without_overlap(version: DatasetVersion, *, request_id: str, created_by: str) -> DatasetVersion:
    """The same spec less the problems that overlap with an evaluation set."""
    spec = DatasetSpec.model_validate(version.spec)
    found: dict[str, Any] = version.report.get("overlap", {})
    examples = [int(name.split()[1]) for name in found if name.startswith("example ")]
    problems = [name for name in found if not name.startswith("example ")]
    changed = spec.model_copy(
        update={
            "exclude_problems": tuple(sorted({*spec.exclude_problems, *problems})),
            "exclude_examples": tuple(sorted({*spec.exclude_examples, *examples})),
        }
    )
    return start(changed, request_id=request_id, created_by=created_by, parent=version)
