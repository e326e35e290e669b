"""Works on rebuilds: heads in, `newsroom.updates` out, one part after another, under a lease.

A head is announced again only once its own update was told, which the group's committed offset proves.
Otherwise render could meet an article in its re-announcement first, and nobody would hear that it was
published.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog

from newsroom.errors import Away
from newsroom.kafka.backoff import Backoff
from newsroom.kafka.producer import Publisher
from newsroom.telemetry import metrics
from newsroom.times import now
from services.store.again import announce_again
from services.store.articles import Article
from services.store.decisions import Revisions
from services.store.republications import Republication, Republications

log = structlog.get_logger(__name__)
CHUNK = 50
IDLE_SECONDS = 2.0
TOLD_POLL_SECONDS = 0.25
Told = Callable[[], Awaitable[Mapping[int, int]]]


class _LeaseLost(Exception):
    """Another instance works on it now."""


class Republisher:
    """One instance's worker. `told` gives the committed offset of each partition of `newsroom.events`."""

    def __init__(
        self,
        republications: Republications,
        revisions: Revisions,
        publisher: Publisher,
        told: Told,
        *,
        holder: str,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._republications = republications
        self._revisions = revisions
        self._publisher = publisher
        self._told = told
        self._holder = holder
        self._idle_seconds = idle_seconds
        self._bell = asyncio.Event()
        self._is_stopping = False

    def ring(self) -> None:
        """A rebuild was asked for here: look at once."""
        self._bell.set()

    async def run(self) -> None:
        """Work on rebuilds until `stop`, through outages."""
        backoff = Backoff()
        while not self._is_stopping:
            self._bell.clear()
            try:
                found = await self._republications.claim(self._holder)
                if found is not None:
                    await self._carry_on(found)
                backoff.reset()
                wait = self._idle_seconds if found is None else 0.0
            except Away as error:
                metrics.outages.labels(dependency=error.dependency).inc()
                log.warning("republication_waits", reason=str(error))
                wait = backoff.next_delay_seconds()
            except _LeaseLost:
                log.info("republication_passed_on", holder=self._holder)
                wait = self._idle_seconds
            await self._rest(wait)
        with contextlib.suppress(Away):
            await self._republications.release(self._holder)

    async def stop(self) -> None:
        """End after the part in hand; another instance goes on."""
        self._is_stopping = True
        self._bell.set()

    async def _rest(self, seconds: float) -> None:
        if self._is_stopping:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._bell.wait()

    async def _carry_on(self, republication: Republication) -> None:
        """Part by part, noting each, until it is done or this process stops."""
        while not self._is_stopping:
            heads, after = await self._next_part(republication)
            if after is None:
                await self._keep(republication.model_copy(update={"state": "done", "finished_at": now()}))
                log.info("republication_done", id=republication.id, announced=republication.announced)
                return
            if not await self._wait_until_told(republication, heads):
                return
            await announce_again(self._revisions, self._publisher, heads)
            announced = republication.announced + len(heads)
            republication = republication.model_copy(update={"after": after, "announced": announced})
            await self._keep(republication)

    async def _keep(self, republication: Republication) -> None:
        if not await self._republications.note(republication, self._holder):
            raise _LeaseLost

    async def _next_part(self, republication: Republication) -> tuple[list[Article], str | None]:
        """The next heads and the id that ends the part; None for that when nothing is left."""
        if republication.is_all:
            heads = await self._revisions.heads_from(republication.after, CHUNK)
            return heads, heads[-1].id if heads else None
        chosen = [each for each in republication.article_ids if each > republication.after][:CHUNK]
        return await self._revisions.heads(chosen), chosen[-1] if chosen else None

    async def _wait_until_told(self, republication: Republication, heads: Sequence[Article]) -> bool:
        """Wait until the events that made these heads are committed; False when this process stops first."""
        while not self._is_stopping:
            committed = await self._told()
            if all(head.offset < committed.get(head.partition, 0) for head in heads):
                return True
            await self._keep(republication)
            await asyncio.sleep(TOLD_POLL_SECONDS)
        return False
