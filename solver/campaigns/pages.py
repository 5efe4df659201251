"""The pages of campaigns: list, new, one campaign with its report, two cells side by side, and the files."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_POST, require_safe

from solver.campaigns import (
    draft,
    export,
    figures,
    latex,
    lifecycle,
    matrix,
    presets,
    progress,
    report,
    results,
)
from solver.campaigns.models import Campaign, CampaignCell, CampaignRun, SlotState
from solver.campaigns.plan import forecast, plan
from solver.campaigns.scoring import OUTCOME_WORDS, compare
from solver.campaigns.spec import BadCampaign, CampaignSpec, read_data, read_yaml
from trajectories.sent_once import key_of_form

PAGE = 30


def _whole(request: HttpRequest, name: str, default: int) -> int:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else default


@require_safe
def campaign_list(request: HttpRequest) -> HttpResponse:
    found = Campaign.objects.defer("spec", "left_out", "warnings").order_by("-pk")
    if before := _whole(request, "before", 0):
        found = found.filter(pk__lt=before)
    rows = list(found[: PAGE + 1])
    shown = rows[:PAGE]
    counts = (
        CampaignRun.objects.filter(campaign__in=shown)
        .values("campaign")
        .annotate(
            places=Count("pk"),
            measured=Count("pk", filter=Q(state=SlotState.MEASURED)),
            not_measured=Count("pk", filter=Q(state=SlotState.NOT_MEASURED)),
            cells=Count("cell", distinct=True),
            problems=Count("entry", distinct=True),
        )
    )
    by_campaign = {row["campaign"]: row for row in counts.order_by()}
    context: dict[str, Any] = {
        "campaigns": [(campaign, by_campaign.get(campaign.pk, {})) for campaign in shown],
        "next": shown[-1].pk if len(rows) > PAGE else None,
        "presets": presets.PRESETS,
    }
    return render(request, "campaigns/list.html", context)


# -- a new one


def new(request: HttpRequest) -> HttpResponse:
    """GET shows a preset; POST with `do` = compose, check or start. The YAML decides, the form only writes it."""
    if request.method != "POST":
        return _draft_page(request, *_from_data(draft.first_spec(request.GET.get("preset", ""))))
    do, text = request.POST.get("do", "check"), request.POST.get("yaml", "")
    if do == "compose":
        return _draft_page(request, *_from_data(draft.from_form(request.POST)))
    if do != "start":
        return _draft_page(request, *_from_yaml(text))
    try:
        campaign = lifecycle.start(
            read_yaml(text),
            request_id=key_of_form(request.POST),
            created_by=request.user.get_username(),
        )
    except BadCampaign:
        return _draft_page(request, *_from_yaml(text), status=422)
    return redirect("campaign", campaign.pk)


@require_POST
def draft_check(request: HttpRequest) -> JsonResponse:
    """For the script of the page: the YAML a form means, or what a YAML would run."""
    by_form = request.POST.get("do") == "compose"
    read = _from_data(draft.from_form(request.POST)) if by_form else _from_yaml(request.POST.get("yaml", ""))
    text, _, context = read
    html = render_to_string("campaigns/_plan.html", context, request)
    return JsonResponse({"yaml": text if by_form else None, "plan": html, "ok": bool(context["plan"])})


def _from_data(data: dict[str, Any]) -> tuple[str, CampaignSpec | None, dict[str, Any]]:
    """YAML text, spec and plan context of data that may have faults; such data is shown as it is."""
    try:
        spec = read_data(data)
    except BadCampaign as error:
        import yaml

        text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100)
        return text, None, {"plan": None, "faults": error.faults}
    return spec.to_yaml(), spec, _planned(spec)


def _from_yaml(text: str) -> tuple[str, CampaignSpec | None, dict[str, Any]]:
    try:
        spec = read_yaml(text)
    except BadCampaign as error:
        return text, None, {"plan": None, "faults": error.faults}
    return text, spec, _planned(spec)


def _planned(spec: CampaignSpec) -> dict[str, Any]:
    try:
        made = plan(spec)
    except BadCampaign as error:
        return {"plan": None, "faults": error.faults}
    forecasts = [(cell, forecast(cell)) for cell in made.cells]
    known = [found for _, found in forecasts if found.runs]
    whole = {
        name: sum(getattr(found, name) for found in known) * made.runs_per_cell
        for name in ("calls", "tokens", "model_seconds")
    }
    return {
        "plan": made,
        "faults": (),
        "forecasts": forecasts,
        "forecast": whole if len(known) == len(forecasts) else None,
    }


def _draft_page(
    request: HttpRequest, text: str, spec: CampaignSpec | None, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    more = {
        "yaml": text,
        "draft": draft.show(spec),
        "presets": presets.PRESETS,
        "request_id": uuid.uuid4().hex,
    }
    return render(request, "campaigns/new.html", {**context, **more}, status=status)


# -- one campaign


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = get_object_or_404(Campaign, pk=pk)
    cells = list(campaign.cells.all())
    base = min(_whole(request, "base", 0), len(cells) - 1)
    found = report.build(campaign, base)
    context = {
        "campaign": campaign,
        "report": found,
        "figures": figures.draw(found),
        "outcome_words": {outcome.value: words for outcome, words in OUTCOME_WORDS.items()},
        "progress": progress.read(campaign),
        "matrix": matrix.read(campaign, cells, _whole(request, "after", 0) - 1),
        "base": base,
        "yaml": read_data(campaign.spec).to_yaml(),
        "others": Campaign.objects.exclude(pk=pk).order_by("-pk").only("pk", "name")[:50],
    }
    return render(request, "campaigns/campaign.html", context)


@require_safe
def progress_part(request: HttpRequest, pk: int) -> HttpResponse:
    """What the page asks for while the campaign runs."""
    campaign = get_object_or_404(Campaign, pk=pk)
    return render(
        request, "campaigns/_progress.html", {"campaign": campaign, "progress": progress.read(campaign)}
    )


VERBS = {
    "pause": lambda pk: lifecycle.pause(pk),
    "resume": lambda pk: lifecycle.resume(pk),
    "cancel": lambda pk: lifecycle.cancel(pk),
    "again": lambda pk: bool(lifecycle.measure_again(pk)),
}


@require_POST
def act(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    get_object_or_404(Campaign, pk=pk)
    if verb == "budget":
        _set_budget(request, pk)
    elif verb not in VERBS:
        raise Http404(f"no such verb: {verb}")
    elif not VERBS[verb](pk):
        messages.info(request, "Nothing to do: the campaign had moved on meanwhile.")
    return redirect("campaign", pk)


def _set_budget(request: HttpRequest, pk: int) -> None:
    given = {
        name: request.POST.get(name, "").strip() or None
        for name in ("calls", "tokens", "model_seconds", "cost")
    }
    try:
        lifecycle.set_budget(pk, given)
        lifecycle.resume(pk)
    except BadCampaign as error:
        for fault in error.faults:
            messages.error(request, str(fault))


# -- two cells


@require_safe
def comparison(request: HttpRequest) -> HttpResponse:
    """`?a=` and `?b=` are cells, of one campaign or of two; `?with=` a campaign whose cells are offered for `b`."""
    first = get_object_or_404(CampaignCell.objects.select_related("campaign"), pk=_whole(request, "a", 0))
    second = CampaignCell.objects.select_related("campaign").filter(pk=_whole(request, "b", 0)).first()
    other = second.campaign_id if second else _whole(request, "with", first.campaign_id)
    context: dict[str, Any] = {
        "a": first,
        "b": second,
        "choices": CampaignCell.objects.filter(campaign=other).exclude(pk=first.pk),
        "others": Campaign.objects.order_by("-pk").only("pk", "name")[:50],
        "other": other,
    }
    if second is not None:
        context.update(_compared(first, second))
    return render(request, "campaigns/compare.html", context)


def _compared(first: CampaignCell, second: CampaignCell) -> dict[str, Any]:
    one, other = (results.read_cells(cell.campaign, [cell]).of(cell) for cell in (first, second))
    found, differs = compare(one, other), figures.differences(first, second)
    return {
        "found": found,
        "discordant": [
            ("Solved more often by the second", figures.discordant(found.won, one, other)),
            ("Solved more often by the first", figures.discordant(found.lost, one, other)),
        ],
        "rates": figures.rates(first, one, second, other),
        "differs": differs,
        "causes": figures.causes(differs),
    }


# -- files


@require_safe
def report_json(request: HttpRequest, pk: int) -> HttpResponse:
    data = export.report_dict(report.build(get_object_or_404(Campaign, pk=pk)))
    text = json.dumps(data, indent=1, ensure_ascii=False)
    return _file(HttpResponse(text, content_type="application/json; charset=utf-8"), pk, "report.json")


@require_safe
def runs_csv(request: HttpRequest, pk: int) -> HttpResponse:
    lines = export.csv_lines(export.run_rows(get_object_or_404(Campaign, pk=pk)))
    return _file(HttpResponse("".join(lines), content_type="text/csv; charset=utf-8"), pk, "runs.csv")


@require_safe
def table_tex(request: HttpRequest, pk: int) -> HttpResponse:
    text = latex.table(report.build(get_object_or_404(Campaign, pk=pk)))
    return _file(HttpResponse(text, content_type="text/plain; charset=utf-8"), pk, "table.tex")


def _file(response: HttpResponse, pk: int, name: str) -> HttpResponse:
    response.headers["Content-Disposition"] = f'attachment; filename="campaign-{pk}-{name}"'
    return response
