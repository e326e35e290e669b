"""A Kafka that is away: nobody listening, or somebody who takes the connection and never answers.

Nothing may hang.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import pytest

from newsroom.errors import Away, Misconfigured
from newsroom.kafka import cluster
from newsroom.kafka.producer import KafkaPublisher
from newsroom.kafka.reader import TopicReader
from newsroom.kafka.source import KafkaSource
from newsroom.records import Message, TopicPartition
from tests.contract.edges import Member, within


@pytest.fixture(params=["refused", "silent"])
async def bootstrap(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        if request.param == "silent":
            probe.listen(64)  # the kernel accepts; nobody reads
        yield f"127.0.0.1:{port}"


async def test_publishing_raises_away_within_its_time(bootstrap: str) -> None:
    publisher = KafkaPublisher(bootstrap, client_id="test", timeout_seconds=1.0)
    begun = time.monotonic()
    with pytest.raises(Away, match="kafka does not answer"):
        await publisher.start()
    with pytest.raises(Away, match="kafka does not answer"):
        await publisher.publish(Message("newsroom.events", b"k", b"v"))
    assert time.monotonic() - begun < 30
    assert not await publisher.is_reachable()
    await within(30, publisher.stop())


async def test_many_publications_at_once_all_end_in_time(bootstrap: str) -> None:
    publisher = KafkaPublisher(bootstrap, client_id="test", timeout_seconds=1.0)
    begun = time.monotonic()
    results = await asyncio.gather(
        *(publisher.publish(Message("newsroom.events", b"k", b"v")) for _ in range(20)),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [Away] * 20
    assert time.monotonic() - begun < 30
    await within(30, publisher.stop())


async def test_a_reader_waits_and_can_be_stopped(bootstrap: str) -> None:
    reader = TopicReader(bootstrap, "newsroom.keys", lambda _: None, client_id="test")
    running = asyncio.create_task(reader.run())
    assert not await reader.catch_up(0.3)
    assert not running.done()
    await within(30, reader.stop())
    await within(30, running)


async def test_a_member_says_that_it_cannot_start(bootstrap: str) -> None:
    source = KafkaSource(bootstrap, "newsroom.events", "group", client_id="test")
    with pytest.raises(Away):
        await within(30, Member(source).start())
    with pytest.raises(Away):
        await within(30, source.poll(0))
    assert source.owned == frozenset[TopicPartition]()
    await within(30, source.stop())


async def test_topics_cannot_be_made_more_durable_than_there_are_copies() -> None:
    with pytest.raises(Misconfigured, match="NEWSROOM_MIN_INSYNC=2"):
        await cluster.ensure_topics("127.0.0.1:1", replication=1, min_insync=2)


async def test_the_cluster_that_is_not_there_is_away() -> None:
    with pytest.raises(Away):
        await within(30, cluster.cluster_id("127.0.0.1:1"))
    with pytest.raises(Away):
        await within(30, cluster.end_offsets("127.0.0.1:1", "newsroom.events"))
    with pytest.raises(Away):
        await within(30, cluster.ensure_topics("127.0.0.1:1", replication=1, min_insync=1))
