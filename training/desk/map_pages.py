"""Maps and agreement: who fails where, what the training rows cover, whether the judges agree."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from training.desk.agreement import comparisons
from training.desk.coverage import coverage
from training.desk.preferences import report
from trajectories.agents import AGENTS
from trajectories.desk.heat import WHO, heat


@require_safe
def maps(request: HttpRequest) -> HttpResponse:
    """A page, or with the header `X-Part: maps` the two panels that the desk shows at its right."""
    who = request.GET.get("who", WHO[0])
    role = request.GET.get("agent", "planning")
    who, role = who if who in WHO else WHO[0], role if role in AGENTS else "planning"
    context = {"heat": heat(who), "cover": coverage(role), "who": WHO, "agents": AGENTS, "role": role}
    part = request.headers.get("X-Part") == "maps"
    return render(request, "review/_maps.html" if part else "review/maps.html", context)


@require_safe
def agreement(request: HttpRequest) -> HttpResponse:
    return render(request, "review/agreement.html", {"comparisons": comparisons(), "agents": AGENTS})


@require_safe
def preferences(request: HttpRequest) -> HttpResponse:
    return render(request, "review/preferences.html", {"report": report()})
