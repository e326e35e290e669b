"""Reading a whole topic without a group: every process sees every record (keys, outcomes, notices).

`TopicReader` is the real one; `newsroom.kafka.fake.FakeReader` stands beside it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Literal, Protocol

import structlog
from aiokafka import AIOKafkaConsumer  # type: ignore[import-untyped]
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError  # type: ignore[import-untyped]

from newsroom.errors import Away
from newsroom.kafka.backoff import Backoff
from newsroom.kafka.closing import closed_within, stopped
from newsroom.kafka.cluster import EndOffsets
from newsroom.kafka.connecting import arguments
from newsroom.kafka.source import FETCH_BYTES, FETCH_WAIT_MS, to_record
from newsroom.records import Record, TopicPartition
from newsroom.servers import Bootstrap
from newsroom.telemetry import metrics
from newsroom.topics import MAX_RECORD_BYTES

log = structlog.get_logger(__name__)

_CONNECT_SECONDS = 10.0
_CLOSE_SECONDS = 3.0
_STOP_SECONDS = 1.0
_POLL_SECONDS = 0.75
_SILENCE_SECONDS = 20.0

Begin = Literal["beginning", "end"] | timedelta
"""Where to start: at the earliest record, after the last one, or with the records younger than that."""


class Reader(Protocol):
    """Reads one topic, all partitions, into a callback, until it is stopped."""

    @property
    def is_caught_up(self) -> bool:
        """True once it has read as far as the topic reached when it started."""
        ...

    async def run(self) -> None:
        """Read until `stop`, through outages. Raises: what the callback raises."""
        ...

    async def stop(self) -> None:
        """End `run`; bounded."""
        ...

    async def catch_up(self, timeout_seconds: float) -> bool:
        """Ask where the topic ends now and wait until read that far; False when that was not done in time."""
        ...


class _CallbackFailed(Exception):
    """Carries what the callback raised past the handling of outages."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class TopicReader:
    """Reads from Kafka. Each record comes once per run of the process, in offset order per partition.

    The callback judges bad records itself (`BadRecord` included): whatever it raises is a bug and ends
    `run`. The position moves on with what the client has taken, so it passes over what compaction removed.
    """

    def __init__(
        self,
        bootstrap: Bootstrap,
        topic: str,
        on_record: Callable[[Record], None],
        *,
        client_id: str,
        begin: Begin = "beginning",
    ) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._on_record = on_record
        self._client_id = client_id
        self._begin = begin
        self._ends = EndOffsets(bootstrap, topic)
        self._asking = asyncio.Lock()
        self._positions: dict[TopicPartition, int] = {}
        self._first_ends: dict[TopicPartition, int] | None = None
        self._is_caught_up = False
        self._moved = asyncio.Event()
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()
        self._ended.set()
        self._heard = (0, time.monotonic())
        self._backoff = Backoff()

    @property
    def is_caught_up(self) -> bool:
        return self._is_caught_up

    async def run(self) -> None:
        self._ended.clear()
        reading = asyncio.create_task(self._read_on(), name=f"read {self._topic}")
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({reading, stopping}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({reading}, timeout=_STOP_SECONDS)
        finally:
            reading.cancel()
            stopping.cancel()
            await asyncio.gather(reading, stopping, return_exceptions=True)
            await self._ends.close()
            self._ended.set()
        if not reading.cancelled() and (error := reading.exception()) is not None:
            raise error

    async def stop(self) -> None:
        self._stopping.set()
        await self._ended.wait()
        await self._ends.close()  # `catch_up` may have opened it where nothing runs

    async def _read_on(self) -> None:
        try:
            while not self._stopping.is_set():
                try:
                    await self._read()
                except (Away, KafkaError, OSError, TimeoutError) as error:
                    await self._wait_out(error)
        except _CallbackFailed as failed:
            raise failed.error from failed.error.__cause__

    async def catch_up(self, timeout_seconds: float) -> bool:
        try:
            async with asyncio.timeout(timeout_seconds):
                ends = await self._ask()
                while not self._has_read(ends):
                    await self._moved.wait()
        except (Away, TimeoutError):
            return False
        return True

    async def _ask(self) -> dict[TopicPartition, int]:
        async with self._asking:
            try:
                return await self._ends.ask()
            finally:
                if self._stopping.is_set():
                    await self._ends.close()

    async def _wait_out(self, error: Exception) -> None:
        delay = self._backoff.next_delay_seconds()
        metrics.outages.labels(dependency="kafka").inc()
        log.warning(
            "reader.away",
            topic=self._topic,
            reason=str(error) or type(error).__name__,
            tries=self._backoff.tries,
        )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._stopping.wait()

    async def _read(self) -> None:
        """One connection's life: connect, take up where the last one ended, read until something fails."""
        ends = await self._ask()
        if self._first_ends is None:
            self._first_ends = ends
        client = AIOKafkaConsumer(
            **arguments(self._bootstrap),
            client_id=self._client_id,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_min_bytes=1,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            fetch_max_bytes=FETCH_BYTES,
            max_partition_fetch_bytes=MAX_RECORD_BYTES,
        )
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await client.start()
                await self._take_up(client, ends)
            self._heard = (0, time.monotonic())
            while not self._stopping.is_set():
                await self._take(client)
        finally:
            await closed_within(stopped(client), _CLOSE_SECONDS, self._client_id)

    async def _take_up(self, client: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> None:
        new = {where: _foreign(where) for where in ends if where not in self._positions}
        if new:
            if self._begin == "beginning":
                found = await client.beginning_offsets(list(new.values()))
                self._positions |= {where: found[foreign] for where, foreign in new.items()}
            elif isinstance(self._begin, timedelta):
                since = time.time_ns() // 1_000_000 - int(self._begin.total_seconds() * 1000)
                times = await client.offsets_for_times(dict.fromkeys(new.values(), since))
                self._positions |= {
                    where: times[foreign].offset if times[foreign] else ends[where]
                    for where, foreign in new.items()
                }
            else:
                self._positions |= {where: ends[where] for where in new}
        client.assign([_foreign(where) for where in self._positions])
        for where, offset in self._positions.items():
            client.seek(_foreign(where), offset)
        self._tell_moved()

    async def _take(self, client: AIOKafkaConsumer) -> None:
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                found = await client.getmany(timeout_ms=int(_POLL_SECONDS * 1000))
        except OffsetOutOfRangeError as error:
            await self._begin_again(client, error.args[0])
            return
        for records in found.values():
            for record in records:
                self._deliver(to_record(record))
        for where in self._positions:
            self._positions[where] = await client.position(_foreign(where))
        self._backoff.reset()
        self._tell_moved()
        self._listen(client)

    def _deliver(self, record: Record) -> None:
        try:
            self._on_record(record)
        except Exception as error:
            raise _CallbackFailed(error) from error

    async def _begin_again(self, client: AIOKafkaConsumer, lost: Mapping[KafkaPartition, int]) -> None:
        """What we were to read next is no longer kept: go on with the earliest that is."""
        async with asyncio.timeout(_CONNECT_SECONDS):
            earliest = await client.beginning_offsets(list(lost))
        for where, offset in lost.items():
            log.warning(
                "reader.offset_out_of_range",
                topic=where.topic,
                partition=where.partition,
                offset=offset,
                reads_from=earliest[where],
            )
            client.seek(where, earliest[where])

    def _listen(self, client: AIOKafkaConsumer) -> None:
        """Raises:

        TimeoutError when no fetch was answered for long; its tasks may have died without telling.
        """
        newest = max(
            (client.last_poll_timestamp(_foreign(where)) or 0 for where in self._positions), default=0
        )
        if newest != self._heard[0]:
            self._heard = (newest, time.monotonic())
        elif time.monotonic() - self._heard[1] > _SILENCE_SECONDS:
            raise TimeoutError(f"no answer for {_SILENCE_SECONDS:.0f} s")

    def _tell_moved(self) -> None:
        if not self._is_caught_up and self._first_ends is not None:
            self._is_caught_up = self._has_read(self._first_ends)
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    def _has_read(self, ends: Mapping[TopicPartition, int]) -> bool:
        return all(self._positions.get(where, -1) >= end for where, end in ends.items())


def _foreign(where: TopicPartition) -> KafkaPartition:
    return KafkaPartition(where.topic, where.partition)
