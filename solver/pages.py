"""Pages with verbs: a problem with its Solve form, cancel and retry, the system's health."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from solver import doctor, runs, solve_form
from solver.solve_form import SolveForm
from trajectories import queries
from trajectories.models import Problem, Run


@require_safe
def problem(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Problem.objects.prefetch_related("tags"), pk=pk)
    given = request.GET.get("from", "")
    like = (
        Run.objects.filter(pk=int(given)).first()
        if given.isascii() and given.isdigit() and len(given) < 19
        else None
    )
    return _problem_page(request, row, solve_form.blank(row, like))


def _problem_page(request: HttpRequest, row: Problem, form: SolveForm, status: int = 200) -> HttpResponse:
    previous = list(queries.problem_runs(row))
    judged = [run for run in previous if run.status == "finished"]
    context: dict[str, Any] = {
        "problem": row,
        "text": queries.problem_text(row.pk),
        "versions": queries.versions(row),
        "runs": previous,
        "judged": len(judged),
        "solved": sum(run.solved for run in judged),
        "form": form,
    }
    return render(request, "solver/problem.html", context, status=status)


@require_POST
def solve(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Problem.objects.prefetch_related("tags"), pk=pk)
    try:
        run = solve_form.start(row, request.POST, request.user.get_username())
    except runs.StartRefused as error:
        return _problem_page(request, row, solve_form.refused(row, request.POST, error), status=422)
    return redirect("run", run.pk)


@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(Run, pk=pk)
    if not runs.cancel(pk):
        messages.info(request, "This run had already ended.")
    return redirect("run", pk)


@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(Run, pk=pk)
    if not runs.retry(pk):
        messages.info(request, "Only a failed or cancelled run can be retried.")
    return redirect("run", pk)


@require_safe
def system(request: HttpRequest) -> HttpResponse:
    found = doctor.collect(engines=False)
    areas = [(area, list(items)) for area, items in groupby(found, key=lambda finding: finding.area)]
    broken = [finding for finding in found if not finding.ok and finding.needed]
    return render(request, "solver/system.html", {"areas": areas, "broken": broken})
