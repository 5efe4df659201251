"""What holds for every address: a content security policy that allows nothing inline and nothing from elsewhere, and that a
number which no column can hold names nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

POLICY = "; ".join(
    [
        "default-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self' ws: wss:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
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
    ) -> None:
        """Raises Http404: SQLite refuses larger numbers as parameters, where PostgreSQL finds no row. The API finds none itself."""
        if request.path.startswith("/api/"):
            return
        if any(isinstance(value, int) and value > LARGEST_ID for value in kwargs.values()):
            raise Http404("no id is that large")

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
