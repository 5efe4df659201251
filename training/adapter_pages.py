"""The pages of the registry: one adapter with its lineage, evaluation, exam; promote, roll back, retire, export, import."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from solver.engine_book import UnknownEngine
from solver.engines.adapters import BadAdapter
from training import adapters, evaluation, exam_page, exams, model_card, registry_page
from training.datasets.pages import whole
from training.models import Adapter, DatasetVersion, Exam, Promotion, VersionState


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    evaluation.settle()
    adapter = get_object_or_404(Adapter.objects.select_related("dataset"), pk=pk)
    context = {
        "adapter": adapter,
        "row": registry_page.rows([adapter])[0],
        "objections": adapters.objections(adapter),
        "serving": adapters.serving(adapter.engine, adapter.role),
        "runs": adapter.training_runs.select_related("started_from"),
        "went_on": adapter.went_on.select_related("adapter"),
        "before": adapters.served_before(adapter.engine, adapter.role),
        "withdrawn": evaluation.withdrawn_rows(adapter),
        "promotions": Promotion.objects.filter(engine=adapter.engine, role=adapter.role).select_related(
            "adapter", "previous"
        )[:20],
        "exams": adapter.exams.select_related("dataset"),
        "datasets": DatasetVersion.objects.filter(
            role=adapter.role, state=VersionState.READY, eval_count__gt=0
        )[:20],
        "request_id": uuid.uuid4().hex,
    }
    return render(request, "training/adapter.html", context)


@require_POST
def act(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    adapter = get_object_or_404(Adapter, pk=pk)
    user = request.user.get_username()
    try:
        if verb == "promote":
            adapters.promote(
                adapter,
                actor=user,
                anyway="anyway" in request.POST,
                reason=request.POST.get("reason", "")[:2000],
            )
        elif verb == "rollback":
            adapters.roll_back(adapter.engine, adapter.role, of=adapter, actor=user)
        elif verb == "retire":
            adapters.retire(adapter, actor=user)
        elif verb == "exam":
            return _exam(request, adapter)
        else:
            raise Http404(f"no such verb: {verb}")
    except (adapters.Refused, exams.NoExam) as refused:
        messages.error(request, str(refused))
    return redirect(
        (request.POST.get("back") == "training" and "training") or "adapter",
        *([] if request.POST.get("back") == "training" else [pk]),
    )


def _exam(request: HttpRequest, adapter: Adapter) -> HttpResponse:
    chosen = request.POST.get("dataset", "")
    version = DatasetVersion.objects.filter(pk=whole(chosen)).first()
    made = exams.start(adapter, version, request_id=request.POST.get("request_id", "")[:64])
    return redirect("exam", made.pk)


@require_POST
def evaluate(request: HttpRequest) -> HttpResponse:
    """One adapter, or several of different roles together, against their base."""
    ids = [whole(text) for text in request.POST.getlist("adapter")]
    chosen = list(Adapter.objects.filter(pk__in=ids))
    asked = whole(request.POST.get("problems", ""))
    count = asked if 2 <= asked <= 5000 else evaluation.PROBLEMS
    try:
        if not chosen:
            raise evaluation.CannotEvaluate("Choose at least one adapter.")
        made = evaluation.start(
            chosen,
            problems=count,
            request_id=request.POST.get("request_id", "")[:64],
            created_by=request.user.get_username(),
        )
    except evaluation.CannotEvaluate as error:
        messages.error(request, str(error))
        return redirect("training")
    return redirect("campaign", made.campaign_id)


@require_POST
def promote_all(request: HttpRequest) -> HttpResponse:
    """Those chosen, each by its own gate; what is refused is said."""
    ids = [whole(text) for text in request.POST.getlist("adapter")]
    for adapter in Adapter.objects.filter(pk__in=ids).order_by("role"):
        try:
            adapters.promote(adapter, actor=request.user.get_username(), anyway="anyway" in request.POST)
            messages.info(
                request, f"{adapter} serves {adapter.role} on {adapter.engine} from the next run on."
            )
        except adapters.Refused as refused:
            messages.error(request, f"{adapter}: {refused}")
    return redirect("training")


@require_safe
def export(request: HttpRequest, pk: int) -> HttpResponse:
    adapter = get_object_or_404(Adapter.objects.select_related("dataset"), pk=pk)
    response = HttpResponse(model_card.archive(adapter), content_type="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="{adapter.name.replace("@", "-")}.zip"'
    return response


@require_POST
def import_one(request: HttpRequest) -> HttpResponse:
    try:
        folder = adapters.fetch(request.POST.get("folder", "").strip())
        made = adapters.import_folder(
            folder,
            role=request.POST.get("role", ""),
            engine=request.POST.get("engine", ""),
            created_by=request.user.get_username(),
        )
    except (adapters.Refused, BadAdapter, UnknownEngine) as refused:
        messages.error(request, str(refused))
        return redirect("training")
    return redirect("adapter", made.pk)


@require_safe
def exam(request: HttpRequest, pk: int) -> HttpResponse:
    made = get_object_or_404(Exam.objects.select_related("adapter", "dataset"), pk=pk)
    after = request.GET.get("after", "")
    page = exam_page.read(made, int(after) if after.isascii() and after.isdigit() and len(after) < 10 else 0)
    return render(request, "training/exam.html", {"exam": made, "page": page})
