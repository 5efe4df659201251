"""Training problems of the micro family, made on demand: the demo ships held-out ones only, and those may never be
trained on. Always the same ones in the same order, so that making more twice makes each once."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from micro.chain import Split
from micro.problem import problem_spec
from trajectories.importers.normalised import convert
from trajectories.importers.row import Row
from trajectories.models import Problem
from trajectories.problems import store

SERIES = 11  # the seed of this list; the recipe's own training problems have another
AT_ONCE = 50  # about four seconds of work


def held() -> int:
    """How many training problems of the micro family the lab holds."""
    return Problem.objects.current().filter(source="micro", split=Split.TRAIN.value).count()


def more(count: int) -> int:
    """Make the next `count` of the list and store them; returns how many of the family the lab holds now."""
    known = Problem.objects.filter(external_id__startswith=f"micro/{Split.TRAIN}-{SERIES}-").count()
    for index in range(known, known + count):
        store(convert(Row(problem_spec(SERIES, index, Split.TRAIN))))
    return held()


@require_POST
def make(request: HttpRequest) -> HttpResponse:
    messages.success(
        request,
        f"{AT_ONCE} problems made; the lab now holds {more(AT_ONCE)} of the micro family for training.",
    )
    return redirect("distillation-new")
