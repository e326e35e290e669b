"""The three kinds of failure of the loop: bad records, dependencies that are away, bugs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from newsroom.errors import Away
from newsroom.kafka.consumer import Delivery, Poisoned, TooManyDeadLetters
from newsroom.records import Message, Record, TopicPartition
from newsroom.topics import MAX_RECORD_BYTES
from tests.unit.loops import P0, P1, TOPIC, Loop, a_log, but, until, write


def raising(times: int, error: Callable[[], Exception]) -> Callable[..., None]:
    """Raises that many times, then never again."""
    left = [times]

    def disturb(*_: object) -> None:
        if left[0] > 0:
            left[0] -= 1
            raise error()

    return disturb


async def test_records_are_handled_in_log_order_and_committed_after() -> None:
    loop = Loop(a_log())
    await write(loop.log, "a1", "a2", "a3")
    await write(loop.log, "b1", partition=1)
    async with loop.running():
        await until(lambda: loop.committed == {P0: 3, P1: 1})
    assert [text for text in loop.handled if text.startswith("a")] == ["a1", "a2", "a3"]
    assert sorted(loop.handled) == ["a1", "a2", "a3", "b1"]


async def test_a_bad_record_neither_holds_back_nor_reorders_the_others() -> None:
    loop = Loop(a_log())
    await write(loop.log, "a1", "bad 1", "a2", "bad 2", "a3")
    async with loop.running():
        await until(lambda: loop.committed == {P0: 5})
    assert loop.handled == ["a1", "a2", "a3"]
    assert loop.told == [(1, "bad 1 makes no sense"), (3, "bad 2 makes no sense")]
    assert loop.consumer.progress.dead_letters == 2


async def test_a_dead_letter_keeps_key_bytes_and_headers_and_says_where_and_why() -> None:
    loop = Loop(a_log())
    record = Message(TOPIC, b"key", b"bad \xf0\x9f\x97\x9e", (("a", b"\x00\xff"), ("a", b"2")), partition=2)
    await loop.log.append(record)
    async with loop.running():
        await until(lambda: loop.told)
    (letter,) = loop.letters
    assert (letter.key, letter.value) == (record.key, record.value)
    assert letter.headers == (
        ("a", b"\x00\xff"),
        ("a", b"2"),
        ("dead_topic", b"stories"),
        ("dead_partition", b"2"),
        ("dead_offset", b"0"),
        ("dead_reason", "bad 🗞 makes no sense".encode()),
        ("dead_consumer", b"test"),
    )


async def test_a_long_reason_is_cut_between_characters() -> None:
    loop = Loop(a_log())
    await write(loop.log, "bad " + "ж" * 5000)
    async with loop.running():
        await until(lambda: loop.letters)
    reason = loop.letters[0].header("dead_reason")
    assert reason is not None
    assert 990 < len(reason.encode()) <= 1000
    assert reason.endswith("ж")


async def test_a_record_with_neither_key_nor_value_can_be_parked() -> None:
    loop = Loop(a_log())
    await loop.log.append(Message(TOPIC, None, None, partition=0))
    await write(loop.log, "a1")

    def refuse(batch: Sequence[Delivery[str]]) -> None:
        for delivery in batch:
            if delivery.record.key is None:
                raise Poisoned(delivery.record, "no key")

    loop.before = refuse
    async with loop.running():
        await until(lambda: loop.committed == {P0: 2})
    assert [letter.header("dead_reason") for letter in loop.letters] == ["no key"]
    assert loop.handled == ["a1"]


async def test_a_poisoned_record_is_parked_and_the_rest_handled_again() -> None:
    loop = Loop(a_log())
    await write(loop.log, "a1", "poison", "a2")

    def refuse(batch: Sequence[Delivery[str]]) -> None:
        for delivery in batch:
            if delivery.item == "poison":
                raise Poisoned(delivery.record, "cannot be stored")

    loop.before = refuse
    async with loop.running():
        await until(lambda: loop.committed == {P0: 3})
    assert loop.batches == [("a1", "poison", "a2"), ("a1", "a2")]
    assert loop.told == [(1, "cannot be stored")]
    assert [letter.value for letter in loop.letters] == [b"poison"]


async def test_poisoning_a_record_of_another_batch_is_a_bug() -> None:
    loop = Loop(a_log())
    await write(loop.log, "a1")
    stranger = Record(TOPIC, 0, 77, b"k", b"x", (), 0)
    loop.before = raising(1, lambda: Poisoned(stranger, "?"))
    async with loop.running() as task:
        assert isinstance(await loop.end(task), ValueError)
    assert loop.committed == {}


async def test_an_outage_in_the_handler_repeats_the_same_batch_and_loses_nothing() -> None:
    loop = Loop(a_log())
    await write(loop.log, "a1", "a2")
    loop.before = raising(4, lambda: Away("mongodb"))
    async with loop.running():
        await until(lambda: loop.committed == {P0: 2})
        await write(loop.log, "a3")
        await until(lambda: loop.committed == {P0: 3})
    assert loop.batches == [("a1", "a2")] * 5 + [("a3",)]
    assert loop.handled == ["a1", "a2", "a3"]
    assert loop.letters == []


async def test_an_outage_of_the_log_does_not_lose_a_dead_letter() -> None:
    loop = Loop(a_log())
    loop.publisher.lose_next = 1
    await write(loop.log, "bad 1", "a1")
    async with loop.running():
        await until(lambda: loop.committed == {P0: 2})
    assert [letter.value for letter in loop.letters] == [b"bad 1", b"bad 1"]
    assert loop.told == [(0, "bad 1 makes no sense")]
    assert loop.handled == ["a1"]


async def test_an_outage_while_telling_of_a_letter_does_not_write_it_again() -> None:
    loop = Loop(a_log())
    loop.before_telling = raising(3, lambda: Away("mongodb"))
    await write(loop.log, "bad 1")
    async with loop.running():
        await until(lambda: loop.committed == {P0: 1})
    assert len(loop.letters) == 1
    assert loop.told == [(0, "bad 1 makes no sense")]


async def test_a_letter_is_written_before_it_is_told_of_and_both_before_the_commit() -> None:
    loop = Loop(a_log())
    seen: list[tuple[int, dict[TopicPartition, int]]] = []
    loop.before_telling = lambda _: seen.append((len(loop.letters), dict(loop.committed)))
    await write(loop.log, "bad 1")
    async with loop.running():
        await until(lambda: loop.committed == {P0: 1})
    assert seen == [(1, {})]


async def test_a_log_that_is_away_at_the_start_is_waited_for() -> None:
    loop = Loop(a_log())
    await write(loop.log, "a1")
    loop.log.go_away()
    async with loop.running() as task:
        await until(lambda: loop.consumer.progress.seconds_since < 1 and not task.done())
        await loop.log.come_back()
        await until(lambda: loop.committed == {P0: 1})


async def test_a_bug_in_the_handler_ends_the_run_without_committing_the_batch() -> None:
    loop = Loop(a_log(), max_poll_records=1)
    await write(loop.log, "a1", "a2")

    def break_on_second(batch: Sequence[Delivery[str]]) -> None:
        if batch[0].item == "a2":
            raise ZeroDivisionError("bug")

    loop.before = break_on_second
    async with loop.running() as task:
        assert isinstance(await loop.end(task), ZeroDivisionError)
    assert loop.committed == {P0: 1}
    assert loop.letters == []
    assert loop.source.owned == frozenset()


async def test_a_bug_while_telling_of_a_letter_ends_the_run_without_committing() -> None:
    loop = Loop(a_log())
    loop.before_telling = raising(1, lambda: KeyError("bug"))
    await write(loop.log, "bad 1")
    async with loop.running() as task:
        assert isinstance(await loop.end(task), KeyError)
    assert loop.committed == {}


async def test_a_record_larger_than_any_may_be_is_parked_whatever_it_says() -> None:
    """What was made of it would fit nowhere further down; of the letter only the beginning is kept."""
    loop = Loop(a_log())
    await write(loop.log, "a" * MAX_RECORD_BYTES, "b")
    async with loop.running():
        await until(lambda: loop.committed == {P0: 2})
    assert loop.handled == ["b"]
    assert f"has {MAX_RECORD_BYTES + 1} bytes" in (loop.letters[0].header("dead_reason") or "")


async def test_too_many_dead_letters_in_a_row_stop_the_loop_and_say_what_to_do() -> None:
    loop = Loop(a_log(), settings=but(dead_letters_in_row=3))
    await write(loop.log, "bad 1", "bad 2", "a1", "bad 3", "bad 4", "bad 5")
    async with loop.running() as task:
        await until(lambda: loop.committed == {P0: 6})
        await write(loop.log, "bad 6")
        error = await loop.end(task)
    assert isinstance(error, TooManyDeadLetters)
    assert "more than 3 records in a row of stories" in str(error)
    assert "start again" in str(error)
    assert loop.committed == {P0: 6}
    assert len(loop.letters) == 5


async def test_a_good_record_between_ends_the_row() -> None:
    loop = Loop(a_log(), settings=but(dead_letters_in_row=1), max_poll_records=1)
    await write(loop.log, "bad 1", "a1", "bad 2", "a2", "bad 3")
    async with loop.running():
        await until(lambda: loop.committed == {P0: 5})
    assert len(loop.letters) == 3


async def test_what_was_parked_before_is_parked_again_and_counts_in_no_row() -> None:
    loop = Loop(a_log(), settings=but(dead_letters_in_row=2))
    loop.parked_before = lambda record: record.offset < 5
    await write(loop.log, *(f"bad {number}" for number in range(7)), "a1")
    async with loop.running():
        await until(lambda: loop.committed == {P0: 8})
    assert len(loop.letters) == 7


async def test_what_was_parked_before_ends_no_row_either() -> None:
    loop = Loop(a_log(), settings=but(dead_letters_in_row=2))
    loop.parked_before = lambda record: record.offset == 2
    await write(loop.log, "bad 0", "bad 1", "bad 2", "bad 3")
    async with loop.running() as task:
        assert isinstance(await loop.end(task), TooManyDeadLetters)


async def test_poisoned_records_count_in_the_row() -> None:
    loop = Loop(a_log(), settings=but(dead_letters_in_row=2))
    await write(loop.log, "a1", "a2", "a3")

    def refuse_all(batch: Sequence[Delivery[str]]) -> None:
        raise Poisoned(batch[0].record, "never")

    loop.before = refuse_all
    async with loop.running() as task:
        assert isinstance(await loop.end(task), TooManyDeadLetters)
    assert loop.committed == {}
    assert len(loop.letters) == 2
    assert loop.committed.get(P1) is None
