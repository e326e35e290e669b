"""Ingest alone, with a log behind it and nothing else: how much it accepts, and how soon.

The floor is the same records produced straight to Kafka, by turns with it. Nobody reads either.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import orjson
import uvloop

from bench.articles import a_request, an_article
from bench.caller import Caller, a_post, callers
from bench.costs import processor_seconds
from bench.openloop import Done, drive
from bench.quantiles import curve, quantiles
from bench.stack import ONE_KEY, Broken, Newsroom, a_newsroom
from bench.table import Chapter, Goal, Plot, Row, Series, Size, Stand
from newsroom.events import Event, EventKind, Published, event_message
from newsroom.ids import new_event_id
from newsroom.kafka.producer import KafkaPublisher
from newsroom.records import Message
from newsroom.times import now

ACCEPTED = 202
AT_ONCE = 64
"""How many clients wait for an answer at a time, and how many records for their acknowledgement."""
_IN_OPEN_LOAD = 128
"""Connections of the open load; fewer than the events that ingest has on their way at once."""
_ROUNDS = {Size.SMOKE: (2, 0.3, 0.5), Size.TABLE: (3, 5.0, 8.0), Size.LONG: (5, 20.0, 30.0)}
"""How many rounds, of how many seconds as fast as it goes, and of how many in open load."""
_WARM_UP_SHARE = 0.6
_NAME = "door-{:07}-{:02}"
"""Of an article: all are of one length, so that a request is made by putting the name into another one."""
_HOW = (
    "Ingest and Kafka, no store and no render; settings as they come, but for the bound on one key. {rounds}"
    " rounds: for {rush:g} s {at_once} clients post articles of 3 KB, all distinct, each the next one once it"
    " has its 202 (acks=all, flushed to the disk); then as many publishers produce as many such records"
    " straight to the same topic, with the newsroom's own client. A rate per core is what was accepted over"
    " the processor time that ingest used meanwhile (of the floor: the process that produces). After these,"
    " {rounds} times {load:g} s of open load at half of the median rate before; times count from when a"
    " request was due. Warm-up: {warm:g} s on both sides. The driver is on the same machine."
)


@dataclass(frozen=True)
class Rush:
    """So many were taken as fast as it went. `processor_seconds`: of each process meanwhile, and of the
    `driver`, which is this one.
    """

    count: int
    seconds: float
    processor_seconds: Mapping[str, float]

    @property
    def rate(self) -> float:
        return self.count / self.seconds

    def per_core(self, process: str) -> float:
        """How many for each second of processor time that it used."""
        return self.count / max(self.processor_seconds[process], 1e-3)


@dataclass(frozen=True)
class Answers:
    """Of an open load, seconds from when a request was due: until its answer, and until it was begun.

    `refused`: answered with anything but a 202, or not at all.
    """

    waited: Sequence[float]
    late: Sequence[float]
    refused: int


@dataclass(frozen=True)
class Round:
    """What was measured right after each other."""

    door: Rush
    floor: Rush
    answers: Answers


def measure_door(stand: Stand) -> Chapter:
    """Raises: Broken, PartFailed, Misconfigured, Away; psutil.Error when a process is gone."""
    with a_newsroom(
        stand.folder / "home",
        stand.jars,
        stand.say,
        services=["ingest"],
        has_documents=False,
        settings=ONE_KEY,
    ) as newsroom:
        return uvloop.run(_take(newsroom, stand))


async def _take(newsroom: Newsroom, stand: Stand) -> Chapter:
    rounds, rush_seconds, load_seconds = _ROUNDS[stand.size]
    warm_seconds = rush_seconds * _WARM_UP_SHARE
    door = Door(newsroom, KafkaPublisher(newsroom.bootstrap, client_id="newsroom-bench"))
    await door.publisher.start()
    try:
        stand.say(f"warming up for {warm_seconds:g} s, then {rounds} rounds of {rush_seconds:g} s")
        await door.turn(warm_seconds)
        rushes = [await door.turn(rush_seconds) for _ in range(rounds)]
        rate = median(rush.rate for rush, _ in rushes) / 2
        stand.say(f"open load of {rate:,.0f} a second, {rounds} times for {load_seconds:g} s")
        answers = [await door.load(rate, load_seconds) for _ in range(rounds)]
    finally:
        await door.publisher.stop()
    how = _HOW.format(rounds=rounds, rush=rush_seconds, load=load_seconds, warm=warm_seconds, at_once=AT_ONCE)
    return chapter([Round(*rush, answer) for rush, answer in zip(rushes, answers, strict=True)], rate, how)


class Door:
    """Ingest and the floor beside it. No article is sent twice."""

    def __init__(self, newsroom: Newsroom, publisher: KafkaPublisher) -> None:
        self.publisher = publisher
        self._newsroom = newsroom
        self._batches = 0

    async def turn(self, seconds: float) -> tuple[Rush, Rush]:
        """As many as go through the door in that time, then as many past it. Raises: Broken."""
        door = await self._through(seconds)
        waiting = iter([_message(_name(number, self._batches)) for number in range(door.count)])
        producing = [_produce_each(self.publisher, waiting) for _ in range(AT_ONCE)]
        return door, await _timed(asyncio.gather(*producing), {})

    async def _through(self, seconds: float) -> Rush:
        self._batches += 1
        requests = requests_of(self._newsroom, self._batches)
        async with callers(self._newsroom.ingest, AT_ONCE) as clients:
            deadline = time.perf_counter() + seconds
            posting = [_post_each(client, requests, deadline) for client in clients]
            return await _timed(asyncio.gather(*posting), self._newsroom.pids)

    async def load(self, rate: float, seconds: float) -> Answers:
        """Open load of the door alone."""
        self._batches += 1
        requests = requests_of(self._newsroom, self._batches)
        async with callers(self._newsroom.ingest, _IN_OPEN_LOAD) as clients:
            idle: asyncio.LifoQueue[Caller] = asyncio.LifoQueue()
            for client in clients:
                idle.put_nowait(client)

            async def post(_: int) -> tuple[int, float]:
                client = await idle.get()
                try:
                    status = await client.ask(next(requests))
                except Broken:
                    status = 0
                idle.put_nowait(client)
                return status, time.time()

            return answers_of(await drive(rate, seconds, post))


async def _timed(work: Awaitable[Iterable[int]], pids: Mapping[str, int]) -> Rush:
    """Wait for work that tells in parts how much was done."""
    before, own, begun = processor_seconds(pids), time.process_time(), time.perf_counter()
    count = sum(await work)
    took, driver = time.perf_counter() - begun, time.process_time() - own
    after = processor_seconds(pids)
    return Rush(count, took, {**{name: after[name] - before[name] for name in pids}, "driver": driver})


def _name(number: int, batch: int) -> str:
    return _NAME.format(number, batch)


def requests_of(newsroom: Newsroom, batch: int) -> Iterator[bytes]:
    """What publishes an article, and another one, without end: no time goes into making JSON."""
    first = _name(0, batch)
    body = orjson.dumps(a_request(first, an_article(first)))
    template = a_post(newsroom.ingest, "/articles", newsroom.key, body)
    for number in itertools.count():
        yield template.replace(first.encode(), _name(number, batch).encode())


def _message(name: str) -> Message:
    """The record that ingest would make of it."""
    event = Event(
        id=new_event_id(),
        kind=EventKind.PUBLISHED,
        article_id=name,
        time=now(),
        data=Published(article=an_article(name), create=True),
        actor="bench",
        request_hash="0" * 64,
    )
    return event_message(event)


async def _post_each(client: Caller, requests: Iterator[bytes], deadline: float) -> int:
    """One after another until then; how many. Raises: Broken when one is not accepted."""
    count = 0
    while time.perf_counter() < deadline:
        if (status := await client.ask(next(requests))) != ACCEPTED:
            raise Broken(f"POST /articles was answered {status} while {AT_ONCE} clients post")
        count += 1
    return count


async def _produce_each(publisher: KafkaPublisher, messages: Iterator[Message]) -> int:
    """Those that are left, one after another; how many."""
    count = 0
    for message in messages:
        await publisher.publish(message)
        count += 1
    return count


def answers_of(done: Sequence[Done[tuple[int, float]]]) -> Answers:
    """A result is the status and when it came."""
    return Answers(
        waited=[answered - each.due for each in done for _, answered in [each.result]],
        late=[each.began - each.due for each in done],
        refused=sum(each.result[0] != ACCEPTED for each in done),
    )


def chapter(rounds: Sequence[Round], rate: float, how: str) -> Chapter:
    """What the rounds tell. `rate`: of the open load, requests a second."""
    answers = [quantiles(each.answers.waited) for each in rounds]
    per_core = [each.door.per_core("ingest") for each in rounds]
    floors = [each.floor.per_core("driver") for each in rounds]
    return Chapter(
        name="door",
        title="The door alone",
        how=how,
        rows=[
            Row(
                "accepted for each second of a core, against records produced",
                [own / floor for own, floor in zip(per_core, floors, strict=True)],
                "x floor",
            ),
            Row("accepted per core", per_core, "/s", Goal(3000, is_most=False)),
            Row("answer in open load at half the rate, p99", [each.p99 for each in answers], "ms", Goal(20)),
            Row("answer in open load at half the rate, p50", [each.p50 for each in answers], "ms"),
            Row(
                "refused in open load", [float(each.answers.refused) for each in rounds], "requests", Goal(0)
            ),
            Row("accepted, all processes on this machine", [each.door.rate for each in rounds], "/s"),
            Row("the floor, per core", floors, "/s"),
            Row("the floor, Kafka on the same machine", [each.floor.rate for each in rounds], "/s"),
        ],
        details=_details(rounds, rate),
        plots=[_plot(rounds, rate)],
    )


def _details(rounds: Sequence[Round], rate: float) -> list[str]:
    late = quantiles(_all(each.answers.late for each in rounds))
    lines = [f"Open load: {rate:,.0f} a second; the driver late p50 {late.p50:.1f} ms, p99 {late.p99:.1f} ms"]
    for number, each in enumerate(rounds, 1):
        cores = ", ".join(
            f"{name} {used / each.door.seconds:.2f}" for name, used in each.door.processor_seconds.items()
        )
        lines.append(f"Cores while {AT_ONCE} clients posted, round {number}: {cores}")
    return lines


def _plot(rounds: Sequence[Round], rate: float) -> Plot:
    waited, late = (curve(_all(getattr(each.answers, of) for each in rounds)) for of in ("waited", "late"))
    return Plot(
        name="door",
        title=f"The door alone: POST to 202 in open load of {rate:,.0f} a second",
        x="percentile",
        y="ms",
        series=[Series("answer", waited), Series("begun late by the driver", late)],
    )


def _all(parts: Iterable[Sequence[float]]) -> list[float]:
    return [each for part in parts for each in part]
