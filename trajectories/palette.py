"""Where the palette can go in the record: runs and steps by number, problems by title or id, queues and starred views by name.

`training.desk.places` adds what the rooms above know and answers the browser."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from trajectories import wording
from trajectories.desk import presets
from trajectories.desk.models import StarredView
from trajectories.models import Problem, Run

MOST = 8


@dataclass(frozen=True, slots=True)
class Place:
    title: str
    kind: str
    href: str


def records(text: str, owner: str) -> list[Place]:
    return [*_runs(text), *_views(text, owner), *_problems(text)]


def numbers(text: str) -> tuple[int, int | None] | None:
    """`91`, `run 91`, `91 s4` or `#91 4`: a run and perhaps one of its steps."""
    words = text.lower().replace("run", " ").replace("#", " ").replace("s", " ", 1).split()
    if not 1 <= len(words) <= 2 or not all(w.isascii() and w.isdigit() and len(w) < 19 for w in words):
        return None
    return int(words[0]), int(words[1]) if len(words) == 2 else None


def _runs(text: str) -> list[Place]:
    asked = numbers(text)
    run = Run.objects.select_related("problem").filter(pk=asked[0]).first() if asked else None
    if run is None or asked is None:
        return []
    href = reverse("run", args=[run.pk])
    said = f"{run.problem.title}, {wording.word(run.verdict) if run.ended else run.status}"
    if asked[1] is not None:
        return [Place(f"Run {run.pk}, step {asked[1]}: {said}", "step", f"{href}#s{asked[1]}")]
    return [Place(f"Run {run.pk}: {said}", "run", href)]


def _views(text: str, owner: str) -> list[Place]:
    queues = [row for row in presets.rows() if text.lower() in row.title.lower()][:MOST]
    starred = StarredView.objects.filter(owner=owner, name__icontains=text)[:MOST]
    desk = [Place(row.title, "queue", f"{reverse('review')}?queue={row.slug}") for row in queues]
    return [Place(row.name, "starred", row.path) for row in starred] + desk


def _problems(text: str) -> list[Place]:
    if not text:
        return []
    rows = Problem.objects.current().filter(title__icontains=text).order_by("title")[:MOST]
    known = Problem.objects.current().filter(external_id=text).first()
    first = [known] if known and known not in rows else []
    return [Place(row.title, row.external_id, reverse("problem", args=[row.pk])) for row in [*first, *rows]]
