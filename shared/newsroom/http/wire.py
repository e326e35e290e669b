"""HTTP as it comes off the socket, before it is a request: bounded heads, bounded waits, a place for each
connection, and problems for what is no HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import httptools
from fastapi import Response
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from newsroom.http.connections import Connections
from newsroom.http.limits import too_many
from newsroom.http.lines import EXTENSION, ChunkedLine, Line, Listener
from newsroom.http.problems import Kind, Refused, problem_response, translate
from newsroom.http.unread import Unread

MAX_HEAD_BYTES = 32 * 1024
MAX_ADDRESS_BYTES = 8 * 1024
MAX_QUEUED = 16
"""Requests that may wait on one connection behind the one that is being answered."""


class _Unfit(Exception):
    """Ends the parser from within its callbacks."""


class _Awaited(Enum):
    """What a connection keeps us waiting for."""

    NOTHING = auto()
    REQUEST = auto()
    HEAD = auto()
    REST = auto()
    """Of a body whose request was answered already: nobody reads it."""


@dataclass(frozen=True)
class Patience:
    """How long a connection may keep us waiting, seconds: for its first byte, for the whole head once it
    began, for the rest of a body that nobody reads, and between two looks at whether it reads what is sent.
    """

    request: float = 15.0
    head: float = 10.0
    rest: float = 5.0
    reading: float = 30.0

    def seconds(self, awaited: _Awaited) -> float:
        """With what a connection is to send."""
        match awaited:
            case _Awaited.HEAD:
                return self.head
            case _Awaited.REST:
                return self.rest
            case _:
                return self.request


PATIENCE = Patience()


class ProblemProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, where a connection may wait and a head may grow without end, and what is no HTTP
    is told in plain text.
    """

    def __init__(
        self, *args: Any, places: Connections, patience: Patience = Patience(), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._places, self._patience = places, patience
        self._host = ""
        self._has_place = False
        self._head_bytes = self._fed_bytes = self._address_bytes = 0
        self._is_in_head = self._is_in_message = False
        self._comes_on = False
        """Whether the latest bytes brought a message on, so that it does not hang in one endless line."""
        self._plain_head: bytes | None = None
        """Of a request that offers to go on in another protocol: what is left of its head without that."""
        self._refused: Response | None = None
        """What is wrong with the latest bytes, to be said once all before them is answered."""
        self._awaited = _Awaited.NOTHING
        self._waiting: asyncio.TimerHandle | None = None
        self._unread = Unread(patience.reading)
        self._answered: RequestResponseCycle | None = None
        self._line: ChunkedLine | None = None
        """Taken by the answer that is under way, if it lasts."""

    # --- the connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._host = self.client[0] if self.client else ""
        self._has_place = self._places.enter(self._host)
        if self._has_place:
            self._watch()
        else:
            self._refuse_place()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._has_place:
            self._places.leave(self._host)
            self._has_place = False
        self._await(_Awaited.NOTHING)
        self._unread.stop()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()  # uvicorn leaves it, and us with it, where a connection was reset
        if self._answered is not None:  # which is not the latest one where others wait behind it
            self._answered.disconnected = True
            self._answered.message_event.set()
        # None of these is freed at once while it refers to us and we to it.
        line, self._line = self._line, None
        if line is not None:
            line.listener.lost()
        self.scope = None  # type: ignore[assignment]
        self.cycle = None  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        if self._refused is not None:
            return
        self._comes_on = False
        self._unset_keepalive_if_required()
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")
        # A line that never ends, in a head or behind a body, comes to no callback: count what is fed.
        is_over = self._refused is not None or self.transport.is_closing()
        if self._is_in_message and not self._comes_on and not is_over:
            self._fed_bytes += len(data)
            if self._fed_bytes > 2 * MAX_HEAD_BYTES:
                self._refuse_head()
        self._watch()

    def _feed(self, data: bytes) -> None:
        """The parser takes a request that offers another protocol for the last one, without a body. We accept
        no such offer, so to us it is a request like others (RFC 9110, 7.8) and is fed again without it.
        """
        while data:
            try:
                self.parser.feed_data(data)
                data = b""
            except httptools.HttpParserUpgrade as offer:
                head, self._plain_head = self._plain_head or b"", None
                data = head + data[offer.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does

    def on_response_complete(self) -> None:
        self._line = self._answered = None
        super().on_response_complete()
        if self.pipeline:
            self.flow.pause_reading()  # until what has been read is answered
        if self._refused is not None and self._answered is None and not self.transport.is_closing():
            self._send(self._refused)
        self._watch()
        if self.transport.is_closing():
            self._unread.watch(self.transport)

    def timeout_keep_alive_handler(self) -> None:
        self._close()

    # --- the parser's callbacks

    def on_message_begin(self) -> None:
        self._head_bytes = self._fed_bytes = self._address_bytes = 0
        self._is_in_head = self._is_in_message = self._comes_on = True
        self._await(_Awaited.NOTHING)  # a head's time begins with it, whatever was awaited before
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._address_bytes += len(url)
        if self._address_bytes > MAX_ADDRESS_BYTES:
            raise _Unfit
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        if self._is_in_head:  # what comes behind a body says nothing of a request that was judged before
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if len(self.pipeline) >= MAX_QUEUED or self.parser.get_method() == b"CONNECT":
            raise _Unfit
        self._is_in_head = False
        self._fed_bytes = 0
        if self.parser.should_upgrade():
            self._plain_head = self._without_offer()
        else:
            super().on_headers_complete()

    def _without_offer(self) -> bytes:
        version = self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b\r\n" % (self.parser.get_method(), self.url, version)]
        lines += [b"%b: %b\r\n" % header for header in self.headers if header[0] != b"upgrade"]
        return b"".join([*lines, b"\r\n"])

    def on_chunk_header(self) -> None:
        self._fed_bytes, self._comes_on = 0, True

    def on_body(self, body: bytes) -> None:
        self._fed_bytes, self._comes_on = 0, True
        if self._line is None or self.cycle is not self._answered:  # else nobody reads it any more
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self._plain_head is None:
            self._is_in_message = False
            super().on_message_complete()

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD_BYTES:
            raise _Unfit

    # --- answers that last

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answered = cycle
        cycle.scope["extensions"] = {EXTENSION: {"take": self._take_line}}
        super()._start_asgi_task(cycle, app)

    def _take_line(self, listener: Listener) -> Line:
        assert self._answered is not None  # noqa: S101  (the line is offered with it)
        if self.scope is self._answered.scope:  # or the head of the next one has begun to come
            self.scope, self.headers = None, []  # type: ignore[assignment]
        if self.cycle is self._answered:  # or the next one is here, and waits for its turn
            self.flow.resume_reading()
        self._line = ChunkedLine(self, self._answered, listener)
        if self.transport.is_closing():
            self.loop.call_soon(listener.lost)
        return self._line

    # --- waiting

    def pause_writing(self) -> None:
        """Much of what was sent is not read yet: wait for that, but not for ever."""
        super().pause_writing()
        self._unread.watch(self.transport)

    def resume_writing(self) -> None:
        self._unread.stop()
        super().resume_writing()
        if self.transport.is_closing():  # little is left, but that too is to be read before it closes
            self._unread.watch(self.transport)
        elif self._line is not None:
            self._line.listener.flows()

    def _close(self) -> None:
        self.transport.close()
        self._unread.watch(self.transport)

    def _watch(self) -> None:
        """See to it that what is awaited now comes in time."""
        awaited = self._what_is_awaited()
        if awaited is not self._awaited:
            self._await(awaited)

    def _await(self, awaited: _Awaited) -> None:
        """From now on it is this that is waited for, and nothing else."""
        self._awaited = awaited
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        self._wait()

    def _wait(self) -> None:
        if self._awaited is not _Awaited.NOTHING:
            self._waiting = self.loop.call_later(self._patience.seconds(self._awaited), self._is_late)

    def _what_is_awaited(self) -> _Awaited:
        if self.transport.is_closing():
            return _Awaited.NOTHING
        if self._is_in_head:
            return _Awaited.HEAD
        if self._is_answering:
            return _Awaited.NOTHING
        if self._is_in_message:
            return _Awaited.REST
        # Between two requests uvicorn waits by itself, unless something came that began none.
        return _Awaited.NOTHING if self.timeout_keep_alive_task is not None else _Awaited.REQUEST

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _is_late(self) -> None:
        if self.transport.is_closing():
            return
        if self._is_answering:
            self._wait()  # a head behind a request that is not answered yet: its caller waits for us
        elif self._awaited is _Awaited.HEAD:
            detail = f"The head of the request did not come within {self._patience.head:.0f} seconds."
            self._send(problem_response(Kind.REQUEST_TIMEOUT, detail))
        else:
            self._close()

    # --- refusals

    def send_400_response(self, msg: str) -> None:
        """Called by uvicorn for everything that its parser refuses; `msg` says no more than that."""
        if self._address_bytes > MAX_ADDRESS_BYTES:
            detail = f"An address may have at most {MAX_ADDRESS_BYTES} bytes."
            self._refuse(problem_response(Kind.ADDRESS_TOO_LONG, detail))
        elif self._head_bytes > MAX_HEAD_BYTES:
            self._refuse_head()
        elif len(self.pipeline) >= MAX_QUEUED:
            detail = f"At most {MAX_QUEUED} requests may wait on one connection: read the answers first."
            self._refuse(translate(too_many("queued", detail, 1)))
        else:
            self._refuse(problem_response(Kind.MALFORMED_REQUEST, f"{msg} Send HTTP/1.1."))

    def _refuse_head(self) -> None:
        detail = f"Address and headers together may have at most {MAX_HEAD_BYTES} bytes."
        self._refuse(problem_response(Kind.HEAD_TOO_LARGE, detail))

    def _refuse(self, response: Response) -> None:
        """Say it in its turn: after the answers to what came whole before it. Nothing more is read."""
        is_own = self._is_in_message and not self._is_in_head  # something in the latest request itself
        if is_own and self.pipeline and self.pipeline[0][0] is self.cycle:
            self.pipeline.popleft()
        under_way = self._answered
        if under_way is None or (is_own and self.cycle is under_way and not under_way.response_started):
            self._send(response)
        elif self._line is not None or (is_own and self.cycle is under_way):
            self._close()  # an answer that lasts, or one to a request that is broken: it has no other end
        else:
            self._refused = response

    def _refuse_place(self) -> None:
        if self._places.is_full:
            refused = Refused(Kind.BUSY, "Too many connections are open here: try again in a moment.")
        else:
            refused = too_many("connections", "Too many connections are open from your address.", 5)
        self._send(translate(refused))

    def _send(self, response: Response) -> None:
        headers = [*response.raw_headers, (b"cache-control", b"no-store"), (b"connection", b"close")]
        lines = [f"HTTP/1.1 {response.status_code} \r\n".encode()]
        lines += [name + b": " + value + b"\r\n" for name, value in headers]
        self.transport.write(b"".join([*lines, b"\r\n", bytes(response.body)]))
        self._close()


def protocol(places: Connections, patience: Patience = PATIENCE) -> Callable[..., ProblemProtocol]:
    """What uvicorn makes for each connection, all with the same places."""

    def make(*args: Any, **kwargs: Any) -> ProblemProtocol:
        return ProblemProtocol(*args, places=places, patience=patience, **kwargs)

    return make
