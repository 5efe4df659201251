"""The pages of training: the overview, a new run, one run live."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST, require_safe

from solver.engines.spec import EngineKind
from training import evaluation, registry_page, run_page, training_draft, training_runs
from training.lora_spec import PRESETS, BadSpec, read_spec
from training.models import Adapter, Device, TrainingRun
from trajectories.sent_once import key_of_form

PAGE = 30


def _whole(request: HttpRequest, name: str) -> int:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    evaluation.settle()
    found = TrainingRun.objects.select_related("dataset", "adapter").defer("spec", "readiness")
    if before := _whole(request, "before"):
        found = found.filter(pk__lt=before)
    rows = list(found[: PAGE + 1])
    registry = registry_page.rows()
    context = {
        "runs": rows[:PAGE],
        "next": rows[PAGE - 1].pk if len(rows) > PAGE else None,
        "busy": any(not run.ended for run in rows),
        "devices": Device.objects.all(),
        "registry": registry,
        "evaluating": any(row.evaluating and row.result is None for row in registry),
        "presets": PRESETS,
        "engines": [
            spec for spec in training_draft.trainable_engines() if spec.kind is not EngineKind.ROUTED
        ],
    }
    return render(request, "training/overview.html", context)


def new(request: HttpRequest) -> HttpResponse:
    """GET shows a preset; POST with `do` = compose, check or start. The YAML decides, the form only writes it."""
    if request.method != "POST":
        if start := Adapter.objects.filter(pk=_whole(request, "adapter")).first():
            return _draft_page(request, training_draft.from_text(training_draft.going_on(start)))
        text = training_draft.first(
            request.GET.get("preset", ""), request.GET.get("role", ""), request.GET.get("dataset", "")
        )
        return _draft_page(request, training_draft.from_text(text))
    do, text = request.POST.get("do", "check"), request.POST.get("yaml", "")
    if do == "compose":
        text = training_draft.from_form(request.POST)
    if do != "start":
        return _draft_page(request, training_draft.from_text(text))
    try:
        runs = _start(request, text)
    except BadSpec as error:
        draft = training_draft.from_text(text)
        draft.faults = draft.faults or (() if draft.gates else error.faults)
        return _draft_page(request, draft, status=422)
    return redirect("training-run", runs[0].pk) if len(runs) == 1 else redirect("training")


def _start(request: HttpRequest, text: str) -> list[TrainingRun]:
    request_id, user = key_of_form(request.POST), request.user.get_username()
    specs = training_runs.read(text)
    if len(specs) == 1:
        return [training_runs.start(specs[0], request_id=request_id, created_by=user)]
    return training_runs.start_recipe(specs, request_id=request_id, created_by=user)


@require_POST
def draft_check(request: HttpRequest) -> JsonResponse:
    """For the script of the page: the YAML a form means, and whether it is ready."""
    by_form = request.POST.get("do") == "compose"
    text = training_draft.from_form(request.POST) if by_form else request.POST.get("yaml", "")
    draft = training_draft.from_text(text)
    html = render_to_string("training/_gates.html", {"draft": draft}, request)
    return JsonResponse({"yaml": text if by_form else None, "plan": html, "ok": draft.ready})


def _draft_page(request: HttpRequest, draft: training_draft.Draft, status: int = 200) -> HttpResponse:
    if request.method == "POST" and request.POST.get("request_id"):
        draft.request_id = request.POST["request_id"][:64]
    context = {"draft": draft, "form": training_draft.form(draft)}
    return render(request, "training/new.html", context, status=status)


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    run = _run(pk)
    others = run_page.comparable(run)
    wanted = {
        int(text)
        for text in request.GET.getlist("with")
        if text.isascii() and text.isdigit() and len(text) < 19
    }
    compared = [other for other in others if other.pk in wanted]
    context: dict[str, Any] = {
        "live": run_page.live(run, compared),
        "run": run,
        "yaml": run_page.settings(run),
        "others": others,
        "compared": compared,
        "siblings": TrainingRun.objects.filter(recipe=run.recipe).exclude(pk=pk) if run.recipe else [],
    }
    return render(request, "training/run.html", context)


def _run(pk: int) -> TrainingRun:
    return get_object_or_404(
        TrainingRun.objects.select_related("dataset", "adapter", "cloned_from", "started_from"), pk=pk
    )


@require_safe
def live_part(request: HttpRequest, pk: int) -> HttpResponse:
    """What an open page asks for: nothing new is 204."""
    run = _run(pk)
    if request.GET.get("after") == f"{run.last_seq}-{run.status}":
        return HttpResponse(status=204)
    wanted = {
        int(text)
        for text in request.GET.getlist("with")
        if text.isascii() and text.isdigit() and len(text) < 19
    }
    compared = [other for other in run_page.comparable(run) if other.pk in wanted] if wanted else []
    return render(
        request,
        "training/_live.html",
        {"live": run_page.live(run, compared), "run": run, "compared": compared},
    )


VERBS = {"stop": training_runs.save_and_stop, "abort": training_runs.abort, "resume": training_runs.resume}


@require_POST
def act(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    run = _run(pk)
    if verb == "clone":
        return _clone(request, run)
    if verb not in VERBS:
        raise Http404(f"no such verb: {verb}")
    if not VERBS[verb](pk):
        messages.info(request, "Nothing to do: the run had moved on meanwhile.")
    return redirect("training-run", pk)


def _clone(request: HttpRequest, run: TrainingRun) -> HttpResponse:
    """A new run with the same settings; change them first through "Exact YAML"."""
    try:
        made = training_runs.start(
            read_spec(run.spec),
            request_id=request.POST.get("request_id", "")[:64],
            created_by=request.user.get_username(),
            cloned_from=run,
        )
    except BadSpec as error:
        for fault in error.faults:
            messages.error(request, str(fault))
        return redirect("training-run", run.pk)
    return redirect("training-run", made.pk)
