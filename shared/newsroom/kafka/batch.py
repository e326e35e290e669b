"""One batch on its way through the loop: what is held for it, what is good, what is to be parked, and how far
that has come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from newsroom.errors import BadRecord
from newsroom.kafka.source import Polled
from newsroom.records import Record, TopicPartition
from newsroom.topics import MAX_RECORD_BYTES

T = TypeVar("T")


@dataclass(frozen=True)
class Delivery(Generic[T]):
    """A record with what it says."""

    record: Record
    item: T


@dataclass(frozen=True)
class Held(Generic[T]):
    """What the loop has of one assignment for its next batch: what the handler left of the former, as it was
    read then, and what was taken since.
    """

    generation: int
    left: tuple[Delivery[T], ...] = ()
    records: tuple[Record, ...] = ()

    def __len__(self) -> int:
        return len(self.left) + len(self.records)

    def joined(self, more: Polled) -> Held[T]:
        """With what came behind it. What is of a former assignment is void."""
        before: Held[T] = self if more.generation == self.generation else Held(more.generation)
        return replace(before, records=before.records + more.records)


class Poisoned(Exception):
    """Raised by a handler to park one record of its batch; it is then called again with the rest."""

    def __init__(self, record: Record, reason: str) -> None:
        super().__init__(f"{record.topic}/{record.partition}/{record.offset}: {reason}")
        self.record = record
        self.reason = reason


@dataclass
class Letter:
    """A record to be parked. Written, then told: each once, however often the batch is tried.

    `is_known`: it was parked before, so that it is no news in a row of bad ones.
    """

    record: Record
    reason: str
    is_known: bool = False
    is_written: bool = False
    is_told: bool = False


class Batch(Generic[T]):
    """What was held, decoded inside the dead-letter boundary; order per partition is kept.

    A record is decoded once, however often it is left.
    """

    def __init__(
        self,
        held: Held[T],
        decode: Callable[[Record], T],
        is_known: Callable[[Record], bool] = lambda _: False,
    ) -> None:
        self.records = tuple(delivery.record for delivery in held.left) + held.records
        self._is_known = is_known
        good = list(held.left)
        self.letters: list[Letter] = []
        self.left: tuple[Delivery[T], ...] = ()
        for record in held.records:
            try:
                good.append(Delivery(record, decode(_bounded(record))))
            except BadRecord as error:
                self._add(record, str(error))
        self.good = tuple(good)

    def poison(self, poisoned: Poisoned) -> None:
        """Take a record from the good ones.

        Raises: ValueError when the handler named one it was not given.
        """
        rest = tuple(delivery for delivery in self.good if delivery.record is not poisoned.record)
        if len(rest) == len(self.good):
            raise ValueError("a handler poisoned a record that is not in its batch") from poisoned
        self.good = rest
        self._add(poisoned.record, poisoned.reason)

    def leave(self, deliveries: Iterable[Delivery[T]]) -> None:
        """Leave these for the next batch, in the order of the log."""
        self.left = tuple(sorted(deliveries, key=lambda each: each.record.offset))

    def _add(self, record: Record, reason: str) -> None:
        self.letters.append(Letter(record, reason, is_known=self._is_known(record)))

    def bad_rows(self, before: int) -> tuple[int, int]:
        """The longest row of bad records, and the one at the end, when `before` bad ones stood ahead of the
        batch. Those that were parked before are passed over.
        """
        bad = {(letter.record.topic_partition, letter.record.offset): letter for letter in self.letters}
        longest = row = before
        for record in self.records:
            letter = bad.get((record.topic_partition, record.offset))
            if letter is None:
                row = 0
            elif not letter.is_known:
                row += 1
            longest = max(longest, row)
        return longest, row

    def next_offsets(self) -> dict[TopicPartition, int]:
        """What to commit once the batch is finished: for each partition its last offset and one."""
        return {record.topic_partition: record.offset + 1 for record in self.records}


def _bounded(record: Record) -> Record:
    """Raises: BadRecord for one larger than any that is written here: what was made of it would not fit."""
    size = len(record.key or b"") + len(record.value or b"")
    if size > MAX_RECORD_BYTES:
        raise BadRecord(f"the record has {size} bytes; the largest may have {MAX_RECORD_BYTES}")
    return record
