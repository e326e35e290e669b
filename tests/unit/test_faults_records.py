"""Which records a run writes again, and in which order."""

from __future__ import annotations

from random import Random

from faults.kinds.records import across, again, overtaken, picked
from newsroom.records import Record


def a_record(offset: int, key: str, partition: int = 0) -> Record:
    headers = (("ce_id", b"1"),)
    return Record("newsroom.updates", partition, offset, key.encode(), b"value", headers, 7)


def test_a_record_is_written_again_as_it_was_where_it_stood() -> None:
    message = again(a_record(3, "a", partition=5))
    assert (message.topic, message.partition) == ("newsroom.updates", 5)
    assert (message.key, message.value, tuple(message.headers)) == (b"a", b"value", (("ce_id", b"1"),))


def test_some_are_picked_in_the_order_in_which_they_stand() -> None:
    records = [a_record(offset, "a") for offset in range(20)]
    chosen = picked(records, 5, Random(1))
    assert len(chosen) == 5
    assert chosen == sorted(chosen, key=lambda record: record.offset)
    assert picked(records, 50, Random(1)) == records


def test_only_what_a_newer_one_of_its_key_stands_behind_is_overtaken() -> None:
    records = [a_record(0, "a"), a_record(1, "b"), a_record(2, "a"), a_record(0, "a", partition=1)]
    assert overtaken(records) == [records[0]]


def test_articles_change_places_and_the_records_of_one_do_not() -> None:
    records = [a_record(offset, key) for offset, key in enumerate("aabbccddee")]
    moved = across(records, Random(4))
    assert moved != records
    assert sorted(moved, key=lambda record: record.offset) == records
    for key in (b"a", b"b", b"c", b"d", b"e"):
        offsets = [record.offset for record in moved if record.key == key]
        assert offsets == sorted(offsets)
