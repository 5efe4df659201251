"""The "random problem" button: a fresh problem of the micro family, stored like any other."""

from __future__ import annotations

import secrets

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from micro.random_problem import random_problem
from trajectories.importers.normalised import convert
from trajectories.importers.row import Row
from trajectories.problems import store


@require_POST
def make(request: HttpRequest) -> HttpResponse:
    """Make one from a random seed; the seed is part of the problem's id, so it can be made again."""
    problem, _ = store(convert(Row(random_problem(secrets.randbelow(2**31)))))
    return redirect("problem", problem.pk)
