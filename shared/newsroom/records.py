"""What goes onto a topic and what comes off it: bytes with a key and headers. No decoding happens here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class TopicPartition:
    """One partition of one topic."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Position:
    """Where a record stands on the log."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Message:
    """A record to be written. `value=None` is a tombstone.

    `partition=None` lets the key decide (murmur2, as Kafka's own).
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = field(default=())
    partition: int | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it was read.

    Headers keep their order; a name may stand more than once (the last one counts).
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    timestamp_ms: int

    @property
    def topic_partition(self) -> TopicPartition:
        return TopicPartition(self.topic, self.partition)

    def header(self, name: str) -> str | None:
        """The value of a header, or None where it is absent or no UTF-8."""
        for header_name, value in reversed(self.headers):
            if header_name == name:
                try:
                    return value.decode()
                except UnicodeDecodeError:
                    return None
        return None
