"""A reviewer's own judgements in order: undo and redo across steps without limit, and how the day goes.

Undo takes back the newest of one's judgements that stands. Redo brings back what the newest undo took, as long as
nothing new was said since. Both are events, so the record keeps every turn.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from django.db.models import Exists, OuterRef
from django.utils.timezone import now

from trajectories import review
from trajectories.models import Judgement, JudgementQuerySet

SAID = ("blame", "accept", "reject", "correct", "comment", "prefer")
FINISHING = ("blame", "accept", "reject", "prefer")  # a step is judged by these
PAUSE_S = 600.0  # a longer gap between two judgements is a pause, not a thought
IN_BULK = (
    ":"  # in the key of a judgement made with many others by one press (`training.decisions.decide_many`)
)
REMEMBERED = 500  # judgements that the median is taken of


def _mine(actor: str) -> JudgementQuerySet:
    return Judgement.objects.filter(actor=actor, source="human")


def _one_by_one(actor: str) -> JudgementQuerySet:
    """What was read before it was said, so that it tells of a reviewer's pace."""
    return _mine(actor).filter(verb__in=FINISHING).exclude(key__contains=IN_BULK)


def undo(actor: str, key: str = "") -> Judgement | None:
    """Take back the newest judgement that stands; returns it, None where there is nothing to take back."""
    if key and (known := _repeated(actor, key)):
        return _target(known)
    newest = _mine(actor).standing().filter(verb__in=SAID).select_related("run").order_by("-pk").first()
    if newest is None or review.undo(newest, actor=actor, key=key) is None:
        return None
    return newest


def redo(actor: str, key: str = "") -> Judgement | None:
    """Bring back what the newest undo took; returns it, None where there is nothing to bring back."""
    if key and (known := _repeated(actor, key)):
        taken = _target(known)
        return taken and _target(taken)
    of_undo = Judgement.objects.filter(run=OuterRef("run"), key=OuterRef("undoes"), verb="undo")
    undos = _mine(actor).standing().filter(verb="undo").exclude(Exists(of_undo))
    newest = undos.select_related("run").order_by("-pk").first()
    if newest is None or _mine(actor).filter(verb__in=SAID, pk__gt=newest.pk).exists():
        return None
    if review.undo(newest, actor=actor, key=key) is None:
        return None
    return _target(newest)


def _repeated(actor: str, key: str) -> Judgement | None:
    return _mine(actor).filter(key=key, verb="undo").first()


def _target(undone: Judgement) -> Judgement | None:
    return Judgement.objects.filter(run=undone.run_id, key=undone.undoes).select_related("run").first()


def done_today(actor: str) -> int:
    """Steps on which this reviewer's judgements of today stand, those apart that one press made with many others."""
    start = now().replace(hour=0, minute=0, second=0, microsecond=0)
    mine = _one_by_one(actor).standing().filter(created_at__gte=start)
    return mine.order_by().values("run", "step").distinct().count()


def median_seconds(actor: str) -> float | None:
    """Median time from one judged step to the next; pauses and judgements in bulk are left out. None with fewer than
    three gaps."""
    rows = _one_by_one(actor).order_by("-pk")
    times: list[datetime] = list(rows.values_list("created_at", flat=True)[:REMEMBERED])
    gaps = [
        (later - earlier).total_seconds()
        for later, earlier in pairwise(times)
        if timedelta(0) < later - earlier < timedelta(seconds=PAUSE_S)
    ]
    return median(gaps) if len(gaps) >= 3 else None
