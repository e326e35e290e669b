"""A newsroom in small: the store's fold, its scheduler and render on one log, one step at a time.

Nothing runs by itself: what a test posts is filed and rendered when it says so, and time passes when it says
so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from newsroom.events import Event, decode_event
from newsroom.kafka.consumer import Delivery
from newsroom.kafka.fake import FakePublisher
from newsroom.records import Record
from newsroom.topics import EVENTS, UPDATES
from newsroom.updates import EntryAnnouncement, EntryUpdate, decode_update
from services.store.consumer import Filer
from services.store.scheduler import Scheduler
from tests.due_parts import FakeDueWork, SteppingClock
from tests.render_world import SmallRender
from tests.store_parts import StoreInMemory

ALL_PARTITIONS = frozenset(range(12))


class SmallNewsroom:
    """One store and one render instance. `open` it first."""

    def __init__(self, folder: Path, clock: SteppingClock) -> None:
        self.clock = clock
        self.store = StoreInMemory()
        self.log = self.store.log
        self.render = SmallRender(folder, log=self.log)
        self._filed = set[tuple[int, int]]()
        self._rendered = set[tuple[int, int]]()

    async def open(self) -> None:
        publisher = FakePublisher(self.log)
        self._filer = Filer(self.store.revisions, publisher, await self.store.replay())
        self._scheduler = Scheduler(
            FakeDueWork(self.store.revisions),
            publisher,
            owned=lambda: ALL_PARTITIONS,
            is_open=lambda: True,
            clock=self.clock,
            timer=self.clock.timer,
        )
        await self.render.lay_ground()

    async def post(self, *events: Event) -> None:
        """Put the events on the log; file them in one batch and render what follows in another."""
        await self.store.post(*events)
        await self.file()

    async def file(self) -> None:
        """Whatever stands on the log and is not filed or rendered yet, in one batch each."""
        fresh = self._fresh(EVENTS, self._filed)
        if fresh:
            await self._filer.handle([Delivery(record, decode_event(record)) for record in fresh])
        await self.render_again(self._fresh(UPDATES, self._rendered))

    async def render_again(self, records: Sequence[Record]) -> None:
        """Deliver these records of `newsroom.updates`, as a redelivery would."""
        if records:
            await self.render.updates.handle([Delivery(each, decode_update(each)) for each in records])
        await self.render.list_marked()

    async def pass_to(self, moment: datetime) -> None:
        """It is that time now: whatever is due has its effect."""
        self.clock.pass_((moment - self.clock.at).total_seconds())
        await self._scheduler.read()
        await self._scheduler.look()
        await self.file()

    def updates(self) -> list[Record]:
        return self.log.records(UPDATES)

    def events(self) -> list[Event]:
        """Everything on the log of events, due events too, in order."""
        return [decode_event(record) for record in self.log.records(EVENTS)]

    def entries(self) -> dict[str, EntryUpdate]:
        """What compaction keeps of each live entry, by article and entry."""
        found = [decode_update(record) for record in self.updates()]
        told = [each.update for each in found if isinstance(each, EntryAnnouncement)]
        return {f"{each.article_id}/{each.entry_id}": each for each in told}

    def _fresh(self, topic: str, seen: set[tuple[int, int]]) -> list[Record]:
        fresh = [each for each in self.log.records(topic) if (each.partition, each.offset) not in seen]
        seen.update((each.partition, each.offset) for each in fresh)
        return fresh
