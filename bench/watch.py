"""What became of events, as `newsroom.outcomes` tells it: stored or not, and then rendered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bench.stack import Broken
from newsroom import topics
from newsroom.kafka.reader import TopicReader
from newsroom.outcomes import EventOutcome, Rendering, decode_outcome
from newsroom.records import Record


@dataclass
class Watch:
    """What `newsroom.outcomes` tells, by the time of its records (seconds since the epoch).

    `stored` by event, `rendered` by article: the revisions so far. `asked` and `waiting`: who waits for more
    of the one or the other.
    """

    stored: dict[str, tuple[EventOutcome, float]] = field(default_factory=dict)
    rendered: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    waiting: dict[str, list[tuple[int, asyncio.Future[float]]]] = field(default_factory=dict)
    asked: dict[str, asyncio.Future[tuple[EventOutcome, float]]] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        """One record, at once."""
        outcome, at = decode_outcome(record), record.timestamp_ms / 1000
        if isinstance(outcome, Rendering):
            self._rendered(outcome, at)
        else:
            self.stored.setdefault(outcome.event_id, (outcome, at))
            if (future := self.asked.pop(outcome.event_id, None)) is not None:
                future.set_result((outcome, at))

    def _rendered(self, rendering: Rendering, at: float) -> None:
        self.rendered.setdefault(rendering.article_id, []).append((rendering.revision, at))
        left = []
        for revision, future in self.waiting.pop(rendering.article_id, []):
            if revision <= rendering.revision:
                future.set_result(at)
            else:
                left.append((revision, future))
        if left:
            self.waiting[rendering.article_id] = left

    async def outcome(self, event_id: str) -> tuple[EventOutcome, float]:
        """What the store did with the event, and when; waits for it."""
        if (found := self.stored.get(event_id)) is not None:
            return found
        future: asyncio.Future[tuple[EventOutcome, float]] = asyncio.get_running_loop().create_future()
        self.asked[event_id] = future
        return await future

    async def rendering(self, article_id: str, revision: int) -> float:
        """When the public saw the article at this revision or a later one; waits for it."""
        found = [at for so_far, at in self.rendered.get(article_id, []) if so_far >= revision]
        if found:
            return found[0]
        future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.waiting.setdefault(article_id, []).append((revision, future))
        return await future


@asynccontextmanager
async def watching(bootstrap: str) -> AsyncIterator[Watch]:
    """Reads outcomes from now on."""
    watch = Watch()
    reader = TopicReader(bootstrap, topics.OUTCOMES, watch.take, client_id="bench-watch", begin="end")
    reading = asyncio.create_task(reader.run())
    try:
        if not await reader.catch_up(20):
            raise Broken("the log does not tell where its outcomes end")
        yield watch
    finally:
        await reader.stop()
        await reading
