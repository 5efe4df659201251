"""The page of bulk exports: start one from a list, watch it, download, cancel, delete."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from solver import queue
from trajectories.exporters import bulk
from trajectories.exporters.formats import FORMATS
from trajectories.exporters.streamed import streamed
from trajectories.expressions import BadExpression
from trajectories.models import BulkExport, BulkExportStatus

SHOWN = 50
FILE_PIECE = 1 << 16  # bytes


@require_safe
def exports(request: HttpRequest) -> HttpResponse:
    rows = list(BulkExport.objects.all()[:SHOWN])
    for row in rows:
        row.list_address = f"{reverse('runs')}?{urlencode(row.filters)}"  # type: ignore[attr-defined]
        row.format_title = FORMATS[row.format].title  # type: ignore[attr-defined]
    going = (BulkExportStatus.WAITING, BulkExportStatus.RUNNING)
    context = {"exports": rows, "busy": any(row.status in going for row in rows)}
    return render(request, "lab/exports.html", context)


@require_POST
def start(request: HttpRequest) -> HttpResponse:
    chosen = {name: request.POST.get(name, "").replace("\0", "")[:500] for name in bulk.FILTERS}
    back = f"{reverse('runs')}?{urlencode({k: v for k, v in chosen.items() if v})}"
    request_id = request.POST.get("request_id", "")[:64]
    if not request_id:
        messages.error(request, "The page was incomplete; nothing was started. Try once more.")
        return redirect(back)
    try:
        export = bulk.start(
            chosen, request.POST.get("format", ""), request_id=request_id, actor=request.user.get_username()
        )
    except (bulk.NothingToExport, BadExpression) as error:
        messages.error(request, str(error))
        return redirect(back)
    queue.publish_export(export.pk)
    return redirect("exports")


@require_safe
def download(request: HttpRequest, pk: int) -> HttpResponseBase:
    export = get_object_or_404(BulkExport, pk=pk, status=BulkExportStatus.READY)
    try:
        file = bulk.path(pk).open("rb")
    except FileNotFoundError as error:
        raise Http404("the file of this export is gone; start it again") from error
    pieces = iter(partial(file.read, FILE_PIECE), b"")
    return streamed(request, pieces, f"runs-{export.pk}.zip", "application/zip")


@require_POST
def act(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    get_object_or_404(BulkExport, pk=pk)
    if verb == "cancel":
        if not bulk.cancel(pk):
            messages.info(request, "It had ended already.")
    elif verb == "delete":
        bulk.delete(pk)
    else:
        raise Http404(f"there is nothing called {verb[:20]!r} to do with an export")
    return redirect("exports")
