"""An empty database reads the log from its beginning, silent up to the horizon, then announces what stands.

Partition by partition. Nothing of a history is told event by event, or a text that was withdrawn long ago
would show for a moment. What was crossed is noted after its announcement, so a process that dies in between
does it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence

import structlog

from newsroom.errors import Away
from newsroom.kafka.producer import Publisher
from newsroom.records import Record
from services.store.again import announce_again
from services.store.decisions import Revisions
from services.store.identity import Identities, Identity

log = structlog.get_logger(__name__)
WATCH_SECONDS = 0.5
_CHUNK = 100


class Replay:
    """How far this database has read its log's history.

    Shared by all instances through the identity's document.
    """

    def __init__(
        self, identity: Identity, identities: Identities, revisions: Revisions, publisher: Publisher
    ) -> None:
        self._identity = identity
        self._identities = identities
        self._revisions = revisions
        self._publisher = publisher
        self._parked: set[tuple[int, int]] = set()
        self._crossing = asyncio.Lock()

    @property
    def is_over(self) -> bool:
        """Whether everything that stood when the database was new is filed and announced."""
        return self._identity.is_replayed

    def is_old(self, record: Record) -> bool:
        """Whether the record stands before the horizon: history, which is not told."""
        return record.offset < self._identity.horizon.get(record.partition, 0)

    async def folded(self, records: Sequence[Record]) -> None:
        """These records are filed, and all before them; cross where that was the last of the history."""
        filed: dict[int, int] = {}
        for record in records:
            if self.is_old(record):
                filed[record.partition] = max(filed.get(record.partition, 0), record.offset + 1)
        await self._note(filed)

    async def parked(self, record: Record) -> None:
        """This record became a dead letter; it counts once what stands ahead of it is filed."""
        if self.is_old(record):
            self._parked.add((record.partition, record.offset))
            await self.refresh()
            await self._note({record.partition: self._identity.folded.get(record.partition, 0)})

    async def _note(self, filed: Mapping[int, int]) -> None:
        """Note how far history is filed, dead letters that follow at once included."""
        if not filed:
            return
        await self._identities.note_folded(
            {partition: self._past_parked(partition, offset) for partition, offset in filed.items()}
        )
        await self.refresh()
        await self.cross(self._identity.due())

    def _past_parked(self, partition: int, offset: int) -> int:
        while (partition, offset) in self._parked:
            offset += 1
        return offset

    async def cross(self, partitions: Collection[int]) -> None:
        """Announce the heads of these partitions, unless that was done: all of their history is filed."""
        async with self._crossing:
            for partition in sorted(set(partitions) & self._identity.horizon.keys()):
                if partition not in self._identity.crossed:
                    await self._cross(partition)

    async def watch(self) -> None:
        """Follow how far the other instances have come, until all of the history is told. Ends by itself."""
        while not self.is_over:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                await self.refresh()
            except Away as error:
                log.warning("replay_watch_waits", reason=str(error))

    async def _cross(self, partition: int) -> None:
        """Announce every head that is history. Who moved one on has crossed before, and tells it."""
        after, count, end = "", 0, self._identity.horizon[partition]
        while heads := await self._revisions.heads_from(after, _CHUNK, partition=partition, before=end):
            await announce_again(self._revisions, self._publisher, heads)
            after, count = heads[-1].id, count + len(heads)
        await self._identities.note_crossed(partition)
        await self.refresh()
        log.info("history_announced", partition=partition, articles=count, offset=end)

    async def refresh(self) -> None:
        """Read how far all instances have come."""
        standing = await self._identities.find()
        if standing is not None and standing.database_id == self._identity.database_id:
            self._identity = standing
