"""Readers with a page open: one notice to all of them at once, and many notices to many, each of its own.

The notices are put on the log as render puts them there. One render process reads them there and writes to
every open stream, over loopback.
"""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Mapping

import httpx
import uvloop

from bench.audience import NOTE, raise_open_files
from bench.costs import memory, processor_seconds
from bench.crowd import Crowd, a_crowd
from bench.fanout import TOGETHER, Found, Plan, Spread, Told, chapter, spread_of, told_of
from bench.openloop import drive
from bench.stack import PATIENCE_SECONDS, Broken, Newsroom, a_newsroom
from bench.table import Chapter, Size, Stand
from newsroom.http.connections import OTHER_FILES
from newsroom.kafka.producer import KafkaPublisher
from newsroom.notices import Notice, NoticeKind, notice_message
from newsroom.records import Message
from newsroom.times import now

_SETTINGS = {
    "NEWSROOM_CONNECTIONS": "100000",
    "NEWSROOM_CONNECTIONS_PER_ADDRESS": "100000",
    "NEWSROOM_LIVE_STREAMS": "100000",
    "NEWSROOM_LIVE_STREAMS_PER_ADDRESS": "100000",
}
"""All readers come from one address."""
EVERYBODYS, OWN_ARTICLE = "everybody", "reader-{}"
"""Ids of the article that all have open, and of those of a reader each."""
_SETTLE_SECONDS = 2.0
_DRAIN_SECONDS = 10.0
_PLANS = {
    Size.SMOKE: Plan(100, 2, 50, 50, 2, 1.0, warm_readers=5, warm_seconds=0.5),
    Size.TABLE: Plan(10_000, 5, 1_000, 1_000, 3, 6.0),
    Size.LONG: Plan(10_000, 20, 1_000, 1_000, 3, 60.0),
}


def measure_fan_out(stand: Stand) -> Chapter:
    """Raises: Broken, PartFailed, Misconfigured, Away; psutil.Error when a process is gone."""
    plan = _PLANS[stand.size]
    with a_newsroom(
        stand.folder / "home", stand.jars, stand.say, services=["render"], settings=_SETTINGS
    ) as newsroom:
        return chapter(uvloop.run(_take(newsroom, stand, plan)))


async def _take(newsroom: Newsroom, stand: Stand, plan: Plan) -> Found:
    publisher = KafkaPublisher(newsroom.bootstrap, client_id="newsroom-bench")
    await publisher.start()
    try:
        desk = Desk(publisher, newsroom.pids)
        await _warm_up(newsroom, desk, plan)
        open_files = _open_files()
        wanted, own = fitting(plan.everybody, open_files), fitting(plan.own, open_files)
        stand.say(f"{wanted:,} readers open the same page")
        before, begun = memory(newsroom.pids["render"]), time.monotonic()
        async with a_crowd(newsroom.site, wanted, f"/live/{EVERYBODYS}?revision={desk.told}") as crowd:
            took = time.monotonic() - begun
            await asyncio.sleep(_SETTLE_SECONDS)
            reader_bytes = (memory(newsroom.pids["render"]) - before) / crowd.readers
            spreads = [await desk.tell_everybody(crowd) for _ in range(plan.notices)]
        await _alone(newsroom.site)
        loads = await _load(newsroom, desk, stand, plan, own)
    finally:
        await publisher.stop()
    return Found(plan, crowd.readers, own, took, reader_bytes, spreads, loads)


async def _warm_up(newsroom: Newsroom, desk: Desk, plan: Plan) -> None:
    """What the first reader and the first notice bring into memory is not counted to the readers."""
    async with a_crowd(newsroom.site, plan.warm_readers, f"/live/{EVERYBODYS}?revision={desk.told}") as crowd:
        await desk.tell_everybody(crowd)
    await _alone(newsroom.site)


async def _load(newsroom: Newsroom, desk: Desk, stand: Stand, plan: Plan, own: int) -> list[Told]:
    stand.say(f"{own:,} readers, {plan.rate:,} notices a second, {plan.loads} times {plan.seconds:g} s")
    async with a_crowd(newsroom.site, own, f"/live/{OWN_ARTICLE}?revision={desk.told}") as crowd:
        await desk.tell_each(crowd, plan.rate, plan.warm_seconds)
        return [await desk.tell_each(crowd, plan.rate, plan.seconds) for _ in range(plan.loads)]


def fitting(wanted: int, open_files: float) -> int:
    """How many readers one process can have, and as many again be read by another."""
    return int(max(1, min(wanted, open_files - 2 * OTHER_FILES)))


def _open_files() -> float:
    """How many a process may have open here, once it has asked for all. This one has as many as before."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        return raise_open_files()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def _alone(site: str) -> None:
    """Wait until no stream is open. Raises: Broken."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    async with httpx.AsyncClient(base_url=site, timeout=PATIENCE_SECONDS) as client:
        while "newsroom_open_streams 0.0" not in (await client.get("/metrics")).text:
            if time.monotonic() > deadline:
                raise Broken("render still counts readers who have left")
            await asyncio.sleep(0.2)
    await asyncio.sleep(_SETTLE_SECONDS)


class Desk:
    """Publishes the notices, each with a number of its own, which is its article's revision, too.

    `told`: the number of the last one.
    """

    def __init__(self, publisher: KafkaPublisher, pids: Mapping[str, int]) -> None:
        self._publisher, self._pids = publisher, pids
        self.told = 1

    async def tell_everybody(self, crowd: Crowd) -> Spread:
        """One notice, of the article that all have open."""
        self.told += 1
        hearing = asyncio.create_task(crowd.hear(self.told, crowd.readers, PATIENCE_SECONDS))
        await asyncio.sleep(_SETTLE_SECONDS / 4)
        message = a_notice(EVERYBODYS, self.told, self.told)
        before, published = processor_seconds(self._pids), time.time()
        await self._publisher.publish(message)
        heard = await hearing
        used = processor_seconds(self._pids)["render"] - before["render"]
        return spread_of(published, self.told, crowd.readers, heard, used)

    async def tell_each(self, crowd: Crowd, rate: int, seconds: float) -> Told:
        """Open load: so many notices a second, to one reader after another."""
        first, count = self.told + 1, round(rate / TOGETHER * seconds) * TOGETHER
        self.told += count
        hearing = asyncio.create_task(crowd.hear(first, count, seconds + _DRAIN_SECONDS))

        async def publish(turn: int) -> None:
            numbers = range(first + turn * TOGETHER, first + (turn + 1) * TOGETHER)
            articles = [OWN_ARTICLE.format(number % crowd.readers) for number in numbers]
            await self._publisher.publish_all(
                [a_notice(article, number, number) for article, number in zip(articles, numbers, strict=True)]
            )

        before, begun = processor_seconds(self._pids), time.monotonic()
        done = await drive(rate / TOGETHER, seconds, publish)
        took, after = time.monotonic() - begun, processor_seconds(self._pids)
        cores = {name: (after[name] - before[name]) / took for name in after}
        return told_of(done, first, crowd.readers, await hearing, cores)


def a_notice(article_id: str, revision: int, number: int) -> Message:
    """A notice as render puts it on the log."""
    notice = Notice(
        article_id=article_id,
        revision=revision,
        kind=NoticeKind.UPDATE,
        note=f"{NOTE} {number}",
        time=now(),
        path=f"/kazakhstan/2023/06/20/talks-at-the-bank-{article_id}/",
        headline="Talks at the bank: two more people have left the building",
    )
    return notice_message(notice, None)
