"""An open load of events of every kind on a whole newsroom, and what came of it.

An event is through when render tells that the public sees its revision (after the page stands), or, of what
has no page, when the store tells that it is stored. Times are those of the records on `newsroom.outcomes`,
counted from when the event was due to be sent.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import aiohttp
import httpx
import orjson

from bench.costs import processor_seconds
from bench.openloop import Done, drive
from bench.stack import Broken, Newsroom
from bench.traffic import Act, Traffic
from bench.watch import Watch, watching
from newsroom.kafka.cluster import group_lags
from newsroom.outcomes import EventState

_CONNECTIONS = 64
_DRAIN_SECONDS = 60.0
_PATIENCE_SECONDS = 120.0
_SAY_SECONDS = 30.0


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

    Seconds from when each was due: until it was `through` (or given up as lost), and the same `by_kind`;
    until the door had `accepted` it. `late_seconds`: how late the driver itself began each. `seconds`: from
    the first due to the last through. `refused`: the door did not accept it, or did not answer; `rejected` by
    the log's order; `lost`: not through a minute after the last was sent. `cores`: of each process, processor
    time over wall time while events were sent. `sent`: how many of each kind.
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
    by_kind: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @property
    def throughput(self) -> float:
        """Events a second that were through."""
        return (len(self.through) - self.lost) / self.seconds if self.seconds > 0 else 0.0

    @property
    def missing(self) -> int:
        """Events that the public will not see."""
        return self.refused + self.rejected + self.lost


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


async def work(newsroom: Newsroom, count: int, clients: int, name: str, say: Callable[[str], None]) -> int:
    """Have so many events sent, by clients of whom each sends its next one when its last is through.

    For a warm-up, as fast as the newsroom carries. How many were refused by the door, or rejected by the
    log's order. Raises: Broken when one is not through for too long.
    """
    traffic, numbers, said = Traffic(name), iter(range(count)), time.monotonic()
    missing = 0
    async with watching(newsroom.bootstrap) as watch, _door(newsroom) as door:

        async def client() -> None:
            nonlocal said, missing
            for number in numbers:
                sent = await _send(door, traffic.next())
                at = None
                if sent.event_id:
                    at = await asyncio.wait_for(_through(traffic, watch, sent), _PATIENCE_SECONDS)
                missing += at is None
                if time.monotonic() - said > _SAY_SECONDS:
                    said = time.monotonic()
                    say(f"{number:,} of {count:,} events")

        try:
            await asyncio.gather(*(client() for _ in range(clients)))
        except TimeoutError as error:
            raise Broken(f"an event was not through after {_PATIENCE_SECONDS:.0f} s") from error
    await worked_off(newsroom)
    return missing


async def worked_off(newsroom: Newsroom) -> None:
    """Wait until every group has read all that is there for it. Raises: Broken."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while any((await group_lags(newsroom.bootstrap)).values()):
        if time.monotonic() > deadline:
            raise Broken(f"the newsroom has not worked off its load after {_PATIENCE_SECONDS:.0f} s")
        await asyncio.sleep(1)


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
    times = [(each, ended.get(each.result.event_id, given_up)) for each in accepted]
    through = [(each.result.act.kind, each.due, at) for each, at in times if at is not None]
    by_kind: dict[str, list[float]] = {}
    for kind, due, at in through:
        by_kind.setdefault(kind, []).append(at - due)
    return Load(
        rate=rate,
        seconds=max((at for *_, at in through), default=done[-1].due) - done[0].due,
        through=[at - due for _, due, at in through],
        accepted=[each.result.answered - each.due for each in accepted],
        late_seconds=[each.began - each.due for each in done],
        refused=len(done) - len(accepted),
        rejected=sum(at is None for at in ended.values()),
        lost=len(on_the_way) - len(ended),
        cores=cores,
        sent=Counter(each.result.act.kind for each in done),
        by_kind=by_kind,
    )
