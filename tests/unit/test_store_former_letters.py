"""What an empty database takes from the topic of dead letters before it reads the log again."""

from __future__ import annotations

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


async def test_a_log_that_is_away_is_said_so() -> None:
    log = FakeLog(topics.ALL)
    log.is_away = True
    with pytest.raises(Away):
        await letters_of(log)
