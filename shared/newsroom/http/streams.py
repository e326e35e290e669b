"""One reader's event stream over HTTP (Server-Sent Events), whatever goes through it.

A plain ASGI response: what it sends goes out at once. It ends with the reader, with the process, at a bounded
age (the reader connects again), or when the reader takes too long to read.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

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


class Writer:
    """Sends parts of the body, each within its time. Raises: TimeoutError when the reader does not read."""

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


class ServerSentEvents(Response):
    """Streams to one reader what `stream` writes."""

    media_type = "text/event-stream"

    def __init__(self, settings: StreamSettings, headers: Mapping[str, str]) -> None:
        super().__init__(headers={**headers, "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Stream until it is over. A reader who does not read in time is cut."""
        metrics.open_streams.inc()
        gone = asyncio.create_task(_reader_leaves(receive))
        reason = "cancelled"
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            writer = Writer(send, self._settings.write_seconds)
            await writer.write(f"retry: {self._settings.retry_ms}\n\n".encode())
            reason = await self.stream(writer, gone)
        except TimeoutError:
            reason = "slow"
        finally:
            metrics.open_streams.dec()
            metrics.streams_ended.labels(reason=reason).inc()
            gone.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await gone

    async def stream(self, writer: Writer, gone: asyncio.Task[None]) -> str:
        """Write what there is until it is over, which `gone` tells of the reader. Returns why it ended."""
        raise NotImplementedError


async def set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for the event so long; whether it came."""
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
