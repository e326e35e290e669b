"""Rebuilds: everything once, through crashes and rivals, nothing before its own announcement."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from newsroom.errors import Away
from newsroom.kafka.fake import FakePublisher
from services.store import republishing
from services.store.again import announce_again
from services.store.republications import Republication, new_republication
from services.store.republishing import CHUNK, Republisher
from tests.store_parts import FakeRepublications, StoreInMemory, an_article
from tests.unit.loops import until


class Rebuilding:
    """A store in memory whose articles are all told, and workers on it."""

    def __init__(self) -> None:
        self.store = StoreInMemory()
        self.republications = FakeRepublications()
        self.committed: dict[int, int] = {0: 1_000_000}

    def stands(self, *article_ids: str, offset: int = 0, kinds: tuple[str, ...] = ("published",)) -> None:
        for article_id in article_ids:
            article = an_article(*kinds, article_id=article_id, first_offset=offset)
            self.store.revisions.standing[article_id] = article

    def worker(self, holder: str = "one") -> Republisher:
        return Republisher(
            self.republications,
            self.store.revisions,
            FakePublisher(self.store.log),
            self._told,
            holder=holder,
            idle_seconds=0.01,
        )

    async def _told(self) -> Mapping[int, int]:
        self.store.log.check()
        return self.committed

    async def ask(self, *article_ids: str) -> str:
        asked = new_republication(article_ids or None, len(article_ids))
        await self.republications.add(asked)
        return asked.id

    @asynccontextmanager
    async def working(self, *holders: str) -> AsyncIterator[list[Republisher]]:
        workers = [self.worker(holder) for holder in holders or ("one",)]
        tasks = [asyncio.create_task(worker.run()) for worker in workers]
        try:
            yield workers
        finally:
            for worker in workers:
                await worker.stop()
            await asyncio.wait_for(asyncio.gather(*tasks), 30)

    def announced(self) -> list[str]:
        return sorted(each.update.article_id for each in self.store.announced())

    def is_done(self, *ids: str) -> bool:
        return all(self.republications.kept[each].state == "done" for each in ids)


def names(count: int) -> list[str]:
    return [f"a{number:03}" for number in range(count)]


async def test_all_heads_are_announced_once_and_marked_as_repeated() -> None:
    rebuilding = Rebuilding()
    rebuilding.stands(*names(CHUNK * 2 + 3))
    rebuilding.stands("draft", kinds=("drafted",))
    asked = await rebuilding.ask()
    async with rebuilding.working():
        await until(lambda: rebuilding.is_done(asked))
    assert rebuilding.announced() == [*names(CHUNK * 2 + 3), "draft"]
    assert all(each.again for each in rebuilding.store.announced())
    done = rebuilding.republications.kept[asked]
    assert done.announced == CHUNK * 2 + 4
    assert done.finished_at is not None


async def test_a_selection_is_all_that_is_announced() -> None:
    rebuilding = Rebuilding()
    rebuilding.stands("a", "b", "c")
    asked = await rebuilding.ask("c", "a", "gone")
    async with rebuilding.working():
        await until(lambda: rebuilding.is_done(asked))
    assert rebuilding.announced() == ["a", "c"]


async def test_an_empty_newsroom_is_rebuilt_at_once() -> None:
    rebuilding = Rebuilding()
    asked = await rebuilding.ask()
    async with rebuilding.working():
        await until(lambda: rebuilding.is_done(asked))
    assert rebuilding.announced() == []


async def test_several_workers_share_the_rebuilds_and_do_none_twice() -> None:
    rebuilding = Rebuilding()
    rebuilding.stands(*names(CHUNK + 1))
    asked = [await rebuilding.ask(), await rebuilding.ask()]
    async with rebuilding.working("one", "two", "three"):
        await until(lambda: rebuilding.is_done(*asked))
    assert rebuilding.announced() == sorted(names(CHUNK + 1) * 2)


async def test_another_instance_goes_on_where_a_crash_ended_it() -> None:
    """The first part is noted and not done again, once the lease of the dead is over."""
    rebuilding = Rebuilding()
    rebuilding.stands(*names(CHUNK + 5))
    asked = await rebuilding.ask()
    halfway = rebuilding.republications.kept[asked].model_copy(
        update={"after": names(CHUNK)[-1], "announced": CHUNK}
    )
    rebuilding.republications.kept[asked] = halfway
    rebuilding.republications.holders[asked] = "dead"
    async with rebuilding.working("heir"):
        await asyncio.sleep(0.05)
        assert rebuilding.announced() == []
        rebuilding.republications.expire()
        await until(lambda: rebuilding.is_done(asked))
    assert rebuilding.announced() == names(CHUNK + 5)[CHUNK:]
    assert rebuilding.republications.kept[asked].announced == CHUNK + 5


async def test_who_lost_the_lease_stops() -> None:
    rebuilding = Rebuilding()
    rebuilding.stands(*names(CHUNK * 3))
    asked = await rebuilding.ask()
    noted: list[int] = []
    keep = rebuilding.republications.note

    async def lose_it(republication: Republication, holder: str) -> bool:
        noted.append(republication.announced)
        rebuilding.republications.holders[asked] = "rival"
        return await keep(republication, holder)

    rebuilding.republications.note = lose_it  # type: ignore[method-assign]
    async with rebuilding.working():
        await until(lambda: noted)
        await asyncio.sleep(0.05)
    assert noted == [CHUNK]
    assert not rebuilding.is_done(asked)


async def test_a_stop_lets_another_go_on_at_once() -> None:
    rebuilding = Rebuilding()
    rebuilding.stands("a", offset=5)
    rebuilding.committed = {0: 5}
    asked = await rebuilding.ask()
    async with rebuilding.working("one"):
        await until(lambda: rebuilding.republications.holders)
    assert rebuilding.republications.holders == {}
    rebuilding.committed = {0: 6}
    async with rebuilding.working("two"):
        await until(lambda: rebuilding.is_done(asked))
    assert rebuilding.announced() == ["a"]


async def test_an_article_is_announced_again_only_after_its_own_update() -> None:
    """Otherwise render would meet it in the repetition first, and nobody would be told of it."""
    rebuilding = Rebuilding()
    rebuilding.stands("a", offset=5)
    rebuilding.committed = {0: 5}
    asked = await rebuilding.ask()
    async with rebuilding.working():
        await asyncio.sleep(republishing.TOLD_POLL_SECONDS * 1.5)
        assert rebuilding.announced() == []
        rebuilding.committed = {0: 6}
        await until(lambda: rebuilding.is_done(asked))
    assert rebuilding.announced() == ["a"]


async def test_an_outage_delays_a_rebuild_and_ends_nothing() -> None:
    rebuilding = Rebuilding()
    rebuilding.stands(*names(3))
    asked = await rebuilding.ask()
    rebuilding.store.log.go_away()
    async with rebuilding.working():
        await asyncio.sleep(0.05)
        assert not rebuilding.is_done(asked)
        await rebuilding.store.log.come_back()
        await until(lambda: rebuilding.is_done(asked))
    assert rebuilding.announced() == names(3)


async def test_a_head_that_moves_while_it_is_announced_is_announced_as_it_is_now() -> None:
    """So the compacted topic ends with the newest, not with the repetition of an older one."""
    rebuilding = Rebuilding()
    rebuilding.stands("a", "b")
    publisher = FakePublisher(rebuilding.store.log)
    former = await rebuilding.store.revisions.heads(["a", "b"])
    rebuilding.stands("a", kinds=("published", "updated"))
    await announce_again(rebuilding.store.revisions, publisher, former)
    told = [(each.update.article_id, each.update.revision) for each in rebuilding.store.announced()]
    assert sorted(told) == [("a", 1), ("a", 2), ("b", 1)]
    assert rebuilding.store.newest()["a"].update.revision == 2


async def test_a_ring_wakes_an_idle_worker() -> None:
    rebuilding = Rebuilding()
    worker = Republisher(
        rebuilding.republications,
        rebuilding.store.revisions,
        FakePublisher(rebuilding.store.log),
        rebuilding._told,
        holder="one",
        idle_seconds=60,
    )
    task = asyncio.create_task(worker.run())
    await asyncio.sleep(0.02)
    asked = await rebuilding.ask()
    worker.ring()
    await until(lambda: rebuilding.is_done(asked))
    await worker.stop()
    await asyncio.wait_for(task, 30)


async def test_a_database_that_is_away_when_it_stops_keeps_nobody() -> None:
    rebuilding = Rebuilding()

    async def away(holder: str) -> None:
        raise Away("mongodb")

    rebuilding.republications.release = away  # type: ignore[method-assign]
    async with rebuilding.working():
        await asyncio.sleep(0.01)
