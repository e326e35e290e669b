"""A client that costs next to nothing: one open connection, bytes that were made before, no headers read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import cast
from urllib.parse import urlsplit

from httptools import HttpResponseParser

from bench.stack import Broken


class Caller(asyncio.Protocol):
    """Asks one thing after another. Of an answer it tells the status, once all of it has come."""

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self._transport: asyncio.WriteTransport | None = None
        self._answer: asyncio.Future[int] | None = None

    async def ask(self, request: bytes) -> int:
        """Send a whole request, and wait for the status. Raises: Broken where the connection ends."""
        if self._transport is None:
            raise Broken("the server has closed a connection between two requests")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # as every one of TCP is

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(self._parser.get_status_code())

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Broken(f"the server has closed a connection: {exc or 'no answer'}"))


@asynccontextmanager
async def callers(address: str, count: int) -> AsyncIterator[Sequence[Caller]]:
    """So many of them, connected; closed at the end."""
    loop, where = asyncio.get_running_loop(), urlsplit(address)
    host, port = where.hostname or "", where.port or 80
    made = await asyncio.gather(*(loop.create_connection(Caller, host, port) for _ in range(count)))
    found = [caller for _, caller in made]
    try:
        yield found
    finally:
        for caller in found:
            caller.close()


def a_post(address: str, path: str, key: str, body: bytes) -> bytes:
    """A request with a JSON body, as it goes over the wire."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {urlsplit(address).netloc}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
