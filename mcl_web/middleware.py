"""What holds for every address: a content security policy that allows nothing inline and nothing from elsewhere, and that a
number which no column can hold names nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string

from trajectories.zero import REFUSED, ZERO, holds_zero

POLICY = "; ".join(
    [
        "default-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",  # the live stream's socket too: the same host is the same self
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
LARGEST_ID = 2**63 - 1
Handler = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


class EveryAddress:
    sync_capable = async_capable = True

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.asynchronous = iscoroutinefunction(get_response)
        if self.asynchronous:
            markcoroutinefunction(self)

    def process_view(
        self, request: HttpRequest, view: object, args: tuple[object, ...], kwargs: dict[str, object]
    ) -> HttpResponse | None:
        """Raises Http404: SQLite refuses larger numbers as parameters, where PostgreSQL finds no row. The API finds none
        itself. A zero character is refused here in every form and in the API's queries; the pages' own filters say what
        they make of it."""
        of_api = request.path.startswith("/api/")
        if _zero_sent(request, of_api):
            return _unreadable(REFUSED, of_api)
        if not of_api and any(isinstance(value, int) and value > LARGEST_ID for value in kwargs.values()):
            raise Http404("no id is that large")
        return None

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.asynchronous:
            return self._later(request)
        response = self.get_response(request)
        assert isinstance(response, HttpResponseBase)
        return _with_policy(response)

    async def _later(self, request: HttpRequest) -> HttpResponseBase:
        response = await self.get_response(request)  # type: ignore[misc]
        return _with_policy(response)


def _with_policy(response: HttpResponseBase) -> HttpResponseBase:
    response.headers.setdefault("Content-Security-Policy", POLICY)
    return response


def _zero_sent(request: HttpRequest, of_api: bool) -> bool:
    if of_api and any(ZERO in text for values in dict(request.GET.lists()).values() for text in values):
        return True
    if request.method != "POST" or request.content_type not in FORMS:
        return False
    try:
        return holds_zero(dict(request.POST.lists()))
    except UnreadablePostError:
        return False  # whoever sent it is gone


def _unreadable(reason: str, of_api: bool) -> HttpResponse:
    if of_api:
        return JsonResponse({"detail": reason}, status=400)
    return HttpResponse(render_to_string("400.html", {"reason": reason}), status=400)
