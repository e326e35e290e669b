"""One open page's event stream over HTTP (Server-Sent Events): from a subscription of `live` to the reader's
socket.

A plain ASGI response: what it sends goes out at once. It ends with the reader, with the process, at a bounded
age (the browser connects again and goes on after the last event), or when the reader takes too long to read.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from newsroom.errors import Away
from newsroom.telemetry import metrics
from services.render.headers import NEVER_KEPT, SECURITY
from services.render.live import Hub, Subscription

_HEARTBEAT = b": still here\n\n"
PublicRevision = Callable[[str], Awaitable[int | None]]


@dataclass(frozen=True)
class StreamSettings:
    """Times in seconds.

    A stream lives for `age` and up to a tenth more, so that readers do not come back all at once.
    """

    heartbeat_seconds: float = 15.0
    age_seconds: float = 900.0
    write_seconds: float = 10.0
    retry_ms: int = 2_000


@dataclass(frozen=True)
class Ask:
    """What a reader asks for: an article's notices or, without one, the site's; and where it goes on."""

    article_id: str | None
    revision: int | None = None
    last_event_id: str | None = None


class EventStream(Response):
    """Streams to one reader.

    `public_revision` is asked only where the ring cannot tell what the reader missed.
    """

    media_type = "text/event-stream"

    def __init__(self, hub: Hub, ask: Ask, public_revision: PublicRevision, settings: StreamSettings) -> None:
        super().__init__(headers={**SECURITY, "Cache-Control": NEVER_KEPT, "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._hub, self._ask, self._settings = hub, ask, settings
        self._public_revision = public_revision

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Stream until it is over. A reader who does not read in time is cut."""
        self._hub.streams += 1
        metrics.open_streams.inc()
        gone = asyncio.create_task(_reader_leaves(receive))
        reason = "cancelled"
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            reason = await self._stream(_Writer(send, self._settings.write_seconds), gone)
        except TimeoutError:
            reason = "slow"
        finally:
            self._hub.streams -= 1
            metrics.open_streams.dec()
            metrics.streams_ended.labels(reason=reason).inc()
            gone.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await gone

    async def _stream(self, writer: _Writer, gone: asyncio.Task[None]) -> str:
        """Returns why it ended. Raises: TimeoutError when the reader does not read."""
        await writer.write(f"retry: {self._settings.retry_ms}\n\n".encode())
        while not await _set_within(self._hub.ready, self._settings.heartbeat_seconds):
            await writer.write(_HEARTBEAT)
            if gone.done():
                return "gone"
        subscription = self._hub.subscribe(self._ask.article_id, self._ask.revision, self._ask.last_event_id)
        gone.add_done_callback(lambda _: subscription.end())
        try:
            await self._settle_doubt(subscription)
            await self._feed(writer, subscription)
        finally:
            self._hub.leave(subscription)
        if gone.done():
            return "gone"
        await writer.finish()
        return "stopping" if self._hub.is_over else "age"

    async def _feed(self, writer: _Writer, subscription: Subscription) -> None:
        """Write what is pending as it comes, and now and then a sign of life that also tells the place to
        go on from; never a place ahead of something pending.
        """
        deadline = time.monotonic() + self._settings.age_seconds * random.uniform(1.0, 1.1)  # noqa: S311
        await writer.write(subscription.take() or self._hub.place())
        while not subscription.is_over and (left := deadline - time.monotonic()) > 0:
            if not await _set_within(subscription.wake, min(self._settings.heartbeat_seconds, left)):
                await writer.write(subscription.take() or (_HEARTBEAT + self._hub.place()))
            await writer.write(subscription.take())

    async def _settle_doubt(self, subscription: Subscription) -> None:
        """Ask the read model what the ring cannot tell; where it does not answer, the reader fetches again
        to be safe.
        """
        if not subscription.is_doubtful or subscription.article_id is None:
            return
        try:
            public_revision = await self._public_revision(subscription.article_id)
        except Away:
            public_revision = subscription.revision + 1
        subscription.judge(public_revision, self._hub.end_offset)


class _Writer:
    """Sends parts of the body, each within its time."""

    def __init__(self, send: Send, seconds: float) -> None:
        self._send, self._seconds = send, seconds

    async def write(self, wire: bytes) -> None:
        if wire:
            await self._part(wire, is_last=False)

    async def finish(self) -> None:
        await self._part(b"", is_last=True)

    async def _part(self, wire: bytes, *, is_last: bool) -> None:
        async with asyncio.timeout(self._seconds):
            await self._send({"type": "http.response.body", "body": wire, "more_body": not is_last})


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


async def _reader_leaves(receive: Receive) -> None:
    """Returns when the reader is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
