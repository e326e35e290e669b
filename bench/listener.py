"""A reader with the whole site's live stream open, who notes when a notice arrives."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from httpx_sse import EventSource, aconnect_sse

from bench.stack import PATIENCE_SECONDS, Broken


class Listener:
    """What was heard so far: of each article its first notice, by `time.perf_counter`."""

    def __init__(self) -> None:
        self._heard: dict[str, asyncio.Future[float]] = {}

    async def notice(self, article_id: str) -> float:
        """When its first notice came; waits for it. Raises: Broken."""
        try:
            return await asyncio.wait_for(asyncio.shield(self._of(article_id)), PATIENCE_SECONDS)
        except TimeoutError as error:
            raise Broken(f"no notice of {article_id} came within {PATIENCE_SECONDS:.0f} s") from error

    async def listen(self, source: EventSource, is_open: asyncio.Event) -> None:
        """Until cancelled. `is_open` is set at the first event, which is a sign of life."""
        async for event in source.aiter_sse():
            heard = time.perf_counter()
            is_open.set()
            if event.event == "notice":
                future = self._of(event.json()["article_id"])
                if not future.done():
                    future.set_result(heard)

    def _of(self, article_id: str) -> asyncio.Future[float]:
        return self._heard.setdefault(article_id, asyncio.get_running_loop().create_future())


@asynccontextmanager
async def listening(site: str) -> AsyncIterator[Listener]:
    """Opens the stream. Raises: Broken when it does not open."""
    listener, is_open = Listener(), asyncio.Event()
    async with (
        httpx.AsyncClient(base_url=site, timeout=httpx.Timeout(PATIENCE_SECONDS, read=None)) as client,
        aconnect_sse(client, "GET", "/live", params={"pulse": "1"}) as source,
    ):
        hearing = asyncio.create_task(listener.listen(source, is_open))
        try:
            await _opened(is_open)
            yield listener
        finally:
            hearing.cancel()


async def _opened(is_open: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(is_open.wait(), PATIENCE_SECONDS)
    except TimeoutError as error:
        raise Broken(f"the live stream says nothing for {PATIENCE_SECONDS:.0f} s") from error
