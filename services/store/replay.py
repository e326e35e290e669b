"""An empty database reads the log from its beginning: silent up to the horizon, then it announces what stands.

Partition by partition. Nothing of a history is told event by event, or a text that was withdrawn long ago would
show for a moment. What was crossed is noted after its announcement, so a process that dies in between does it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable

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
    """How far this database has read its log's history. Shared by all instances through the identity's document."""

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

    async def folded(self, records: Iterable[Record]) -> None:
        """These records of the history are done with; cross where that was the last of it.

        A dead letter may be parked before what stands ahead of it is filed: it counts once that is.
        """
        reached: dict[int, int] = {}
        for record in records:
            if self.is_old(record):
                self._parked.add((record.partition, record.offset))
                reached[record.partition] = self._identity.folded.get(record.partition, 0)
        for partition in reached:
            reached[partition] = self._filed_up_to(partition, reached[partition])
        if not reached:
            return
        await self._identities.note_folded(reached)
        await self.refresh()
        await self.cross(self._identity.due())

    def _filed_up_to(self, partition: int, offset: int) -> int:
        return offset

    async def cross(self, partitions: Collection[int]) -> None:
        """Announce the heads of these partitions, unless that was done: all of their history is filed."""
        for partition in sorted(set(partitions) & self._identity.horizon.keys() - self._identity.crossed):
            async with self._crossing:
                await self._cross(partition)

    async def refresh(self) -> None:
        """Read how far all instances have come."""
        standing = await self._identities.find()
        if standing is not None and standing.database_id == self._identity.database_id:
            self._identity = standing
