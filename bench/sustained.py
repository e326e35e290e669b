"""How many events a second the whole newsroom carries to the page, of every kind, in open load.

An event is through when render tells that the public sees its revision (after the page stands), or, of what
has no page, when the store tells that it is stored. Times are those of the records on `newsroom.outcomes`,
counted from when the event was due to be sent.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import httpx
import orjson

from bench.idle import processor_seconds
from bench.openloop import Done, drive
from bench.stack import Broken, Newsroom
from bench.traffic import Act, Traffic
from newsroom import topics
from newsroom.kafka.reader import TopicReader
from newsroom.outcomes import EventOutcome, EventState, Rendering, decode_outcome
from newsroom.records import Record

_CONNECTIONS = 64
_DRAIN_SECONDS = 60.0


@dataclass(frozen=True)
class Sent:
    """What the door said to an act, and when. `event_id` is empty where it refused."""

    act: Act
    answered: float
    event_id: str = ""
    article_id: str = ""


@dataclass(frozen=True)
class Load:
    """What came of a load of `rate` events a second.

    Seconds from when each was due: until it was `through` (or given up as lost), until the door had
    `accepted` it. `late_seconds`: how late the driver itself began each. `seconds`: from the first due to the
    last through. `refused`: the door did not accept it, or did not answer; `rejected` by the log's order;
    `lost`: not through a minute after the last was sent. `cores`: of each process, processor time over wall
    time while events were sent. `sent`: how many of each kind.
    """

    rate: float
    seconds: float
    through: list[float]
    accepted: list[float]
    late_seconds: list[float]
    refused: int
    rejected: int
    lost: int
    cores: Mapping[str, float] = field(default_factory=dict)
    sent: Mapping[str, int] = field(default_factory=dict)

    @property
    def carried(self) -> float:
        """Events a second that were through."""
        return (len(self.through) - self.lost) / self.seconds if self.seconds > 0 else 0.0


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


async def load(newsroom: Newsroom, rate: float, seconds: float, name: str) -> Load:
    """Send so many events a second for so long, and wait for all of them. Raises: Broken."""
    traffic = Traffic(name)
    on_the_way: dict[str, asyncio.Task[float | None]] = {}
    async with watching(newsroom.bootstrap) as watch, _door(newsroom) as door:
        before, begun = processor_seconds(newsroom.pids), time.monotonic()

        async def act(_: int) -> Sent:
            sent = await _send(door, traffic.next())
            if sent.event_id:
                on_the_way[sent.event_id] = asyncio.create_task(_through(traffic, watch, sent))
            return sent

        done = await drive(rate, seconds, act)
        took, after = time.monotonic() - begun, processor_seconds(newsroom.pids)
        cores = {process: (after[process] - before[process]) / took for process in after}
        if on_the_way:
            await asyncio.wait(on_the_way.values(), timeout=_DRAIN_SECONDS)
    return _summed(rate, done, on_the_way, cores)


def _door(newsroom: Newsroom) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        newsroom.ingest,
        headers={"Authorization": f"Bearer {newsroom.key}", "Content-Type": "application/json"},
        connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
        timeout=aiohttp.ClientTimeout(total=_DRAIN_SECONDS),
    )


async def _send(door: aiohttp.ClientSession, act: Act) -> Sent:
    try:
        async with door.request(act.method, act.path, data=orjson.dumps(act.body)) as answer:
            content = await answer.read()
    except (aiohttp.ClientError, TimeoutError):
        return Sent(act, time.time())
    if answer.status != httpx.codes.ACCEPTED:
        return Sent(act, time.time())
    told = orjson.loads(content)
    return Sent(act, time.time(), told["event_id"], told["article_id"])


async def _through(traffic: Traffic, watch: Watch, sent: Sent) -> float | None:
    """When it was through, seconds since the epoch; None when the log's order rejected it."""
    outcome, at = await watch.outcome(sent.event_id)
    if outcome.state is not EventState.STORED or outcome.revision is None:
        return None
    if outcome.renders:
        at = await watch.rendering(sent.article_id, outcome.revision)
    traffic.rendered(sent.act.kind, sent.article_id)
    return at


def _summed(
    rate: float,
    done: Sequence[Done[Sent]],
    on_the_way: Mapping[str, asyncio.Task[float | None]],
    cores: Mapping[str, float],
) -> Load:
    given_up = time.time()
    accepted = [each for each in done if each.result.event_id]
    ended = {name: task.result() for name, task in on_the_way.items() if task.done()}
    for task in on_the_way.values():
        task.cancel()
    times = [(each.due, ended.get(each.result.event_id, given_up)) for each in accepted]
    through = [(due, at) for due, at in times if at is not None]
    return Load(
        rate=rate,
        seconds=max((at for _, at in through), default=done[-1].due) - done[0].due,
        through=[at - due for due, at in through],
        accepted=[each.result.answered - each.due for each in accepted],
        late_seconds=[each.began - each.due for each in done],
        refused=len(done) - len(accepted),
        rejected=sum(at is None for at in ended.values()),
        lost=len(on_the_way) - len(ended),
        cores=cores,
        sent=Counter(each.result.act.kind for each in done),
    )
