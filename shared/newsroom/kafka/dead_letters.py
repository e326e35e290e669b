"""Dead letters: records that can never be processed, kept whole on `newsroom.dead-letters` with where and
why.
"""

from __future__ import annotations

from newsroom.records import Message, Record
from newsroom.topics import DEAD_LETTERS, MAX_BODY_BYTES

TOPIC = "dead_topic"
PARTITION = "dead_partition"
OFFSET = "dead_offset"
REASON = "dead_reason"
CONSUMER = "dead_consumer"

MAX_REASON_BYTES = 1000


def letter(record: Record, reason: str, consumer: str) -> Message:
    """The record with its original key, bytes and headers, and headers that say where it stood and why it was
    parked.

    The added headers come last, so they count where a letter is parked a second time.
    """
    value = record.value
    if value is None and record.key is None:
        value = b""  # the client refuses a record with neither key nor value
    return Message(
        topic=DEAD_LETTERS,
        key=record.key,
        value=value,
        headers=(
            *record.headers,
            (TOPIC, record.topic.encode()),
            (PARTITION, str(record.partition).encode()),
            (OFFSET, str(record.offset).encode()),
            (REASON, bounded(reason)),
            (CONSUMER, consumer.encode()),
        ),
    )


def cut_letter(record: Record, reason: str, consumer: str) -> Message:
    """The letter of a record too large to be written again: the beginning of its value, and the reason says
    so.
    """
    size = len(record.value or b"")
    cut = Record(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=(record.key or b"")[:MAX_REASON_BYTES] or None,
        value=(record.value or b"")[:MAX_BODY_BYTES],
        headers=(),
        timestamp_ms=record.timestamp_ms,
    )
    return letter(cut, f"cut, the value had {size} bytes: {reason}", consumer)


def bounded(reason: str) -> bytes:
    """The reason in UTF-8, cut between characters at `MAX_REASON_BYTES`."""
    return reason.encode(errors="replace")[:MAX_REASON_BYTES].decode(errors="ignore").encode()
