"""Training runs as verbs: start, start a recipe, save and stop, abort, resume, clone."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from typing import Any

from celery import current_app
from django.db import IntegrityError, transaction
from django.utils.timezone import now
from kombu.exceptions import OperationalError

from training import lora_spec, readiness, training_log
from training.lora_spec import BadSpec, LoraSpec
from training.models import DatasetVersion, TrainingRun, VersionState
from training.run_models import Ask, TrainingStatus
from trajectories.spec_text import Fault
from trajectories.version import code_version

log = logging.getLogger(__name__)


def start(
    spec: LoraSpec,
    *,
    request_id: str = "",
    created_by: str = "",
    recipe: str = "",
    cloned_from: TrainingRun | None = None,
    publish_to_workers: bool = True,
) -> TrainingRun:
    """Queue a training run. The same `request_id` again returns the run it started first. Raises BadSpec."""
    request_id = request_id or uuid.uuid4().hex
    if known := TrainingRun.objects.filter(request_id=request_id).first():
        return known
    gate = readiness.check(spec)
    if not gate.open:
        raise BadSpec([Fault(spec.role, reason) for reason in readiness.reasons(gate)])
    assert gate.version and gate.base
    try:
        with transaction.atomic():
            run = TrainingRun.objects.create(
                role=spec.role,
                dataset=gate.version,
                spec=spec.canonical(),
                spec_digest=spec.digest(),
                base=str(gate.base.folder),
                base_fingerprint=gate.base.fingerprint,
                readiness=[finding.as_dict() for finding in gate.findings],
                steps=gate.fit.steps if gate.fit else 0,
                request_id=request_id,
                recipe=recipe,
                cloned_from=cloned_from,
                started_from=gate.adapter,
                created_by=created_by,
                code_version=code_version(),
                published_at=None if publish_to_workers else now(),
            )
    except IntegrityError:  # the same request arrived twice at once
        return TrainingRun.objects.get(request_id=request_id)
    if publish_to_workers:
        transaction.on_commit(lambda: publish(run.pk))
    return run


def start_recipe(
    specs: Sequence[LoraSpec], *, request_id: str = "", created_by: str = "", publish_to_workers: bool = True
) -> list[TrainingRun]:
    """One run a role, all or none. Raises BadSpec with the reasons of every role."""
    request_id = request_id or uuid.uuid4().hex
    ids = [f"{request_id}-{spec.role}" for spec in specs]
    if known := list(TrainingRun.objects.filter(request_id__in=ids).order_by("pk")):
        return known
    gates = [readiness.check(spec) for spec in specs]
    if faults := [Fault(gate.spec.role, text) for gate in gates for text in readiness.reasons(gate)]:
        raise BadSpec(faults)
    with transaction.atomic():
        return [
            start(
                spec,
                request_id=name,
                created_by=created_by,
                recipe=request_id,
                publish_to_workers=publish_to_workers,
            )
            for spec, name in zip(specs, ids, strict=True)
        ]


def newest_datasets() -> dict[str, str]:
    """Role to its newest ready version."""
    found: dict[str, str] = {}
    for version in DatasetVersion.objects.filter(state=VersionState.READY).order_by("role", "-number"):
        found.setdefault(version.role, str(version))
    return found


def read(text: str) -> list[LoraSpec]:
    """The specs of a YAML: one, or with `recipe: true` one a role. Raises BadSpec."""
    data = lora_spec.read_yaml(text)
    if not data.pop("recipe", False):
        return [lora_spec.read_spec(data)]
    datasets = data.pop("datasets", None) or newest_datasets()
    if not isinstance(datasets, dict) or not datasets:
        raise BadSpec(
            [Fault("datasets", "There is no ready dataset version yet; build one for each role first.")]
        )
    return lora_spec.recipe(data, {str(role): str(name) for role, name in datasets.items()})


def publish(run_id: int) -> None:
    """Ring the `train` workers; the reaper rings again where this was lost."""
    try:
        current_app.send_task("training.train", args=[run_id], retry=False)
    except (OperationalError, OSError) as error:
        log.warning("training run %s not announced, the reaper will: %s", run_id, error)
        return
    TrainingRun.objects.filter(pk=run_id, status=TrainingStatus.QUEUED).update(published_at=now())


def save_and_stop(run_id: int) -> bool:
    """The trainer writes a checkpoint after the present step and ends; a queued run ends at once."""
    return _ask(run_id, Ask.SAVE)


def abort(run_id: int) -> bool:
    """End at once; only checkpoints already written stay."""
    return _ask(run_id, Ask.ABORT)


def _ask(run_id: int, ask: Ask) -> bool:
    ended: dict[str, Any] = {
        "reason": "cancelled",
        "message": "Cancelled before it started.",
        "finished_at": now(),
    }
    waiting = TrainingRun.objects.filter(pk=run_id, status=TrainingStatus.QUEUED)
    with transaction.atomic():
        if waiting.move(TrainingStatus.CANCELLED, **ended):
            training_log.append(run_id, [("cancelled", {"message": ended["message"]})], fence=None)
            return True
    # An orphan may have come back to the queue in between: whoever takes it up finds what was asked.
    under_way = TrainingRun.objects.filter(
        pk=run_id, status__in=[TrainingStatus.QUEUED, TrainingStatus.RUNNING]
    )
    return under_way.update(ask=ask) == 1


def resume(run_id: int, *, publish_to_workers: bool = True) -> bool:
    """Queue a stopped, aborted or failed run again; it goes on from its last whole checkpoint. False if it is neither."""
    fresh: dict[str, Any] = {
        "ask": Ask.NOTHING,
        "reason": "",
        "message": "",
        "finished_at": None,
        "deaths": 0,
        "published_at": None if publish_to_workers else now(),
    }
    run = TrainingRun.objects.filter(pk=run_id)
    if not run.move(TrainingStatus.QUEUED, **fresh):
        return False
    if publish_to_workers:
        transaction.on_commit(lambda: publish(run_id))
    return True
