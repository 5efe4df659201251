"""The refused half of a preference pair: what the accepted answer was better than.

Of a changed step it is the original, unless people who saw both blind did not find it worse; of an original it is the changed
answer that they found worse. Both halves then answer one question, the original's own (see `training.desk.rows`).
"""

from __future__ import annotations

from collections import defaultdict

from django.db.models import Q

from training.desk.preferences import LOSSES, WINS, majority
from trajectories.desk.models import Choice, Preference
from trajectories.models import Run, StepEvent


def refused(run: Run, step: int, *, original: str) -> str:
    """`original`: of a changed step what it was changed from. "" where there is no pair. One query, or two."""
    changed = Q(run=run, step=step, other=run.branch_of_id, other_step=step)
    kept = Q(other=run, other_step=step, step=step, run__branch_of=run)
    said = Preference.objects.filter(changed | kept).exclude(choice=Choice.SKIP).order_by("run_id")
    pairs: dict[int, list[Preference]] = defaultdict(list)
    for one in said:
        pairs[one.run_id].append(one)
    if original:
        return "" if run.pk in pairs and majority(pairs[run.pk]) != WINS else original
    worse = [pk for pk, several in pairs.items() if pk != run.pk and majority(several) == LOSSES]
    return _answer(worse[-1], step) if worse else ""


def _answer(run: int, step: int) -> str:
    ends = StepEvent.objects.filter(run=run, step=step, kind="step.finished").order_by("-seq")
    return str(ends.values_list("payload__text", flat=True).first() or "")
