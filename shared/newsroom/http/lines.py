"""The rest of an answer that lasts: written straight to the socket, when the request it began with is over.

An answer that goes on for minutes would keep all of its request in memory, and each part of it would pass
through all of it. So the server offers it a line: an extension of ASGI, taken once the answer has begun. From
then on the server takes the request's task for done, and the line for the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

EXTENSION = "newsroom.line"
_LAST = b"0\r\n\r\n"


class Listener(Protocol):
    """Is told of the reader at the other end of a line."""

    def flows(self) -> None:
        """It has read most of what had filled the line."""

    def lost(self) -> None:
        """It is gone; perhaps said more than once."""


class Line(Protocol):
    """The way to one reader. Nothing here waits."""

    @property
    def is_full(self) -> bool:
        """Much of what was written is not read yet: hold back, until it flows."""

    def write(self, part: bytes) -> None:
        """Send one more part of the body, which is not empty."""

    def finish(self) -> None:
        """End the body in order: it was all."""

    def cut(self) -> None:
        """Drop the connection with all that is not read yet."""


def take_line(scope: Scope, listener: Listener) -> Line:
    """The line of an answer that was begun with `send`, which does nothing from now on."""
    take: Callable[[Listener], Line] = scope["extensions"][EXTENSION]["take"]
    return take(listener)


class ChunkedLine:
    """A line in HTTP/1.1's chunks, over a connection of uvicorn's."""

    __slots__ = ("_cycle", "_protocol", "_transport", "listener")

    def __init__(self, protocol: HttpToolsProtocol, cycle: RequestResponseCycle, listener: Listener) -> None:
        self.listener = listener
        self._protocol, self._cycle = protocol, cycle
        self._transport: asyncio.Transport = protocol.transport
        _release(cycle)

    @property
    def is_full(self) -> bool:
        return self._protocol.flow.write_paused

    def write(self, part: bytes) -> None:
        if not self._transport.is_closing():  # or it is about to be told that the reader is gone
            self._transport.write(b"%x\r\n%b\r\n" % (len(part), part))

    def finish(self) -> None:
        if self._transport.is_closing():
            return
        self._transport.write(_LAST)
        self._cycle.response_complete = True
        if not self._cycle.keep_alive:
            self._transport.close()
        self._protocol.on_response_complete()

    def cut(self) -> None:
        self._transport.abort()


def _release(cycle: RequestResponseCycle) -> None:
    """Let the task of a request end before its answer does. To uvicorn its reader is gone: it sends nothing
    more and misses no end, but still waits for the answer before it begins another on that connection.
    """
    cycle.disconnected = True
    cycle.body = bytearray()
    cycle.scope = {}  # type: ignore[typeddict-item]
