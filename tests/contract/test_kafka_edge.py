"""What the newsroom relies on of its log, held for Kafka and for the log in memory alike."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from newsroom.errors import BadRecord, Invalid, Misconfigured
from newsroom.kafka import source
from newsroom.kafka.cluster import partition_for
from newsroom.kafka.consumer import Consumer, Delivery, LoopSettings
from newsroom.kafka.source import NotCommitted
from newsroom.records import Message, Record, TopicPartition
from newsroom.topics import ALL, DEAD_LETTERS, MAX_RECORD_BYTES, TopicSpec
from tests.contract.edges import Edge, FakeEdge, KafkaEdge, Member, texts, until, within

LETTERS = next(spec for spec in ALL if spec.name == DEAD_LETTERS)


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.real)])
async def edge(request: pytest.FixtureRequest) -> AsyncIterator[Edge]:
    chosen: Edge = (
        KafkaEdge(request.getfixturevalue("kafka").bootstrap) if request.param == "real" else FakeEdge()
    )
    yield chosen
    await chosen.close()


@pytest.fixture
def group() -> str:
    return f"group-{uuid.uuid4().hex}"


@pytest.fixture
async def topic(edge: Edge) -> str:
    """A topic of three partitions that no other test has."""
    spec = TopicSpec(f"topic-{uuid.uuid4().hex}", 3)
    await edge.ensure_topics(spec)
    return spec.name


async def write(edge: Edge, topic: str, *words: str, partition: int | None = 0, key: bytes = b"k") -> None:
    publisher = await edge.publisher()
    await publisher.publish_all([Message(topic, key, word.encode(), partition=partition) for word in words])


# --- writing


async def test_a_record_comes_back_as_it_was_written(edge: Edge, topic: str, group: str) -> None:
    publisher = await edge.publisher()
    headers = (("ce_id", b"1"), ("ce_id", b"2"), ("bytes", b"\x00\xff"), ("empty", b""))
    wrote = [
        Message(topic, "ключ".encode(), "🗞".encode(), headers, partition=0),
        Message(topic, b"k", None, partition=0),
        Message(topic, None, b"no key", partition=0),
        Message(topic, b"", b"", partition=0),
    ]
    positions = await publisher.publish_all(wrote)
    member = await Member(edge.source(topic, group)).start()
    await member.take(4)
    await member.source.stop()
    assert [(r.key, r.value, tuple(r.headers)) for r in member.records] == [
        (m.key, m.value, tuple(m.headers)) for m in wrote
    ]
    assert [(r.topic, r.partition, r.offset) for r in member.records] == [
        (p.topic, p.partition, p.offset) for p in positions
    ]
    assert all(r.timestamp_ms > 1_600_000_000_000 for r in member.records)


async def test_a_key_always_goes_to_the_partition_that_murmur2_gives(edge: Edge, topic: str) -> None:
    publisher = await edge.publisher()
    keys = [f"article-{number}".encode() for number in range(30)]
    positions = await publisher.publish_all([Message(topic, key, b"x") for key in keys * 2])
    assert [p.partition for p in positions] == [partition_for(key, 3) for key in keys * 2]
    assert {p.partition for p in positions} == {0, 1, 2}


async def test_a_record_that_names_its_partition_stands_there_whatever_its_key(
    edge: Edge, topic: str
) -> None:
    """So that an entry's record stands in the partition of its article, and before its article's record."""
    publisher = await edge.publisher()
    for article in (b"article-1", b"article-2", b"article-3"):
        there = partition_for(article, 3)
        entry = Message(topic, article + b"/entry", b"x", partition=there)
        positions = await publisher.publish_all([entry, Message(topic, article, b"x")])
        assert [p.partition for p in positions] == [there, there]
        assert positions[0].offset < positions[1].offset


def test_the_partition_of_a_key_is_that_of_every_kafka_client() -> None:
    """Numbers that Kafka's own Java client gives for these keys over 1000 partitions."""
    assert [partition_for(key, 1000) for key in (b"21", b"foobar", b"a-little-bit-long-string")] == [
        (-973932308 & 0x7FFFFFFF) % 1000,
        (-790332482 & 0x7FFFFFFF) % 1000,
        (-985981536 & 0x7FFFFFFF) % 1000,
    ]


async def test_records_of_one_partition_keep_the_order_given(edge: Edge, topic: str, group: str) -> None:
    words = [f"{number:04d}" for number in range(2000)]
    await write(edge, topic, *words)
    member = await Member(edge.source(topic, group)).start()
    assert await member.take(2000) == words
    await member.source.stop()


async def test_a_record_larger_than_any_topic_takes_is_refused(edge: Edge, topic: str) -> None:
    publisher = await edge.publisher()
    with pytest.raises(Invalid, match=str(MAX_RECORD_BYTES)):
        await publisher.publish(Message(topic, b"k", bytes(MAX_RECORD_BYTES)))
    with pytest.raises(Invalid, match="neither key nor value"):
        await publisher.publish(Message(topic, None, None))


async def test_the_largest_record_passes_through(edge: Edge, topic: str, group: str) -> None:
    noise = os.urandom(MAX_RECORD_BYTES - 100)  # does not compress
    publisher = await edge.publisher()
    await publisher.publish(Message(topic, b"k", noise, partition=0))
    await publisher.publish(Message(topic, b"k", b"after", partition=0))
    member = await Member(edge.source(topic, group)).start()
    await member.take(2)
    await member.source.stop()
    assert [record.value for record in member.records] == [noise, b"after"]


# --- a group's members


async def test_what_comes_after_records_that_waited_to_be_taken_is_not_held_up(
    edge: Edge, topic: str, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a question about the other partitions, to which there is no answer for long."""
    monkeypatch.setattr(source, "FETCH_WAIT_MS", 30_000)
    member = await Member(edge.source(topic, group)).start()
    await write(edge, topic, "a")
    await member.take(1)
    await write(edge, topic, "b")
    await asyncio.sleep(0.5)  # as long as a batch is in hand
    await member.take(2)
    await write(edge, topic, "c")
    await within(15, member.take(3))
    assert member.texts == ["a", "b", "c"]
    await member.source.stop()


async def test_what_was_not_committed_comes_again_after_a_restart(edge: Edge, topic: str, group: str) -> None:
    await write(edge, topic, "a", "b", "c")
    first = await Member(edge.source(topic, group)).start()
    await first.take(3)
    await first.source.commit({TopicPartition(topic, 0): 1})
    await first.source.stop()
    second = await Member(edge.source(topic, group)).start()
    assert await second.take(2) == ["b", "c"]
    await second.source.stop()


async def test_what_was_committed_does_not_come_again(edge: Edge, topic: str, group: str) -> None:
    await write(edge, topic, "a", "b")
    first = await Member(edge.source(topic, group)).start()
    await first.take(2)
    await first.source.commit({TopicPartition(topic, 0): 2})
    await first.source.stop()
    second = await (await Member(edge.source(topic, group)).start()).owning(3)
    await second.take_nothing(0.5)
    await write(edge, topic, "c")
    assert await second.take(1) == ["c"]
    await second.source.stop()


async def test_a_partition_starts_where_it_is_told_unless_it_was_committed(
    edge: Edge, topic: str, group: str
) -> None:
    for partition in range(3):
        await write(edge, topic, *(f"{partition}{word}" for word in "abc"), partition=partition)
    first = await (await Member(edge.source(topic, group)).start()).owning(3)
    await first.source.commit({TopicPartition(topic, 0): 1})
    await first.source.stop()
    starts = {TopicPartition(topic, 0): 2, TopicPartition(topic, 1): 2}
    second = await Member(edge.source(topic, group, start_offsets=starts)).start()
    assert sorted(await second.take(6)) == ["0b", "0c", "1c", "2a", "2b", "2c"]
    await second.source.stop()


async def test_an_offset_out_of_range_leads_to_the_earliest_never_to_the_latest(
    edge: Edge, topic: str, group: str
) -> None:
    await write(edge, topic, "a", "b")
    first = await (await Member(edge.source(topic, group)).start()).owning(3)
    await first.source.commit({TopicPartition(topic, 0): 1000})
    await first.source.stop()
    second = await Member(edge.source(topic, group)).start()
    assert await second.take(2) == ["a", "b"]
    await second.source.stop()


async def test_a_poll_takes_no_more_than_it_may_and_skips_nothing(edge: Edge, topic: str, group: str) -> None:
    words = [f"{number:02d}" for number in range(25)]
    await write(edge, topic, *words)
    member = await Member(edge.source(topic, group, max_poll_records=10)).start()
    sizes: list[int] = []
    while len(member.records) < 25:
        before = len(member.records)
        await member.take(before + 1)
        sizes.append(len(member.records) - before)
    await member.source.stop()
    assert max(sizes) == 10
    assert member.texts == words


async def test_lag_is_what_no_poll_has_taken_yet(edge: Edge, topic: str, group: str) -> None:
    member = await (await Member(edge.source(topic, group, max_poll_records=4)).start()).owning(3)
    await write(edge, topic, *"abcdefghij")
    await member.take(1)
    assert member.source.lag == 6
    await member.take(10)
    assert member.source.lag == 0
    await member.source.stop()
    assert member.source.lag == 0


async def test_a_paused_member_takes_nothing_and_misses_nothing(edge: Edge, topic: str, group: str) -> None:
    member = await (await Member(edge.source(topic, group)).start()).owning(3)
    await write(edge, topic, "a")
    await member.take(1)
    member.source.pause()
    await write(edge, topic, "b")
    await member.take_nothing(0.5)
    member.source.resume()
    assert await member.take(2) == ["a", "b"]
    await member.source.stop()


async def test_a_second_member_gets_its_share_and_the_first_may_not_commit_for_it(
    edge: Edge, topic: str, group: str
) -> None:
    first = await (await Member(edge.source(topic, group)).start()).owning(3)
    second = Member(edge.source(topic, group))
    generation = first.source.generation
    await second.start()
    async with asyncio.TaskGroup() as both:
        both.create_task(within(30, _owning_some(first, 1, 2)))
        both.create_task(within(30, _owning_some(second, 1, 2)))
    assert first.source.owned.isdisjoint(second.source.owned)
    assert len(first.source.owned | second.source.owned) == 3
    assert first.source.generation > generation
    with pytest.raises(NotCommitted):
        await first.source.commit(dict.fromkeys(second.source.owned, 0))
    await first.source.stop()
    await second.owning(3)
    await second.source.stop()


async def _owning_some(member: Member, least: int, most: int) -> None:
    while not least <= len(member.source.owned) <= most:
        await member.source.poll(0.1)


async def test_a_member_of_a_topic_without_records_for_it_waits(edge: Edge, topic: str, group: str) -> None:
    """More members than partitions: the fourth owns nothing and takes nothing."""
    members = [await Member(edge.source(topic, group)).start() for _ in range(4)]

    async def settle(member: Member) -> None:
        while sum(len(other.source.owned) for other in members) != 3 or any(
            len(other.source.owned) > 1 for other in members
        ):
            await member.source.poll(0.1)

    async with asyncio.TaskGroup() as all_of_them:
        for member in members:
            all_of_them.create_task(within(60, settle(member)))
    assert sorted(len(member.source.owned) for member in members) == [0, 1, 1, 1]
    await asyncio.gather(*(member.source.stop() for member in members))


# --- the loop on the log


async def test_a_rebalance_hands_partitions_over_and_nothing_is_lost(
    edge: Edge, topic: str, group: str
) -> None:
    await edge.ensure_topics(LETTERS)
    publisher = await edge.publisher()
    handled: dict[bytes, list[int]] = {}

    def decode(record: Record) -> int:
        if record.value == b"bad":
            raise BadRecord("no number")
        return int(record.value or b"")

    async def handle(batch: Sequence[Delivery[int]]) -> None:
        await asyncio.sleep(0.01)
        for delivery in batch:
            handled.setdefault(delivery.record.key or b"", []).append(delivery.item)

    def loop(name: str) -> Consumer[int]:
        source = edge.source(topic, group, max_poll_records=20)
        settings = LoopSettings(poll_seconds=0.1, commit_interval_seconds=0.1)
        return Consumer(source, publisher, name=name, decode=decode, handle=handle, settings=settings)

    async def write_numbers() -> None:
        for number in range(100):
            await publisher.publish_all([Message(topic, key, str(number).encode()) for key in keys])
            await publisher.publish(Message(topic, keys[0], b"bad"))
            await asyncio.sleep(0.02)

    keys = [f"key-{number}".encode() for number in range(6)]
    first, second = loop("first"), loop("second")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(first.run())
        writing = tasks.create_task(write_numbers())
        await until(lambda: len(handled) == 6)
        tasks.create_task(second.run())
        await until(lambda: all(99 in handled.get(key, ()) for key in keys[:1]) or writing.done())
        await first.stop()
        await until(lambda: all(99 in handled[key] for key in keys))
        await second.stop()
    for numbers in handled.values():
        assert list(dict.fromkeys(numbers)) == list(range(100))  # first appearances: all there, and in order
    assert first.progress.dead_letters + second.progress.dead_letters >= 100


# --- reading without a group


async def test_a_reader_sees_everything_from_the_beginning_and_goes_on(edge: Edge, topic: str) -> None:
    await write(edge, topic, "a", "b")
    await write(edge, topic, "c", partition=2)
    seen: list[Record] = []
    reader = edge.reader(topic, seen.append)
    running = asyncio.create_task(reader.run())
    await until(lambda: reader.is_caught_up)
    assert sorted(texts(seen)) == ["a", "b", "c"]
    await write(edge, topic, "d", partition=1)
    await until(lambda: len(seen) == 4)
    await reader.stop()
    await within(30, running)


async def test_after_catching_up_a_reader_has_seen_what_was_acknowledged_before(
    edge: Edge, topic: str
) -> None:
    seen: list[Record] = []
    reader = edge.reader(topic, seen.append)
    running = asyncio.create_task(reader.run())
    publisher = await edge.publisher()
    for number in range(20):
        await publisher.publish(Message(topic, str(number).encode(), str(number).encode()))
        assert await reader.catch_up(60)
        assert len(seen) == number + 1
    await reader.stop()
    await within(30, running)


async def test_a_reader_that_does_not_run_does_not_catch_up(edge: Edge, topic: str) -> None:
    await write(edge, topic, "a")
    reader = edge.reader(topic, lambda _: None)
    assert not reader.is_caught_up
    assert not await reader.catch_up(0.3)
    await reader.stop()


async def test_a_reader_from_the_end_sees_only_what_comes(edge: Edge, topic: str) -> None:
    await write(edge, topic, "old")
    seen: list[Record] = []
    reader = edge.reader(topic, seen.append, begin="end")
    running = asyncio.create_task(reader.run())
    await until(lambda: reader.is_caught_up)
    await write(edge, topic, "new")
    assert await reader.catch_up(60)
    assert texts(seen) == ["new"]
    await reader.stop()
    await within(30, running)


async def test_a_reader_of_the_recent_past_sees_only_that(edge: Edge, topic: str) -> None:
    await edge.write_of_old(Message(topic, b"k", b"old", partition=0), timedelta(hours=1))
    await write(edge, topic, "new")
    seen: list[Record] = []
    reader = edge.reader(topic, seen.append, begin=timedelta(minutes=30))
    running = asyncio.create_task(reader.run())
    assert await reader.catch_up(60)
    assert texts(seen) == ["new"]
    await reader.stop()
    await within(30, running)


async def test_a_bug_in_the_callback_ends_the_run_with_it(edge: Edge, topic: str) -> None:
    await write(edge, topic, "a")

    def stumble(_: Record) -> None:
        raise OSError("a bug, not an outage")

    reader = edge.reader(topic, stumble)
    with pytest.raises(OSError, match="a bug, not an outage"):
        await within(30, reader.run())
    await reader.stop()


# --- the cluster


async def test_the_cluster_has_an_id_that_stays(edge: Edge) -> None:
    first = await edge.cluster_id()
    assert len(first) == 22
    assert await edge.cluster_id() == first


async def test_end_offsets_are_the_next_to_be_written(edge: Edge, topic: str) -> None:
    await write(edge, topic, "a", "b", partition=1)
    ends = await edge.end_offsets(topic)
    assert ends == {TopicPartition(topic, partition): 2 * (partition == 1) for partition in range(3)}


async def test_topics_are_made_once_however_many_ask(edge: Edge) -> None:
    names = [f"topic-{uuid.uuid4().hex}" for _ in range(2)]
    specs = [TopicSpec(names[0], 2), TopicSpec(names[1], 1, compacted=True)]
    await asyncio.gather(*(edge.ensure_topics(*specs) for _ in range(4)))
    await edge.ensure_topics(*specs)
    assert len(await edge.end_offsets(names[0])) == 2


async def test_a_topic_that_stands_otherwise_refuses_the_start(edge: Edge) -> None:
    spec = TopicSpec(f"topic-{uuid.uuid4().hex}", 2, retention_ms=3_600_000)
    await edge.ensure_topics(spec)
    others = (replace(spec, partitions=3), replace(spec, compacted=True), replace(spec, retention_ms=-1))
    for other in others:
        with pytest.raises(Misconfigured, match=spec.name) as refusal:
            await edge.ensure_topics(other)
        assert "\n" not in str(refusal.value)
