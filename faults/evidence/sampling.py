"""What the consumers have committed, asked all the time while they are disturbed, by a way around the
proxies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped]
from aiokafka.admin import AIOKafkaAdminClient  # type: ignore[import-untyped]
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]

from faults.history import History, Places, Sampled
from newsroom import topics

SECONDS = 0.1
"""Between two samples of a group."""
_REQUEST_MS = 3_000
_AGAIN_SECONDS = 0.5
EFFECTS = (topics.OUTCOMES, topics.DEAD_LETTERS, topics.EVENTS, topics.NOTICES)
READS: Mapping[Literal["store", "render"], str] = {"store": topics.EVENTS, "render": topics.UPDATES}
"""The topic whose commits are looked at."""


class Sampler:
    """Adds `Sampled` to a history until it is cancelled. While Kafka is away there is nothing to add."""

    def __init__(self, bootstrap: str, history: History) -> None:
        self._bootstrap, self._history = bootstrap, history

    async def run(self) -> None:
        while True:
            try:
                await self._sample_while_connected()
            except (KafkaError, OSError, TimeoutError):
                await asyncio.sleep(_AGAIN_SECONDS)

    async def _sample_while_connected(self) -> None:
        asked: dict[str, Any] = {"bootstrap_servers": self._bootstrap, "request_timeout_ms": _REQUEST_MS}
        admin = AIOKafkaAdminClient(**asked)
        consumer = AIOKafkaConsumer(*EFFECTS, **asked, enable_auto_commit=False, auto_offset_reset="none")
        try:
            await admin.start()
            await consumer.start()
            places = list(consumer.assignment())
            consumer.pause(*places)
            groups = groups_of_services(group for group, *_ in await admin.list_consumer_groups())
            while True:
                for service, group in groups.items():
                    self._history.add(await self._sample(service, group, admin, consumer, places))
                await asyncio.sleep(SECONDS)
        finally:
            await asyncio.gather(admin.close(), consumer.stop(), return_exceptions=True)

    async def _sample(
        self,
        service: Literal["store", "render"],
        group: str,
        admin: AIOKafkaAdminClient,
        consumer: AIOKafkaConsumer,
        places: list[TopicPartition],
    ) -> Sampled:
        """Commits before ends: whatever was committed by then, its effects stand below the ends."""
        committed = await admin.list_consumer_group_offsets(group)
        at = self._history.now()
        ends = await consumer.end_offsets(places)
        read = {place: offset.offset for place, offset in committed.items() if place.topic == READS[service]}
        return Sampled(service, at, _named(read), _named(ends))


def groups_of_services(groups: Iterable[str]) -> dict[Literal["store", "render"], str]:
    """The groups that read what is looked at; others of the same service have a further word in their names.

    Raises: TimeoutError as long as not all are there.
    """
    named = [group.partition("-") for group in groups]
    found = {
        each: f"{service}-{identity}"
        for each in READS
        for service, _, identity in named
        if service == each and identity.isalnum()
    }
    if len(found) < len(READS):
        raise TimeoutError(f"of the consumers' groups there are only {list(found)}")
    return found


def _named(offsets: Mapping[TopicPartition, int]) -> Places:
    """A group that has committed nothing has -1."""
    return {f"{place.topic}/{place.partition}": end for place, end in offsets.items() if end >= 0}
