"""Dead letters for tests: letters to file, and a database of them in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from newsroom import topics
from newsroom.kafka.dead_letters import Mark, Parked
from newsroom.records import Record
from newsroom.times import rfc3339
from services.store.dead_letters import After, DeadLetter, State, rank
from tests.store_parts import BEGINNING

EVENT_ID = "evt_" + "a" * 26
FIRST_MS = int(BEGINNING.timestamp() * 1000)


def a_parked(
    value: bytes | None = b"no json", *, offset: int = 7, at_ms: int = 0, **changes: object
) -> Parked:
    """A letter of an event; `at_ms`: when it was parked, after the beginning."""
    record = Record(
        topic=topics.EVENTS,
        partition=3,
        offset=offset,
        key=b"bank-siege",
        value=value,
        headers=(("ce_id", EVENT_ID.encode()), ("raw", b"\xff\x00")),
        timestamp_ms=FIRST_MS + at_ms,
    )
    parked = Parked(record, "no JSON", "store", is_cut=False, number=1, place=offset)
    return replace(parked, **changes)  # type: ignore[arg-type]


@dataclass
class _Kept:
    newest: Parked | None = None
    places: set[tuple[int, int]] = field(default_factory=set)
    mark: Mark | None = None


class FakeDeadLetters:
    """See `services.store.dead_letters.DeadLetters`."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    async def file(self, parked: Parked) -> None:
        kept = self._kept.setdefault(parked.id, _Kept())
        kept.places.add((parked.record.partition, parked.record.offset))
        if kept.newest is None or parked.time > kept.newest.time:
            kept.newest = parked

    async def mark(self, mark: Mark, at: datetime) -> None:  # noqa: ARG002
        kept = self._kept.setdefault(mark.letter_id, _Kept())
        if kept.mark is None or rank(mark) > rank(kept.mark):
            kept.mark = mark

    async def find(self, letter_id: str) -> DeadLetter | None:
        return _letter(self._kept.get(letter_id, _Kept()))

    async def newest(
        self, most: int, state: State | None = None, after: After | None = None
    ) -> list[DeadLetter]:
        letters = [letter for letter in map(_letter, self._kept.values()) if letter is not None]
        places = {(rfc3339(letter.time), letter.id): letter for letter in letters}
        return [
            _without_value(places[place])
            for place in sorted(places, reverse=True)
            if state in (None, places[place].state)
            and (after is None or place < (after.time, after.letter_id))
        ][:most]

    async def count_waiting(self) -> int:
        return len(await self.newest(1_000_000, "waiting"))


def _letter(kept: _Kept) -> DeadLetter | None:
    if kept.newest is None:
        return None
    attempts = len(kept.places)
    state: State = kept.mark.state if kept.mark and kept.mark.attempts >= attempts else "waiting"
    size = len(kept.newest.record.value or b"")
    return DeadLetter(kept.newest.id, state, attempts, size, kept.newest)


def _without_value(letter: DeadLetter) -> DeadLetter:
    return replace(letter, parked=replace(letter.parked, record=replace(letter.parked.record, value=None)))
