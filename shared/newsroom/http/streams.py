"""One reader's event stream over HTTP (Server-Sent Events), whatever goes through it.

The answer outlasts its request: a stream is no task, but is written to by whoever has news for it. It ends
with the reader, with the process, at a bounded age (the reader connects again), or when the reader takes too
long to read.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.responses import Response
from starlette.types import Scope, Send

from newsroom.http.lines import Line, take_line
from newsroom.http.traffic import outlasting
from newsroom.telemetry import metrics

HEARTBEAT = b": still here\n\n"


@dataclass(frozen=True)
class StreamSettings:
    """Times in seconds.

    A stream lives for `age` and up to a tenth more, so that readers do not come back all at once.
    """

    heartbeat_seconds: float = 15.0
    age_seconds: float = 900.0
    write_seconds: float = 10.0
    retry_ms: int = 2_000

    def deadline(self) -> float:
        """When a stream that begins now is to end, by the monotonic clock."""
        return time.monotonic() + self.age_seconds * random.uniform(1.0, 1.1)  # noqa: S311


class Stream:
    """What one reader is sent, from the beginning of its answer to the end.

    News goes out in the call that tells of it. Only while the reader has not read what went before, it waits:
    `take` is asked when that has been read, so that who offers news may replace what is out of date.
    """

    __slots__ = ("_deadline", "_ending", "_late", "_line", "_next_sign", "_settings", "_tell", "is_over")

    def __init__(self, settings: StreamSettings) -> None:
        self.is_over = False
        self._settings = settings
        self._deadline = settings.deadline()
        self._ending = ""
        self._line: Line | None = None
        self._late: asyncio.TimerHandle | None = None
        self._next_sign: asyncio.TimerHandle | None = None
        self._tell: Callable[[], object] | None = None

    # --- what the stream is of

    def take(self) -> bytes:
        """All that is pending; empty if nothing is."""
        raise NotImplementedError

    def sign(self) -> bytes:
        """A sign of life, where nothing is pending."""
        return HEARTBEAT

    def leave(self) -> None:
        """It is over: forget it. Asked once."""
        raise NotImplementedError

    # --- its life

    async def begin(self, response: Response, scope: Scope, send: Send) -> None:
        """Send how the answer begins. From then on the stream is open, whatever becomes of the request."""
        metrics.open_streams.inc()
        try:
            await send({"type": "http.response.start", "status": 200, "headers": response.raw_headers})
            retry = f"retry: {self._settings.retry_ms}\n\n".encode()
            await send({"type": "http.response.body", "body": retry, "more_body": True})
            self._line = take_line(scope, self)
        except BaseException:
            self._close("cancelled")
            raise
        self._tell = outlasting(scope)
        self._wait_for_sign()

    def news(self, sign: bytes = b"") -> None:
        """Send what is pending, else the sign; later, if the reader has yet to read what went before."""
        if self._line is not None and self._has_read(self._line) and (part := self.take() or sign):
            self._line.write(part)

    def end(self, reason: str) -> None:
        """In order, behind what is pending."""
        self._ending = self._ending or reason
        if self._line is not None and self._has_read(self._line):
            if part := self.take():
                self._line.write(part)
            self._line.finish()
            self._close(self._ending)

    def flows(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
        if self._ending:
            self.end(self._ending)
        else:
            self.news()

    def lost(self) -> None:
        self._close("gone")

    def _wait_for_sign(self) -> None:
        left = self._deadline - time.monotonic()
        seconds = max(0.0, min(self._settings.heartbeat_seconds, left))
        self._next_sign = asyncio.get_running_loop().call_later(seconds, self._give_sign)

    def _give_sign(self) -> None:
        if time.monotonic() >= self._deadline:
            self.end("age")
        else:
            self._wait_for_sign()
            self.news(self.sign())

    def _has_read(self, line: Line) -> bool:
        """Whether it may be sent more. If not, it has a while for that, since this was asked first."""
        if line.is_full and self._late is None:
            loop = asyncio.get_running_loop()
            self._late = loop.call_later(self._settings.write_seconds, self._cut)
        return not line.is_full

    def _cut(self) -> None:
        if self._line is not None:
            self._line.cut()
        self._close("slow")

    def _close(self, reason: str) -> None:
        if self.is_over:
            return
        self.is_over, self._line = True, None
        for timer in (self._late, self._next_sign):
            if timer is not None:
                timer.cancel()
        metrics.open_streams.dec()
        metrics.streams_ended.labels(reason=reason).inc()
        self.leave()
        if self._tell is not None:
            self._tell()


class ServerSentEvents(Response):
    """The head of an answer with a stream."""

    media_type = "text/event-stream"

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__(headers={**headers, "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
