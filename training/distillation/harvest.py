"""From a judged run to its pairs: which answers of it are kept, and why the others are not.

The filter is execution: the run's program passes all hidden tests, and the answer itself is whole and in the format
asked for. A run is looked at once (`Harvest`); should a crash come between its examples and that row, the examples are
found again by their digests, so none is lost and none doubled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from solver.campaigns.measures import Origin, measure
from solver.campaigns.models import CampaignRun, SlotState
from training import examples
from training.distillation.models import Distillation, Harvest
from training.distillation.recorded import Credit, credit
from training.distillation.spec import DistillationSpec
from training.examples import Asked
from training.models import Way
from training.supervision.steps import Path
from trajectories import eventlog
from trajectories.agents import AGENTS
from trajectories.models import Run, RunStatus

CHUNK = 200
TEACHER, STUDENT, IMPORTED = "teacher", "student", "imported"
SURE = 50  # a stated confidence from here on says that the plan is right


def harvest(job: Distillation, limit: int = CHUNK) -> int:
    """Look at up to `limit` judged runs that were not looked at yet; returns how many there were."""
    spec = DistillationSpec.model_validate(job.spec)
    found = _campaign_runs(job, limit) if job.campaign_id else _imported_runs(job, limit)
    done = 0
    for run, cell in found:
        _harvest(job, spec, run, cell)
        done += 1
    return done


def is_under_way(job: Distillation) -> bool:
    """Whether runs are still to come, or judged ones still to be looked at."""
    if job.campaign is None:
        return waiting(job).exists()
    return job.campaign.live or bool(list(_campaign_runs(job, 1)))


def _campaign_runs(job: Distillation, limit: int) -> Iterable[tuple[Run, str]]:
    slots = CampaignRun.objects.filter(campaign=job.campaign_id, state=SlotState.MEASURED, run__isnull=False)
    waiting = slots.exclude(run__in=job.harvests.values("run")).order_by("position")
    for slot in waiting.select_related("cell", "run__problem")[:limit]:
        assert slot.run is not None
        yield slot.run, TEACHER if slot.cell.position == 0 else STUDENT


def imported_runs(spec: DistillationSpec) -> QuerySet[Run]:
    """The imported trajectories that the spec names and that our judge has looked at."""
    wanted = spec.imported
    assert wanted is not None
    found = Run.objects.filter(status=RunStatus.FINISHED).exclude(imported_from="").exclude(verdict="")
    if wanted.formats:
        found = found.filter(imported_from__in=wanted.formats)
    if wanted.strategies:
        found = found.filter(strategy__in=wanted.strategies)
    if spec.problems.source:
        found = found.filter(problem__source__in=spec.problems.source)
    return found


def waiting(job: Distillation) -> QuerySet[Run]:
    """Of a job on imported trajectories: those still to be looked at."""
    spec = DistillationSpec.model_validate(job.spec)
    return imported_runs(spec).exclude(pk__in=job.harvests.values("run")).order_by("pk")


def _imported_runs(job: Distillation, limit: int) -> Iterable[tuple[Run, str]]:
    for run in waiting(job).select_related("problem")[:limit]:
        yield run, IMPORTED


def _harvest(job: Distillation, spec: DistillationSpec, run: Run, cell: str) -> None:
    kept: dict[str, list[int]] = {}
    why: dict[str, str] = {}
    if run.solved:
        steps = list(examples.asked(run.pk))
        for role, way, chosen, reason in _chosen(spec, run, cell, steps):
            found = [_keep(spec, run, way, step) for step in chosen]
            ids = [one for one in found if isinstance(one, int)]
            if ids:
                kept.setdefault(role, []).extend(ids)
            faults = [one for one in found if isinstance(one, str)]
            why.setdefault(role, reason or (faults[0] if faults else "no such step"))
    why = {role: reason for role, reason in why.items() if role not in kept}
    with transaction.atomic():
        Harvest.objects.get_or_create(
            distillation=job,
            run=run,
            defaults={"cell": cell, "passed": run.solved, "kept": kept, "why": why},
        )


def _keep(spec: DistillationSpec, run: Run, way: Way, step: Asked) -> int | str:
    """The example's id, or why there is none."""
    if step.fault:
        return step.fault
    length = len(step.finished.text) + sum(len(turn["content"]) for turn in step.messages)
    if length > spec.longest:
        return "too long"
    made = examples.keep(way, run, step)
    return made.pk if made else "unusable"


Choice = tuple[str, Way, Sequence[Asked], str]


def _chosen(spec: DistillationSpec, run: Run, cell: str, steps: Sequence[Asked]) -> list[Choice]:
    """(role, way, steps to keep, why there are none) of a run that passed."""
    path = Path(run)
    at = {agent: path.step_of(agent) for agent in AGENTS}
    step_of = {step.number: step for step in steps}
    own = {agent: [step_of[n]] if (n := at[agent]) in step_of else [] for agent in at}
    if cell == IMPORTED:
        return _of_a_recording(spec, credit(run, steps), own, steps, path)
    origin = measure(eventlog.read_all(run.pk)).origin
    if cell == STUDENT:
        repaired = origin is Origin.REPAIR
        reason = "" if repaired else "the first program passed, so nothing was repaired"
        return [("debugging", Way.REPAIR, own["debugging"] if repaired else [], reason)]
    return _of_the_teacher(spec, own, steps, path, origin is Origin.FIRST)


def _of_the_teacher(
    spec: DistillationSpec, own: Mapping[str, list[Asked]], steps: Sequence[Asked], path: Path, first: bool
) -> list[Choice]:
    hidden = "" if first else "a repair may hide what was wrong with it"
    found: list[Choice] = []
    if "retrieval" in spec.teacher_roles:
        found.append(("retrieval", Way.TEACHER, own["retrieval"], ""))
    if "planning" in spec.teacher_roles:
        found.append(("planning", Way.TEACHER, own["planning"] if first else [], hidden))
        if spec.confidence:
            found.append(("planning", Way.TEACHER, _agreeing(steps, own["planning"], path, first), hidden))
    if "coding" in spec.teacher_roles:
        found.append(("coding", Way.TEACHER, own["coding"] if first else [], hidden))
    return found


def _of_a_recording(
    spec: DistillationSpec,
    credited: Credit,
    own: Mapping[str, list[Asked]],
    steps: Sequence[Asked],
    path: Path,
) -> list[Choice]:
    """Of all four agents, whatever `teacher_roles` says: nobody asked for them again, so nothing is saved by less."""
    if credited.step is None:
        return [(role, Way.TEACHER, [], credited.why) for role in AGENTS if own[role]]
    had = {role for role in AGENTS if own[role]}
    every = spec.model_copy(update={"teacher_roles": ("retrieval", "planning", "coding")})
    own = {**own, "coding": credited.of("coding")}
    repair = "" if credited.step.role == "debugging" else "the program that passed is older than any repair"
    debugging: Choice = ("debugging", Way.TEACHER, credited.of("debugging"), repair)
    found = _of_the_teacher(every, own, steps, path, credited.first)
    return [choice for choice in [*found, debugging] if choice[0] in had]


def _agreeing(steps: Sequence[Asked], plans: Sequence[Asked], path: Path, first: bool) -> list[Asked]:
    """The verdict on the plan whose first program passed, if it says that the plan is right: a calibrated one.

    What would have come of the other plans is not known, so nothing is kept of them.
    """
    if not first or not plans:
        return []
    return [
        step
        for step in steps
        if step.role == "confidence"
        and step.started.detail.get("exemplar", 1) == path.exemplar
        and _is_sure(step.finished.parse.value)
    ]


def _is_sure(value: Any) -> bool:
    """A stated confidence, or the word CORRECT where a recorded verifier was asked for a word."""
    if not isinstance(value, Mapping):
        return False
    score = value.get("score")
    return value.get("correct") is True or (isinstance(score, int) and score >= SURE)
