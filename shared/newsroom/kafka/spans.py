"""Reading a known stretch of a partition, once and to its end: for copies of the log.

`KafkaSpans` is the real one; `newsroom.kafka.fake.FakeSpans` stands beside it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Protocol

from aiokafka import AIOKafkaConsumer  # type: ignore[import-untyped]
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]

from newsroom.errors import Away
from newsroom.kafka.closing import closed_within, stopped
from newsroom.kafka.connecting import arguments
from newsroom.kafka.source import FETCH_BYTES, to_record
from newsroom.records import Record, TopicPartition
from newsroom.servers import Bootstrap
from newsroom.topics import MAX_RECORD_BYTES

_CONNECT_SECONDS = 10.0
_CLOSE_SECONDS = 3.0
_POLL_MS = 500
_SILENCE_SECONDS = 20.0


class Spans(Protocol):
    """Reads stretches of a log."""

    def read(self, where: TopicPartition, begin: int, end: int) -> AsyncIterator[list[Record]]:
        """What stands from offset `begin` to before `end`, in order, some at a time. Raises: Away."""
        ...


class KafkaSpans:
    """Reads from Kafka, one stretch at a time. Use as a context manager."""

    def __init__(self, bootstrap: Bootstrap, *, client_id: str) -> None:
        self._client_id = client_id
        self._client = AIOKafkaConsumer(
            **arguments(bootstrap),
            client_id=client_id,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_bytes=FETCH_BYTES,
            max_partition_fetch_bytes=MAX_RECORD_BYTES,
        )

    async def __aenter__(self) -> KafkaSpans:
        """Raises: Away."""
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await self._client.start()
        except (KafkaError, OSError, TimeoutError) as error:
            await closed_within(stopped(self._client), _CLOSE_SECONDS, self._client_id)
            raise _away(error) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await closed_within(stopped(self._client), _CLOSE_SECONDS, self._client_id)

    async def read(self, where: TopicPartition, begin: int, end: int) -> AsyncIterator[list[Record]]:
        """The position moves on with what the client has taken, so it passes what compaction removed."""
        if begin >= end:
            return
        foreign = KafkaPartition(where.topic, where.partition)
        self._client.assign([foreign])
        self._client.seek(foreign, begin)
        position, moved_at = begin, time.monotonic()
        while position < end:
            try:
                async with asyncio.timeout(_SILENCE_SECONDS):
                    found = await self._client.getmany(foreign, timeout_ms=_POLL_MS)
                    before, position = position, await self._client.position(foreign)
            except (KafkaError, OSError, TimeoutError) as error:
                raise _away(error) from error
            records = [to_record(each) for each in found.get(foreign, ()) if each.offset < end]
            if records:
                yield records
            if position > before:
                moved_at = time.monotonic()
            elif time.monotonic() - moved_at > _SILENCE_SECONDS:
                raise Away("kafka", f"nothing of {where.topic}/{where.partition} came for 20 s")


def _away(error: Exception) -> Away:
    return Away("kafka", str(error) or type(error).__name__)
