"""The HTTP connection of an OpenAI-compatible engine: checked addresses, bounded answers, no proxy, no
redirect. The lab's own engine is reached over a unix socket instead.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2

from solver.engines.addresses import AddressRule, literal_address

MOST_ERROR_BYTES = 256 * 1024
MOST_ANSWER_BYTES = 32 * 1024 * 1024
_LOOK_S = 0.1


class AnswerTooLarge(Exception):
    """The server sent more bytes than any answer of a model has."""


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Resolves the host itself, checks every address, and connects to the address it checked.

    Resolving once for the check and again for the connection would let a name change in between (DNS
    rebinding). TLS still verifies the certificate against the name, through the `sni_hostname` extension.
    """

    def __init__(self, rule: AddressRule, limits: httpx2.Limits) -> None:
        self._rule = rule
        self._inner = httpx2.AsyncHTTPTransport(limits=limits)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        host = request.url.host
        addresses = await _resolve(host, request.url.port or 0, request)
        for address in addresses:
            self._rule.check(host, address)
        refused: httpx2.ConnectError | None = None
        for address in addresses:
            try:
                response = await self._inner.handle_async_request(_addressed(request, host, address))
            except httpx2.ConnectError as error:
                refused = error  # `localhost` is often ::1 first while the server listens on 127.0.0.1 only
                continue
            return _bounded(response)
        raise refused or httpx2.ConnectError(f"{host} has no address", request=request)

    async def aclose(self) -> None:
        await self._inner.aclose()


class SocketTransport(httpx2.AsyncBaseTransport):
    """To a server of this lab on a unix socket, whatever host the address names."""

    def __init__(self, socket_file: Path, limits: httpx2.Limits) -> None:
        # There is no TLS on a socket; to get ready for it takes a tenth of a second.
        self._inner = httpx2.AsyncHTTPTransport(
            verify=False, limits=limits, uds=str(socket_file), trust_env=False
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return _bounded(await self._inner.handle_async_request(request))

    async def aclose(self) -> None:
        await self._inner.aclose()


async def _resolve(host: str, port: int, request: httpx2.Request) -> list[str]:
    literal = literal_address(host)
    if literal is not None:
        return [literal]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpx2.ConnectError(f"the name {host} is unknown", request=request) from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _addressed(request: httpx2.Request, host: str, address: str) -> httpx2.Request:
    return httpx2.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,  # holds the Host header of the name
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": host},
    )


def _bounded(response: httpx2.Response) -> httpx2.Response:
    most = MOST_ANSWER_BYTES if response.status_code < 300 else MOST_ERROR_BYTES
    stream = response.stream
    assert isinstance(stream, httpx2.AsyncByteStream)
    return httpx2.Response(
        response.status_code,
        headers=response.headers,
        stream=_BoundedStream(stream, most),
        extensions=response.extensions,
    )


class _BoundedStream(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream, most: int) -> None:
        self._inner = inner
        self._left = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._inner:
            self._left -= len(part)
            if self._left < 0:
                raise AnswerTooLarge
            yield part

    async def aclose(self) -> None:
        await self._inner.aclose()


async def is_listening(socket_file: Path) -> bool:
    """Whether a process takes connections there; a killed one leaves its file behind."""
    try:
        _, writer = await asyncio.open_unix_connection(str(socket_file))
    except OSError:
        return False
    writer.close()
    return True


async def until_listening(socket_file: Path, most_s: float) -> None:
    """At most so long: the process that is started again is asked as soon as it can answer, not at the end of a pause."""
    end = time.monotonic() + most_s
    while (left := end - time.monotonic()) > 0:
        await asyncio.sleep(min(left, _LOOK_S))
        if await is_listening(socket_file):
            return
