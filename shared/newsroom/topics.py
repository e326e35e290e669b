"""The catalogue of topics: names, partitions and keeping, as DESIGN §3 has them. Created explicitly, checked at every start."""

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
MAX_REQUEST_BYTES = 2 * MAX_BODY_BYTES
MAX_RECORD_BYTES = 8 * MAX_BODY_BYTES
"""Largest record on any topic, uncompressed: a body of 1 MiB, escaped as JSON, and room for a long history."""

_DAY_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True)
class TopicSpec:
    """How a topic is kept. `retention_ms=-1` keeps for ever; `compacted` keeps the newest record of each key."""

    name: str
    partitions: int
    retention_ms: int = -1
    compacted: bool = False

    def settings(self) -> dict[str, str]:
        """The topic's settings under Kafka's own names."""
        return {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "retention.ms": str(self.retention_ms),
            "retention.bytes": "-1",
            "max.message.bytes": str(MAX_RECORD_BYTES + 64 * 1024),
        }


ALL = (
    TopicSpec(EVENTS, 12),
    TopicSpec(UPDATES, 12, compacted=True),
    TopicSpec(LISTINGS, 12, compacted=True),
    TopicSpec(NOTICES, 1, retention_ms=7 * _DAY_MS),
    TopicSpec(OUTCOMES, 12, retention_ms=7 * _DAY_MS),
    TopicSpec(DEAD_LETTERS, 3, retention_ms=30 * _DAY_MS),
    TopicSpec(KEYS, 1, compacted=True),
)
