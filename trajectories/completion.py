"""What may come next in a filter: names of fields, or the values that a field has in this lab."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from trajectories.expressions import LONGEST, Vocabulary, piece, quoted
from trajectories.filters import PROBLEM_FIELDS, RUN_FIELDS
from trajectories.models import Blame, Problem, ProblemTag, Run

MOST = 12
_RUN_VALUES: dict[str, tuple[Any, str]] = {
    "tag": (ProblemTag.objects, "name"),
    "strategy": (Run.objects, "strategy"),
    "engine": (Run.objects, "engine_name"),
    "language": (Run.objects, "language"),
    "by": (Run.objects, "created_by"),
    "cause": (Blame.objects, "cause"),
    "problem": (Problem.objects, "external_id"),
    "source": (Problem.objects, "source"),
    "level": (Problem.objects, "difficulty"),
    "split": (Problem.objects, "split"),
}
_PROBLEM_VALUES = {
    **{name: _RUN_VALUES[name] for name in ("tag", "source", "level", "split")},
    "id": _RUN_VALUES["problem"],
    "licence": (Problem.objects, "licence"),
}
LISTS: dict[str, tuple[Vocabulary, dict[str, tuple[Any, str]]]] = {
    "runs": (RUN_FIELDS, _RUN_VALUES),
    "problems": (PROBLEM_FIELDS, _PROBLEM_VALUES),
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`text` replaces what stands from `start` on; `title` says what it is."""

    start: int
    text: str
    title: str


def suggestions(name: str, text: str) -> list[Suggestion]:
    """At most MOST, for the end of `text`. One query where the field's values are the lab's own."""
    fields, values = LISTS[name]
    typed = piece(text, fields)
    if not typed.field:
        starting = [key for key in fields if key.startswith(typed.typed.lower())]
        return [
            Suggestion(typed.start, f"{key}{'>' if fields[key].kind == 'number' else ':'}", fields[key].title)
            for key in starting[:MOST]
        ]
    field = fields[typed.field]
    found = [value for value in field.values if value.lower().startswith(typed.typed.lower())]
    if not field.values and typed.field in values:
        rows, column = values[typed.field]
        starting = rows.filter(**{f"{column}__istartswith": typed.typed}).exclude(**{column: ""})
        found = list(starting.order_by(column).values_list(column, flat=True).distinct()[:MOST])
    return [Suggestion(typed.start, quoted(value) + " ", field.title) for value in found[:MOST]]


@require_safe
def complete(request: HttpRequest, name: str) -> JsonResponse:
    if name not in LISTS:
        return JsonResponse({"error": f"There is no list {name!r}."}, status=404)
    text = request.GET.get("text", "").replace("\0", "")[:LONGEST]
    return JsonResponse({"suggestions": [asdict(one) for one in suggestions(name, text)]})
