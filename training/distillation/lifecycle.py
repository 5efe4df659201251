"""Distillation as verbs: start it, and keep it going. Pausing, resuming and budgets are its campaign's."""

from __future__ import annotations

import uuid

from django.db import IntegrityError, transaction

from solver import engine_book
from solver.campaigns import lifecycle as campaigns
from solver.campaigns.models import Campaign
from solver.campaigns.plan import Plan, plan
from solver.campaigns.spec import BadCampaign, CampaignSpec, read_data
from training.distillation.harvest import harvest, imported_runs
from training.distillation.models import Distillation
from training.distillation.spec import DistillationSpec
from training.spec_text import BadJob
from trajectories.models import Run
from trajectories.spec_text import Fault
from trajectories.version import code_version


def campaign_spec(spec: DistillationSpec) -> CampaignSpec:
    """Raises BadJob."""
    faults = []
    for field, name in (("teacher", spec.teacher), ("student", spec.student)):
        if name:
            try:
                engine_book.get(name)
            except LookupError as error:
                faults.append(Fault(field, f"{error}."))
    if faults:
        raise BadJob(faults)
    try:
        return read_data(spec.campaign())
    except BadCampaign as error:
        raise BadJob(list(error.faults)) from None


def planned(spec: DistillationSpec) -> Plan | None:
    """What it would run; None where it runs nothing. Raises BadJob."""
    if spec.imported is not None:
        if not imported_runs(spec).exists():
            raise BadJob([Fault("imported", _why_none())])
        return None
    try:
        return plan(campaign_spec(spec))
    except BadCampaign as error:
        raise BadJob(list(error.faults)) from None


def _why_none() -> str:
    there = Run.objects.exclude(imported_from="")
    if not there.exists():
        return "The lab holds no imported trajectory yet; import some with `manage.py import_traces FILE`."
    if not there.exclude(verdict="").exists():
        return "No imported trajectory has a verdict of our judge; import them again without `--no-judge`."
    have = ", ".join(sorted(set(there.order_by().values_list("strategy", flat=True))))
    return f"No judged trajectory is of these formats, strategies and sources. Strategies there are: {have}."


def start(
    spec: DistillationSpec, *, request_id: str = "", created_by: str = "", publish_to_workers: bool = True
) -> Distillation:
    """The same `request_id` again returns the job it started first. Raises BadJob."""
    request_id = request_id or uuid.uuid4().hex
    if known := Distillation.objects.filter(request_id=request_id).first():
        return known
    campaign: Campaign | None = None
    if planned(spec) is not None:
        campaign = campaigns.start(
            campaign_spec(spec),
            request_id=f"distil-{request_id}"[:64],
            created_by=created_by,
            publish_to_workers=publish_to_workers,
        )
    try:
        with transaction.atomic():
            return Distillation.objects.create(
                name=spec.name,
                spec=spec.canonical(),
                spec_digest=spec.digest(),
                request_id=request_id,
                campaign=campaign,
                created_by=created_by,
                code_version=code_version(),
            )
    except IntegrityError:  # the same request arrived twice at once
        return Distillation.objects.get(request_id=request_id)


def keep_going(most: int = 1000) -> int:
    """Harvest what has been judged since, of every job; returns how many runs were looked at."""
    done = 0
    for job in Distillation.objects.all():
        while done < most and (found := harvest(job)):
            done += found
    return done
