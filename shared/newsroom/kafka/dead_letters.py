"""Dead letters: records that can never be processed, kept whole on `newsroom.dead-letters` with where and
why.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import StringConstraints, TypeAdapter

from newsroom.errors import BadRecord
from newsroom.records import Message, Record
from newsroom.topics import DEAD_LETTERS, MAX_BODY_BYTES

TOPIC = "dead_topic"
PARTITION = "dead_partition"
OFFSET = "dead_offset"
REASON = "dead_reason"
CONSUMER = "dead_consumer"
CUT = "dead_cut"
MARK = "dead_mark"
ATTEMPTS = "dead_attempts"
LETTER_ID = r"^dl_[a-z2-7]{26}$"
_ADDED = frozenset({TOPIC, PARTITION, OFFSET, REASON, CONSUMER, CUT})

MAX_REASON_BYTES = 1000
_letter_ids = TypeAdapter(Annotated[str, StringConstraints(pattern=LETTER_ID)])


@dataclass(frozen=True)
class Parked:
    """A dead letter as it was read: the record as it stood on its topic, and why it was parked.

    `is_cut`: it was too large to be kept whole. `number` and `place`: partition and offset of the letter
    itself. The time of `record` is the one at which it was parked, in milliseconds.
    """

    record: Record
    reason: str
    consumer: str
    is_cut: bool
    number: int
    place: int

    @property
    def time(self) -> datetime:
        """When it was parked."""
        seconds, milliseconds = divmod(self.record.timestamp_ms, 1000)
        return datetime.fromtimestamp(seconds, UTC) + timedelta(milliseconds=milliseconds)

    @property
    def id(self) -> str:
        """The same for the same bytes, key and headers of the same topic, wherever they stood: a letter that
        is tried again and fails again is the same letter.
        """
        record = self.record
        parts = [record.topic.encode(), _optional(record.key), _optional(record.value)]
        for name, value in record.headers:
            parts += [name.encode(), value]
        digest = hashlib.sha256()
        for part in parts:
            digest.update(len(part).to_bytes(4, "big") + part)
        return "dl_" + base64.b32encode(digest.digest()).decode("ascii").lower()[:26]


MarkState = Literal["retried", "dropped"]


@dataclass(frozen=True)
class Mark:
    """What a person did with a letter that had been parked so many times: it counts until the letter is
    parked once more. Kept on the topic of the letters, so that it is known as long as they are.
    """

    letter_id: str
    state: MarkState
    attempts: int


_states: TypeAdapter[MarkState] = TypeAdapter(MarkState)


def mark_message(mark: Mark, number: int) -> Message:
    """The mark as a record for the letter's own partition, behind the letter."""
    return Message(
        topic=DEAD_LETTERS,
        key=mark.letter_id.encode(),
        value=b"",
        headers=((MARK, mark.state.encode()), (ATTEMPTS, str(mark.attempts).encode())),
        partition=number,
    )


def decode_letter(record: Record) -> Parked | Mark:
    """What stands in a record of `newsroom.dead-letters`. Raises: BadRecord for what is neither."""
    names = {name for name, _ in record.headers}
    return _read_mark(record) if names == {MARK, ATTEMPTS} else _read_letter(record)


def _read_mark(record: Record) -> Mark:
    try:
        return Mark(
            letter_id=_letter_ids.validate_python((record.key or b"").decode()),
            state=_states.validate_python(record.header(MARK)),
            attempts=int(record.header(ATTEMPTS) or ""),
        )
    except ValueError as error:
        raise BadRecord("a mark on the topic of dead letters says nothing of a letter") from error


def _optional(part: bytes | None) -> bytes:
    return b"" if part is None else b"=" + part


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
    whole = letter(cut, f"cut, the value had {size} bytes: {reason}", consumer)
    return replace(whole, headers=(*whole.headers, (CUT, b"1")))


def _read_letter(letter_record: Record) -> Parked:
    headers = list(letter_record.headers)
    added: dict[str, str] = {}
    while headers and headers[-1][0] in _ADDED and headers[-1][0] not in added:
        name, value = headers.pop()
        added[name] = value.decode(errors="replace")
    try:
        record = replace(
            letter_record,
            topic=added[TOPIC],
            partition=int(added[PARTITION]),
            offset=int(added[OFFSET]),
            headers=tuple(headers),
        )
    except (KeyError, ValueError) as error:
        raise BadRecord("a record on the topic of dead letters does not say where it stood") from error
    return Parked(
        record=record,
        reason=added.get(REASON, ""),
        consumer=added.get(CONSUMER, ""),
        is_cut=CUT in added,
        number=letter_record.partition,
        place=letter_record.offset,
    )


def bounded(reason: str) -> bytes:
    """The reason in UTF-8, cut between characters at `MAX_REASON_BYTES`."""
    return reason.encode(errors="replace")[:MAX_REASON_BYTES].decode(errors="ignore").encode()
