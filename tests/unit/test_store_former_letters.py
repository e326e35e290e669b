"""What an empty database takes from the topic of dead letters before it reads the log again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from newsroom import topics
from newsroom.errors import Away
from newsroom.kafka.dead_letters import Mark, letter, mark_message
from newsroom.kafka.fake import FakeLog, FakePublisher, FakeReader
from newsroom.records import Message, Record
from services.store.formerletters import FormerLetters


def a_record(offset: int, topic: str = topics.EVENTS) -> Record:
    return Record(topic, 3, offset, b"a", b"?", (), 0)


async def letters_of(log: FakeLog) -> FormerLetters:
    former = FormerLetters()
    await former.read(lambda on_record: FakeReader(log, topics.DEAD_LETTERS, on_record))
    return former


async def test_knows_the_places_of_what_was_parked_and_no_others() -> None:
    log = FakeLog(topics.ALL)
    await FakePublisher(log).publish_all(
        [
            letter(a_record(7), "no event", "store"),
            Message(topics.DEAD_LETTERS, b"?", b"nothing of ours"),
            mark_message(Mark("dl_" + "a" * 26, "dropped", 1), 0),
        ]
    )
    former = await letters_of(log)
    assert former.has(a_record(7))
    assert not former.has(a_record(8))
    assert not former.has(a_record(7, topics.UPDATES))


async def test_a_topic_without_letters_is_read_at_once() -> None:
    assert not (await letters_of(FakeLog(topics.ALL))).has(a_record(0))


class SlowReader(FakeReader):
    """Gets one record further in the time that is given."""

    _is_complete = True

    def __init__(self, on_record: Callable[[Record], None], records: list[Record]) -> None:
        super().__init__(FakeLog(topics.ALL), topics.DEAD_LETTERS, on_record)
        self._feed, self._left = on_record, records

    async def catch_up(self, timeout_seconds: float) -> bool:  # noqa: ARG002
        await asyncio.sleep(0)
        if self._left:
            self._feed(self._left.pop(0))
            return False
        return self._is_complete


class BrokenReader(SlowReader):
    """Comes to no end."""

    _is_complete = False


def letters(*offsets: int) -> list[Record]:
    """Of the records at these places, as they stand on the topic."""
    told = [letter(a_record(offset), "no event", "store") for offset in offsets]
    return [
        Record(topics.DEAD_LETTERS, 0, place, each.key, each.value, each.headers, 0)
        for place, each in enumerate(told)
    ]


async def test_many_letters_are_read_to_their_end_however_long_it_takes() -> None:
    former = FormerLetters()
    await former.read(lambda on_record: SlowReader(on_record, letters(1, 2, 3)))
    assert [former.has(a_record(offset)) for offset in (1, 2, 3, 4)] == [True, True, True, False]


async def test_letters_of_which_no_more_come_are_said_to_be_away() -> None:
    with pytest.raises(Away):
        await FormerLetters().read(lambda on_record: BrokenReader(on_record, letters(1, 2)))


async def test_a_log_that_is_away_is_said_so() -> None:
    log = FakeLog(topics.ALL)
    log.is_away = True
    with pytest.raises(Away):
        await letters_of(log)
