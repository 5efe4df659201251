"""Sending a long file piece by piece, without holding it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

PIECES_AT_ONCE = 200  # that one visit to the thread brings


def streamed(
    request: HttpRequest, pieces: Iterator[Any], name: str, kind: str = "application/json; charset=utf-8"
) -> StreamingHttpResponse:
    """A download. Under ASGI a plain iterator would be gathered whole before the first byte is sent."""
    asynchronous = isinstance(request, ASGIRequest)
    response = StreamingHttpResponse(_in_turn(pieces) if asynchronous else pieces, content_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


async def _in_turn(pieces: Iterator[Any]) -> AsyncIterator[Any]:
    def some() -> list[Any]:
        return list(islice(pieces, PIECES_AT_ONCE))

    while batch := await sync_to_async(some)():
        for piece in batch:
            yield piece
