from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from trajectories.exporters.formats import FORMATS
from trajectories.models import Run


@require_safe
def export_run(request: HttpRequest, pk: int, format: str) -> HttpResponse:
    """A download, never shown inside the lab: the file's words are a model's."""
    known = FORMATS.get(format)
    if known is None:
        raise Http404(f"there is no export format {format[:20]!r}; use one of {', '.join(FORMATS)}")
    run = get_object_or_404(Run.objects.select_related("problem"), pk=pk)
    response = HttpResponse(known.export(run).encode(), content_type=f"{known.media_type}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{known.filename(run)}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox"
    return response
