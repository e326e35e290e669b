"""Bad records are bad: each is refused where it is decoded, and by nothing worse than that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

import pytest

from faults.kinds.badrecords import (
    OVERSIZE_BYTES,
    TYPES,
    in_parts,
    not_json,
    of_unknown_type,
    oversize,
    scattered,
)
from newsroom import topics
from newsroom.errors import BadRecord
from newsroom.events import decode_event
from newsroom.keys import decode_key
from newsroom.listings import decode_mark
from newsroom.notices import decode_notice
from newsroom.outcomes import decode_outcome
from newsroom.records import Message, Record
from newsroom.updates import decode_update

DECODERS: Mapping[str, Callable[[Record], object]] = {
    topics.EVENTS: decode_event,
    topics.UPDATES: decode_update,
    topics.LISTINGS: decode_mark,
    topics.OUTCOMES: decode_outcome,
    topics.NOTICES: decode_notice,
    topics.KEYS: decode_key,
}


def as_read(message: Message) -> Record:
    return Record(message.topic, 0, 0, message.key, message.value, tuple(message.headers), 0)


@pytest.mark.parametrize("topic", TYPES)
@pytest.mark.parametrize("make", [not_json, of_unknown_type])
def test_each_is_a_bad_record_to_its_reader(make: Callable[[str, Random], Message], topic: str) -> None:
    for seed in range(100):
        record = as_read(make(topic, Random(seed)))
        with pytest.raises(BadRecord):
            DECODERS[topic](record)


@pytest.mark.parametrize("make", [not_json, of_unknown_type])
def test_the_same_dice_make_the_same_record(make: Callable[[str, Random], Message]) -> None:
    assert make(topics.EVENTS, Random(7)) == make(topics.EVENTS, Random(7))


def test_the_large_one_is_larger_than_any_record_may_be() -> None:
    value = oversize(topics.EVENTS, Random(1)).value
    assert value is not None
    assert len(value) > OVERSIZE_BYTES > topics.MAX_RECORD_BYTES


def test_they_come_for_every_topic_and_a_few_at_a_time() -> None:
    made = scattered(not_json, [topics.EVENTS, topics.UPDATES], 5, Random(3))
    assert sorted(message.topic for message in made) == [topics.EVENTS] * 5 + [topics.UPDATES] * 5
    parts = list(in_parts(made, 4))
    assert [len(part) for part in parts] == [4, 4, 2]
    assert [message for part in parts for message in part] == made
