"""The pages of judging again: start it from a list or a run, watch it, see which verdicts did not stand."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from solver import many_runs
from solver.rejudging import jobs
from solver.rejudging.models import Rejudging, RejudgingStatus
from trajectories.expressions import BadExpression
from trajectories.models import Run

SHOWN, ROWS = 30, 100


@require_safe
def rejudgings(request: HttpRequest) -> HttpResponse:
    found = [(job, jobs.outcome(job)) for job in Rejudging.objects.all()[:SHOWN]]
    busy = any(job.status == RejudgingStatus.RUNNING for job, _ in found)
    return render(request, "lab/rejudgings.html", {"found": found, "busy": busy})


@require_safe
def rejudging(request: HttpRequest, pk: int) -> HttpResponse:
    job = get_object_or_404(Rejudging, pk=pk)
    context = {
        "job": job,
        "outcome": jobs.outcome(job),
        "page": Paginator(jobs.changed(job), ROWS).get_page(request.GET.get("page")),
        "list_address": f"{reverse('runs')}?{urlencode(job.filters)}" if job.filters else "",
    }
    return render(request, "lab/rejudging.html", context)


@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """All runs of the filters, as many as were counted on the page before."""
    filters = many_runs.chosen(request.POST)
    back = f"{reverse('runs')}?{urlencode(filters)}"
    newest, request_id = request.POST.get("newest", ""), request.POST.get("request_id", "")[:64]
    if not (request_id and newest.isascii() and newest.isdigit() and len(newest) < 19):
        messages.error(request, "The page was incomplete; nothing was started. Try once more.")
        return redirect(back)
    try:
        job = jobs.start(filters, int(newest), request_id=request_id, created_by=request.user.get_username())
    except (jobs.NothingToDo, BadExpression) as error:
        messages.error(request, str(error))
        return redirect(back)
    return redirect("rejudging", job.pk)


@require_POST
def start_one(request: HttpRequest, pk: int) -> HttpResponse:
    run = get_object_or_404(Run, pk=pk)
    try:
        jobs.start_one(
            run,
            request_id=request.POST.get("request_id", "")[:64],
            created_by=request.user.get_username(),
        )
    except jobs.NothingToDo as error:
        messages.error(request, str(error))
    else:
        messages.info(request, "It is being judged again; the new verdict appears at its end.")
    return redirect("run", pk)


@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(Rejudging, pk=pk)
    if not jobs.cancel(pk):
        messages.info(request, "It had ended already.")
    return redirect("rejudging", pk)
