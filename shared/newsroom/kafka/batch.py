"""One batch on its way through the loop: what is good, what is to be parked, and how far that has come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from newsroom.errors import BadRecord
from newsroom.records import Record, TopicPartition

T = TypeVar("T")


@dataclass(frozen=True)
class Delivery(Generic[T]):
    """A record with what it says."""

    record: Record
    item: T


class Poisoned(Exception):
    """Raised by a handler to park one record of its batch; it is then called again with the rest."""

    def __init__(self, record: Record, reason: str) -> None:
        super().__init__(f"{record.topic}/{record.partition}/{record.offset}: {reason}")
        self.record = record
        self.reason = reason


@dataclass
class Letter:
    """A record to be parked. Written, then told: each once, however often the batch is tried."""

    record: Record
    reason: str
    is_written: bool = False
    is_told: bool = False


class Batch(Generic[T]):
    """The records of one poll, decoded inside the dead-letter boundary; order per partition is kept."""

    def __init__(self, records: tuple[Record, ...], decode: Callable[[Record], T]) -> None:
        self.records = records
        good: list[Delivery[T]] = []
        self.letters: list[Letter] = []
        for record in records:
            try:
                good.append(Delivery(record, decode(record)))
            except BadRecord as error:
                self.letters.append(Letter(record, str(error)))
        self.good = tuple(good)

    def poison(self, poisoned: Poisoned) -> None:
        """Take a record from the good ones.

        Raises: ValueError when the handler named one it was not given.
        """
        rest = tuple(delivery for delivery in self.good if delivery.record is not poisoned.record)
        if len(rest) == len(self.good):
            raise ValueError("a handler poisoned a record that is not in its batch") from poisoned
        self.good = rest
        self.letters.append(Letter(poisoned.record, poisoned.reason))

    def bad_rows(self, before: int) -> tuple[int, int]:
        """The longest row of bad records, and the one at the end, when `before` bad ones stood ahead of the
        batch.
        """
        bad = {(letter.record.topic_partition, letter.record.offset) for letter in self.letters}
        longest = row = before
        for record in self.records:
            row = row + 1 if (record.topic_partition, record.offset) in bad else 0
            longest = max(longest, row)
        return longest, row

    def next_offsets(self) -> dict[TopicPartition, int]:
        """What to commit once the batch is finished: for each partition its last offset and one."""
        return {record.topic_partition: record.offset + 1 for record in self.records}
