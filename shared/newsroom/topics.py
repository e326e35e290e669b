"""The catalogue of topics: names, partitions and keeping, as DESIGN §3 has them.

Created explicitly, checked at every start.
"""

from __future__ import annotations

from dataclasses import dataclass

EVENTS = "newsroom.events"
UPDATES = "newsroom.updates"
LISTINGS = "newsroom.listings"
NOTICES = "newsroom.notices"
OUTCOMES = "newsroom.outcomes"
DEAD_LETTERS = "newsroom.dead-letters"
KEYS = "newsroom.keys"

MAX_BODY_BYTES = 1024 * 1024
MAX_ENTRY_BYTES = 64 * 1024
MAX_REQUEST_BYTES = 2 * MAX_BODY_BYTES
MAX_RECORD_BYTES = 8 * MAX_BODY_BYTES
"""Largest record on any topic, uncompressed: a body of 1 MiB, escaped as JSON, and room for a long
history.
"""

MAX_MESSAGE_BYTES = MAX_RECORD_BYTES + 64 * 1024
"""The same with what Kafka puts around a record."""

PARTITIONS = 12
"""Of each topic that the instances of a service share: more instances have nothing to do."""

_DAY_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True)
class TopicSpec:
    """How a topic is kept.

    `retention_ms=-1` keeps for ever; `compacted` keeps the newest record of each key. `is_source`: its
    records could not be made again from others, so a single copy is on the disk before it is acknowledged.
    """

    name: str
    partitions: int
    retention_ms: int = -1
    compacted: bool = False
    is_source: bool = False

    def settings(self, *, replication: int, min_insync: int) -> dict[str, str]:
        """The topic's settings under Kafka's own names."""
        flushed = {"flush.messages": "1"} if self.is_source and replication == 1 else {}
        return flushed | {
            "min.insync.replicas": str(min_insync),
            "cleanup.policy": "compact" if self.compacted else "delete",
            "retention.ms": str(self.retention_ms),
            "retention.bytes": "-1",
            "max.message.bytes": str(MAX_MESSAGE_BYTES),
        }


ALL = (
    TopicSpec(EVENTS, PARTITIONS, is_source=True),
    TopicSpec(UPDATES, PARTITIONS, compacted=True),
    TopicSpec(LISTINGS, PARTITIONS, compacted=True),
    TopicSpec(NOTICES, 1, retention_ms=7 * _DAY_MS),
    TopicSpec(OUTCOMES, PARTITIONS, retention_ms=7 * _DAY_MS),
    TopicSpec(DEAD_LETTERS, 3, retention_ms=30 * _DAY_MS),
    TopicSpec(KEYS, 1, compacted=True, is_source=True),
)
