"""How many events a second the whole newsroom carries to the page, of every kind, in open load.

An event is through when render tells that the public sees its revision (after the page stands), or, of what
has no page, when the store tells that it is stored. Times are those of the records on `newsroom.outcomes`,
counted from when the event was due to be sent.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import orjson

from bench.desk import Act, Desk
from bench.openloop import Done, drive
from bench.stack import Broken, Newsroom
from newsroom import topics
from newsroom.kafka.reader import TopicReader
from newsroom.outcomes import EventOutcome, EventState, Rendering, decode_outcome
from newsroom.records import Record

_CONNECTIONS = 64
_DRAIN_SECONDS = 60.0
_GLANCE_SECONDS = 0.05


@dataclass(frozen=True)
class Sent:
    """What the door said to an act. `event_id` is empty where it refused."""

    act: Act
    status: int
    event_id: str
    article_id: str


@dataclass(frozen=True)
class Load:
    """What came of a load. Seconds from when each was due; `late_seconds`: how late the driver itself was."""

    rate: float
    seconds: float
    through: list[float]
    accepted: list[float]
    late_seconds: list[float]
    refused: int
    rejected: int
    lost: int

    @property
    def carried(self) -> float:
        """Events a second that were through, from the first due to the last through."""
        return len(self.through) / self.seconds


@dataclass
class Watch:
    """What `newsroom.outcomes` tells, by the time of its records (seconds since the epoch)."""

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
        if (found := self.stored.get(event_id)) is not None:
            return found
        future = asyncio.get_running_loop().create_future()
        self.asked[event_id] = future
        return await future

    async def rendering(self, article_id: str, revision: int) -> float:
        found = [at for so_far, at in self.rendered.get(article_id, []) if so_far >= revision]
        if found:
            return found[0]
        future = asyncio.get_running_loop().create_future()
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


async def load(newsroom: Newsroom, rate: float, seconds: float, name: str) -> Load:
    """Send so many events a second for so long, and wait for all of them. Raises: Broken."""
    desk = Desk(name)
    headers = {"Authorization": f"Bearer {newsroom.key}", "Content-Type": "application/json"}
    async with (
        watching(newsroom.bootstrap) as watch,
        aiohttp.ClientSession(
            newsroom.ingest,
            headers=headers,
            connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
            timeout=aiohttp.ClientTimeout(total=_DRAIN_SECONDS),
        ) as session,
    ):
        outcomes: dict[str, asyncio.Task[float | None]] = {}

        async def act(_: int) -> tuple[Sent, float]:
            sent = await _send(session, desk.next())
            answered = time.time()
            if sent.event_id:
                outcomes[sent.event_id] = asyncio.create_task(_through(desk, watch, sent))
            return sent, answered

        done = await drive(rate, seconds, act)
        if outcomes:
            await asyncio.wait(outcomes.values(), timeout=_DRAIN_SECONDS)
        return _summed(rate, seconds, done, outcomes)


async def _send(session: aiohttp.ClientSession, act: Act) -> Sent:
    try:
        async with session.request(act.method, act.path, data=orjson.dumps(act.body)) as answer:
            content = await answer.read()
    except (aiohttp.ClientError, TimeoutError):
        return Sent(act, 0, "", "")
    if answer.status != 202:
        return Sent(act, answer.status, "", "")
    told = orjson.loads(content)
    return Sent(act, answer.status, told["event_id"], told["article_id"])


async def _through(desk: Desk, watch: Watch, sent: Sent) -> float | None:
    """When it was through, seconds since the epoch; None when the log's order rejected it."""
    outcome, at = await watch.outcome(sent.event_id)
    if outcome.state is not EventState.STORED or outcome.revision is None:
        return None
    if outcome.renders:
        at = await watch.rendering(sent.article_id, outcome.revision)
    desk.rendered(sent.act.kind, sent.article_id)
    return at


def _summed(
    rate: float,
    seconds: float,
    done: list[Done[tuple[Sent, float]]],
    outcomes: dict[str, asyncio.Task[float | None]],
) -> Load:
    through, accepted = [], []
    rejected = lost = refused = 0
    for each in done:
        sent, answered = each.result
        task = outcomes.get(sent.event_id)
        if task is None:
            refused += 1
            continue
        accepted.append(answered - each.due)
        if not task.done():
            task.cancel()
            lost += 1
        elif (at := task.result()) is None:
            rejected += 1
        else:
            through.append(at - each.due)
    took = max(
        (each.due - done[0].due + late for each, late in zip(done, through, strict=False)), default=seconds
    )
    return Load(
        rate=rate,
        seconds=took,
        through=through,
        accepted=accepted,
        late_seconds=[each.began - each.due for each in done],
        refused=refused,
        rejected=rejected,
        lost=lost,
    )
