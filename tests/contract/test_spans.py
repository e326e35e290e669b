"""One suite for reading stretches of a log: in memory and from Kafka."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import pytest

from newsroom.kafka.fake import FakeSpans
from newsroom.kafka.spans import KafkaSpans, Spans
from newsroom.records import Message, TopicPartition
from newsroom.topics import TopicSpec
from tests.contract.edges import Edge, FakeEdge, KafkaEdge
from tests.running import RunningKafka


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.real)])
async def edge(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Edge, Spans]]:
    if request.param == "memory":
        fake = FakeEdge()
        yield fake, FakeSpans(fake.log, most=2)
        return
    kafka: RunningKafka = request.getfixturevalue("kafka")
    real = KafkaEdge(kafka.bootstrap)
    async with KafkaSpans(kafka.bootstrap, client_id="contract") as spans:
        yield real, spans
    await real.close()


async def _filled(edge: Edge, count: int) -> str:
    topic = f"spans.{secrets.token_hex(4)}"
    await edge.ensure_topics(TopicSpec(topic, 2))
    publisher = await edge.publisher()
    for number in range(count):
        text = str(number).encode()
        await publisher.publish(Message(topic, b"k", text, (("h", text),), partition=1))
    return topic


@pytest.mark.parametrize(("begin", "end"), [(0, 7), (2, 5), (6, 7), (3, 3), (7, 7)])
async def test_a_stretch_is_read_in_order_and_no_further(
    edge: tuple[Edge, Spans], begin: int, end: int
) -> None:
    log, spans = edge
    topic = await _filled(log, 7)
    read = [record async for part in spans.read(TopicPartition(topic, 1), begin, end) for record in part]
    assert [record.offset for record in read] == list(range(begin, end))
    assert [record.value for record in read] == [str(number).encode() for number in range(begin, end)]
    assert all(record.headers == (("h", record.value),) for record in read)


async def test_stretches_are_read_one_behind_the_other(edge: tuple[Edge, Spans]) -> None:
    """Also of partitions where nothing stands, and again."""
    log, spans = edge
    topic = await _filled(log, 3)
    for _ in range(2):
        assert [part async for part in spans.read(TopicPartition(topic, 0), 0, 0)] == []
        read = [part async for part in spans.read(TopicPartition(topic, 1), 0, 3)]
        assert sum(map(len, read)) == 3
