"""Which records have a dead letter already, as an empty database asks that reads the log again.

A stretch of bad records that was parked once is no news: it must not stop a replay as it would stop who first
meets it. A version that cannot read what others could is stopped all the same, for that has no letters.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from newsroom.errors import Away, BadRecord
from newsroom.kafka.dead_letters import Parked, decode_letter
from newsroom.kafka.reader import Reader
from newsroom.records import Position, Record

log = structlog.get_logger(__name__)
_READ_SECONDS = 60.0


class FormerLetters:
    """Where the records stood whose letters the topic holds; nothing is known before `read`."""

    def __init__(self) -> None:
        self._places: set[Position] = set()
        self._taken = 0

    def has(self, record: Record) -> bool:
        """Whether this record was parked before."""
        return Position(record.topic, record.partition, record.offset) in self._places

    async def read(self, open_reader: Callable[[Callable[[Record], None]], Reader]) -> None:
        """Read the topic from its beginning to where it ends now, with a reader that is opened for it.

        Raises: Away when nothing comes for long.
        """
        reader = open_reader(self._take)
        reading = asyncio.create_task(reader.run(), name="former-letters")
        try:
            await self._to_the_end(reader)
        finally:
            await reader.stop()
            await reading
        log.info("former_letters_read", letters=len(self._places))

    async def _to_the_end(self, reader: Reader) -> None:
        """Letters carry what was parked, so that many take their time: it is over where none comes."""
        before = -1
        while not await reader.catch_up(_READ_SECONDS):
            if self._taken in (0, before):
                raise Away("kafka", "the dead letters could not be read to their end")
            before = self._taken

    def _take(self, record: Record) -> None:
        self._taken += 1
        try:
            told = decode_letter(record)
        except BadRecord:
            return  # whoever keeps the letters tells of it
        if isinstance(told, Parked):
            where = told.record
            self._places.add(Position(where.topic, where.partition, where.offset))
