"""The page of acts on all runs of a list: what the filters find, how many each act is about, and doing it."""

from __future__ import annotations

import uuid
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from solver import many_runs
from solver.rejudging import jobs
from trajectories.exporters.formats import FORMATS
from trajectories.expressions import BadExpression

WORDS = {"cancel": "asked to stop", "retry": "queued again"}


@require_safe
def acts(request: HttpRequest) -> HttpResponse:
    """`?q=is:live` and the other filters of the list of runs; nothing is done before a button of this page."""
    filters = many_runs.chosen(request.GET)
    try:
        found = many_runs.preview(filters)
    except BadExpression:
        return redirect(_list(filters))  # the list shows what is wrong with the filter
    context = {
        "found": found,
        "chosen": filters,
        "list_address": _list(filters),
        "formats": FORMATS,
        "request_id": uuid.uuid4().hex,
        "at_once": many_runs.AT_ONCE,
        "most_judged": jobs.AT_ONCE,
    }
    return render(request, "lab/run_acts.html", context)


@require_POST
def act(request: HttpRequest, verb: str) -> HttpResponse:
    if verb not in many_runs.ABOUT:
        raise Http404(f"there is nothing called {verb[:20]!r} to do with many runs")
    filters = many_runs.chosen(request.POST)
    newest = request.POST.get("newest", "")
    if not (newest.isascii() and newest.isdigit() and len(newest) < 19):
        messages.error(request, "The page was incomplete; nothing was done. Try once more.")
        return redirect(_list(filters))
    try:
        done = many_runs.act(verb, filters, int(newest))
    except BadExpression as error:
        messages.error(request, f"Nothing was done: {error}")
        return redirect(_list(filters))
    words = f"{done.done:,} run{'' if done.done == 1 else 's'} {WORDS[verb]}."
    if done.passed:
        words += f" {done.passed:,} had moved on meanwhile and stay as they are."
    if done.left:
        words += f" {done.left:,} more wait: do it again for the next {many_runs.AT_ONCE:,}."
    messages.info(request, words)
    return redirect(_list(filters))


def _list(filters: dict[str, str]) -> str:
    return f"{reverse('runs')}?{urlencode(filters)}" if filters else reverse("runs")
