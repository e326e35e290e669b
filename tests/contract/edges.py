"""The two edges the contract suite runs on:

Kafka itself, and the log in memory that stands in for it elsewhere.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from typing import Protocol

import pytest
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]

from newsroom.kafka import cluster
from newsroom.kafka.fake import FakeLog, FakePublisher, FakeReader, FakeSource
from newsroom.kafka.producer import KafkaPublisher, Publisher
from newsroom.kafka.reader import Begin, Reader, TopicReader
from newsroom.kafka.source import KafkaSource, Source
from newsroom.records import Message, Record, TopicPartition
from newsroom.topics import TopicSpec

PATIENCE_SECONDS = 120.0


class Edge(Protocol):
    """What a test needs of a log."""

    async def publisher(self) -> Publisher: ...
    async def write_of_old(self, message: Message, age: timedelta) -> None: ...
    def source(
        self,
        topic: str,
        group: str,
        *,
        start_offsets: Mapping[TopicPartition, int] | None = None,
        max_poll_records: int = 500,
    ) -> Source: ...
    def reader(
        self, topic: str, on_record: Callable[[Record], None], *, begin: Begin = "beginning"
    ) -> Reader: ...
    async def ensure_topics(self, *specs: TopicSpec) -> None: ...
    async def cluster_id(self) -> str: ...
    async def end_offsets(self, topic: str) -> dict[TopicPartition, int]: ...
    async def close(self) -> None: ...


class FakeEdge:
    """The log in memory."""

    def __init__(self) -> None:
        self.log = FakeLog(())

    async def publisher(self) -> Publisher:
        return FakePublisher(self.log)

    async def write_of_old(self, message: Message, age: timedelta) -> None:
        """The log's clock stands so far back while it is written."""
        moment = _ms_ago(age) * 1_000_000
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(time, "time_ns", lambda: moment)
            await self.log.append(message)

    def source(
        self,
        topic: str,
        group: str,
        *,
        start_offsets: Mapping[TopicPartition, int] | None = None,
        max_poll_records: int = 500,
    ) -> Source:
        return FakeSource(
            self.log, topic, group, start_offsets=start_offsets, max_poll_records=max_poll_records
        )

    def reader(
        self, topic: str, on_record: Callable[[Record], None], *, begin: Begin = "beginning"
    ) -> Reader:
        return FakeReader(self.log, topic, on_record, begin=begin)

    async def ensure_topics(self, *specs: TopicSpec) -> None:
        self.log.ensure_topics(specs)

    async def cluster_id(self) -> str:
        return self.log.cluster_id

    async def end_offsets(self, topic: str) -> dict[TopicPartition, int]:
        return self.log.end_offsets(topic)

    async def close(self) -> None:
        """Nothing to close."""


class KafkaEdge:
    """Kafka, as the services use it."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self._publishers: list[KafkaPublisher] = []

    async def publisher(self) -> Publisher:
        publisher = KafkaPublisher(self.bootstrap, client_id="contract")
        await publisher.start()
        self._publishers.append(publisher)
        return publisher

    async def write_of_old(self, message: Message, age: timedelta) -> None:
        """With a time that the services' publishers never give."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap)
        await producer.start()
        try:
            await producer.send_and_wait(
                message.topic, message.value, message.key, message.partition, _ms_ago(age)
            )
        finally:
            await producer.stop()

    def source(
        self,
        topic: str,
        group: str,
        *,
        start_offsets: Mapping[TopicPartition, int] | None = None,
        max_poll_records: int = 500,
    ) -> Source:
        return KafkaSource(
            self.bootstrap,
            topic,
            group,
            client_id="contract",
            start_offsets=start_offsets,
            max_poll_records=max_poll_records,
        )

    def reader(
        self, topic: str, on_record: Callable[[Record], None], *, begin: Begin = "beginning"
    ) -> Reader:
        return TopicReader(self.bootstrap, topic, on_record, client_id="contract", begin=begin)

    async def ensure_topics(self, *specs: TopicSpec) -> None:
        await cluster.ensure_topics(self.bootstrap, replication=1, min_insync=1, specs=specs)

    async def cluster_id(self) -> str:
        return await cluster.cluster_id(self.bootstrap)

    async def end_offsets(self, topic: str) -> dict[TopicPartition, int]:
        return await cluster.end_offsets(self.bootstrap, topic)

    async def close(self) -> None:
        for publisher in self._publishers:
            await publisher.stop()


class Member:
    """A member of a group that a test polls by hand. As a listener it does nothing at a rebalance."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.records: list[Record] = []

    async def revoked(self, partitions: frozenset[TopicPartition]) -> None:
        """Let them go."""

    async def assigned(self, partitions: frozenset[TopicPartition]) -> None:
        """Take them."""

    async def start(self) -> Member:
        await self.source.start(self)
        return self

    async def owning(self, count: int) -> Member:
        """Poll until that many partitions are owned."""
        await self._poll_until(lambda: len(self.source.owned) == count)
        return self

    async def take(self, count: int) -> list[str]:
        """Poll until that many records came in all; their texts so far."""
        await self._poll_until(lambda: len(self.records) >= count)
        return self.texts

    async def take_nothing(self, seconds: float) -> None:
        """Poll that long. Raises: AssertionError when a record comes."""
        until_moment = time.monotonic() + seconds
        while time.monotonic() < until_moment:
            polled = await self.source.poll(0.05)
            assert polled.records == ()

    @property
    def texts(self) -> list[str]:
        return texts(self.records)

    async def _poll_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"took {self.texts}, owns {self.source.owned}"
            polled = await self.source.poll(0.1)
            if polled.generation == self.source.generation:
                self.records += polled.records


def _ms_ago(age: timedelta) -> int:
    return time.time_ns() // 1_000_000 - int(age.total_seconds() * 1000)


def texts(records: Iterable[Record]) -> list[str]:
    return [(record.value or b"").decode(errors="replace") for record in records]


async def until(condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for the condition. Raises: TimeoutError."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the condition did not come about")
        await asyncio.sleep(0.01)


async def within(seconds: float, awaitable: Awaitable[object]) -> None:
    """Raises: TimeoutError when it takes longer."""
    async with asyncio.timeout(seconds):
        await awaitable
