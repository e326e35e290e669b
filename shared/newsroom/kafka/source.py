"""Where the loop gets its records: a member of a consumer group on one topic (DESIGN §6).

`Source` is what `newsroom.kafka.consumer.Consumer` needs of a client; `KafkaSource` is the real one, over
aiokafka, and `newsroom.kafka.fake.FakeSource` stands beside it. Bytes come in and bytes go out: nothing is
decoded here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener  # type: ignore[import-untyped]
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.coordinator.assignors.roundrobin import (  # type: ignore[import-untyped]
    RoundRobinPartitionAssignor,
)
from aiokafka.errors import (  # type: ignore[import-untyped]
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)
from aiokafka.structs import ConsumerRecord  # type: ignore[import-untyped]

from newsroom.errors import Away
from newsroom.kafka.closing import closed_within, stopped
from newsroom.kafka.connecting import arguments
from newsroom.records import Record, TopicPartition
from newsroom.servers import Bootstrap
from newsroom.telemetry import metrics
from newsroom.topics import MAX_RECORD_BYTES

log = structlog.get_logger(__name__)

REBALANCE_SECONDS = 30.0
"""How long the group waits for a member in a rebalance: longer than the loop waits for its batch in
flight.
"""

REQUEST_SECONDS = 35.0
"""Longer than a rebalance, because joining a group is one request that lasts as long."""

FETCH_WAIT_MS = 2000
"""How long a broker holds a question that has no answer yet: each one that ends so costs a little at rest."""
FETCH_BYTES = 4 * MAX_RECORD_BYTES
_UNTIL_TAKEN_SECONDS = 3600.0
"""As long as fetched records wait to be taken, the client fetches nothing more. By itself it asks for the
other partitions after 0.1 s, and what comes to these ones then waits for that question's answer, at rest for
`FETCH_WAIT_MS`. It has no setting for that.
"""
_CONNECT_SECONDS = 10.0
_COMMIT_SECONDS = 3.0
_CLOSE_SECONDS = 3.0
_SILENCE_SECONDS = 20.0
_UNCOMMITTED_SECONDS = 25.0
"""Longer than a coordinator takes that moves or comes back."""
_PATIENCE_SECONDS = 0.5


class NotCommitted(Exception):
    """A commit did not go through: a rebalance came first, or the coordinator is away.

    Harmless: records come again.
    """


@dataclass(frozen=True, slots=True)
class Polled:
    """What one poll took. `generation` is the assignment it belongs to: after a rebalance it is void."""

    generation: int
    records: tuple[Record, ...]


class Listener(Protocol):
    """Who is told about rebalances. Both run in the client's background task, not in the one that polls."""

    async def revoked(self, partitions: frozenset[TopicPartition]) -> None:
        """These partitions go to another member as soon as this returns: finish, commit, forget."""
        ...

    async def assigned(self, partitions: frozenset[TopicPartition]) -> None:
        """These partitions are ours from now on, from their committed offsets.

        Must return quickly: no heartbeat runs.
        """
        ...


class Source(Protocol):
    """One member of a consumer group. Every call is bounded in time."""

    @property
    def topic(self) -> str: ...

    @property
    def generation(self) -> int:
        """Counts the assignments this member had; moves on when partitions are revoked."""
        ...

    @property
    def owned(self) -> frozenset[TopicPartition]: ...

    @property
    def lag(self) -> int:
        """Records on the log that no poll has taken yet, over the owned partitions, as last heard."""
        ...

    async def start(self, listener: Listener) -> None:
        """Connect and join the group; the assignment follows later. Raises: Away."""
        ...

    async def poll(self, timeout_seconds: float) -> Polled:
        """The next records, in offset order per partition; empty when none came in time.

        With no time at all it only keeps the group alive and connects to nothing. Raises: Away.
        """
        ...

    def pause(self) -> None:
        """Take no records until `resume`, also of partitions that are assigned meanwhile; polls return
        nothing.
        """
        ...

    def resume(self) -> None: ...

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit the next offset to read of each owned partition. Raises: NotCommitted."""
        ...

    async def stop(self) -> None:
        """Leave the group and disconnect. Never raises for a broker that is away; may be called twice."""
        ...


class KafkaSource:
    """A member of a Kafka consumer group, over aiokafka: eager assignor, explicit commits only.

    A partition without a committed offset starts at `start_offsets`, else at its earliest record; so does
    one whose committed offset is gone (a redelivery has no effect, a gap would). When the broker stays
    silent, or no commit goes through any more, or the client has failed for good, the client is replaced:
    its tasks may have died or hang without telling.
    """

    def __init__(
        self,
        bootstrap: Bootstrap,
        topic: str,
        group: str,
        *,
        client_id: str,
        start_offsets: Mapping[TopicPartition, int] | None = None,
        session_timeout_ms: int = 10_000,
        max_poll_records: int = 500,
    ) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._group = group
        self._client_id = client_id
        self._start_offsets = dict(start_offsets or {})
        self._session_timeout_ms = session_timeout_ms
        self._max_poll_records = max_poll_records

        self._listener: Listener | None = None
        self._client: AIOKafkaConsumer | None = None
        self._generation = 0
        self._owned: frozenset[TopicPartition] = frozenset()
        self._giving_up = asyncio.Lock()
        self._is_paused = False
        self._lag = 0
        self._heard_ms = 0
        self._heard_at = time.monotonic()
        self._asked_at = time.monotonic()
        self._uncommitted_since: float | None = None

    @property
    def topic(self) -> str:
        return self._topic

    @property
    def generation(self) -> int:
        return self._generation

    @property
    def owned(self) -> frozenset[TopicPartition]:
        return self._owned

    @property
    def lag(self) -> int:
        return self._lag

    async def start(self, listener: Listener) -> None:
        self._listener = listener
        await self._connect()

    async def poll(self, timeout_seconds: float) -> Polled:
        if self._client is None:
            if timeout_seconds == 0:
                raise Away("kafka", "not connected")
            await self._connect()
        if time.monotonic() - self._asked_at > _SILENCE_SECONDS / 2:
            self._heard_at = time.monotonic()  # it was us who did not listen: the last batch took so long
        await self._replace_when_silent()
        await self._replace_when_uncommitted()
        try:
            records = await self._take(timeout_seconds)
        except (NoOffsetForPartitionError, OffsetOutOfRangeError) as error:
            await self._place(error)
            return Polled(self._generation, ())
        except (KafkaError, OSError) as error:
            await self._disconnect()
            raise Away("kafka", str(error) or type(error).__name__) from error
        polled = Polled(self._generation, records)
        if records:  # while there are some, none are asked for: see `_UNTIL_TAKEN_SECONDS`
            self._heard_at = time.monotonic()
        await self._measure()
        self._asked_at = time.monotonic()
        return polled

    def pause(self) -> None:
        self._is_paused = True
        if self._client is not None:
            self._client.pause(*self._client.assignment())

    def resume(self) -> None:
        self._is_paused = False
        self._heard_at = time.monotonic()
        if self._client is not None:
            self._client.resume(*self._client.assignment())

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        if self._client is None:
            raise NotCommitted("not connected")
        try:
            # The client tries again by itself, and after a rebalance it would do so under the new
            # generation, for partitions that are another's by then. The bound, and the loop's lock, keep a
            # commit within its assignment.
            async with asyncio.timeout(_COMMIT_SECONDS):
                await self._client.commit(
                    {
                        KafkaPartition(where.topic, where.partition): offset
                        for where, offset in offsets.items()
                    }
                )
        except (KafkaError, OSError, TimeoutError) as error:
            self._uncommitted_since = self._uncommitted_since or time.monotonic()
            raise NotCommitted(str(error).split("\n")[0].strip() or type(error).__name__) from error
        self._uncommitted_since = None

    async def stop(self) -> None:
        self._listener = None
        self._forget()
        client, self._client = self._client, None
        if client is not None:
            await closed_within(stopped(client), _CLOSE_SECONDS, self._client_id)

    # --- the client

    async def _connect(self) -> None:
        client = AIOKafkaConsumer(
            **arguments(self._bootstrap),
            client_id=self._client_id,
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="none",  # no jump without our say: see `_place`
            partition_assignment_strategy=(RoundRobinPartitionAssignor,),
            session_timeout_ms=self._session_timeout_ms,
            heartbeat_interval_ms=self._session_timeout_ms // 4,
            rebalance_timeout_ms=int(REBALANCE_SECONDS * 1000),
            request_timeout_ms=int(REQUEST_SECONDS * 1000),
            fetch_min_bytes=1,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            fetch_max_bytes=FETCH_BYTES,
            max_partition_fetch_bytes=MAX_RECORD_BYTES,
            max_poll_records=self._max_poll_records,
        )
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await client.start()
        except (KafkaError, OSError, TimeoutError) as error:
            await closed_within(stopped(client), _CLOSE_SECONDS, self._client_id)
            raise Away("kafka", str(error) or type(error).__name__) from error
        except BaseException:
            await closed_within(stopped(client), _CLOSE_SECONDS, self._client_id)
            raise
        client._fetcher._prefetch_backoff = _UNTIL_TAKEN_SECONDS
        self._client = client
        self._heard_at = time.monotonic()
        client.subscribe([self._topic], listener=_Rebalances(self, client))

    async def _disconnect(self) -> None:
        """Give everything up and close the client; the next poll connects anew."""
        await self.lose(self._client)
        client, self._client = self._client, None
        if client is not None:
            metrics.consumer_restarts.labels(topic=self._topic).inc()
            await closed_within(stopped(client), _CLOSE_SECONDS, self._client_id)

    async def _replace_when_silent(self) -> None:
        """The broker answers a fetch within `FETCH_WAIT_MS`, and is sent one as soon as what came is taken;
        when it does not, start over, which tells who is away.
        """
        if self._owned and not self._is_paused and time.monotonic() - self._heard_at > _SILENCE_SECONDS:
            log.warning("kafka.silent", topic=self._topic, group=self._group, seconds=_SILENCE_SECONDS)
            await self._disconnect()
            raise Away("kafka", f"no answer for {_SILENCE_SECONDS:.0f} s")

    async def _replace_when_uncommitted(self) -> None:
        """Records may come while the client's part for its group hangs, after a cut of the network."""
        since = self._uncommitted_since
        if since is not None and time.monotonic() - since > _UNCOMMITTED_SECONDS:
            log.warning(
                "kafka.uncommitted", topic=self._topic, group=self._group, seconds=_UNCOMMITTED_SECONDS
            )
            await self._disconnect()
            raise Away("kafka", f"no commit went through for {_UNCOMMITTED_SECONDS:.0f} s")

    # --- records

    async def _take(self, timeout_seconds: float) -> tuple[Record, ...]:
        """Records of the current assignment.

        The client hands them out in the very step that ends this call.
        """
        client: AIOKafkaConsumer = self._client
        try:
            # In a rebalance the client waits without bound. Cutting it short loses nothing: positions have
            # not moved.
            async with asyncio.timeout(timeout_seconds + _PATIENCE_SECONDS):
                found = await client.getmany(timeout_ms=int(timeout_seconds * 1000))
        except TimeoutError:
            return ()
        return tuple(to_record(record) for records in found.values() for record in records)

    async def _place(self, error: KafkaError) -> None:
        """Say where to read a partition from that has no committed offset, or one that is out of range."""
        client: AIOKafkaConsumer = self._client
        is_lost = isinstance(error, OffsetOutOfRangeError)
        partitions = list(error.args[0]) if is_lost else [error.args[0]]
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                earliest = await client.beginning_offsets(partitions)
            for where in partitions:
                chosen = (
                    None if is_lost else self._start_offsets.get(TopicPartition(where.topic, where.partition))
                )
                offset = earliest[where] if chosen is None else chosen
                if is_lost:
                    log.warning(
                        "kafka.offset_out_of_range",
                        topic=where.topic,
                        partition=where.partition,
                        offset=error.args[0][where],
                        reads_from=offset,
                    )
                client.seek(where, offset)
        except IllegalStateError:
            log.info("kafka.rebalanced_meanwhile", topic=self._topic)
        except (KafkaError, OSError, TimeoutError) as failure:
            raise Away("kafka", str(failure) or type(failure).__name__) from failure

    async def _measure(self) -> None:
        """How far the log is ahead of what was taken, and when the broker was last heard."""
        lag = 0
        client: AIOKafkaConsumer = self._client
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                for where in client.assignment():
                    end = client.highwater(where)
                    if end is not None:
                        lag += max(0, end - await client.position(where))
                        self._hear(client.last_poll_timestamp(where))
        except (IllegalStateError, TimeoutError, AssertionError):
            return  # a rebalance came between: the next poll measures again
        self._lag = lag

    def _hear(self, timestamp_ms: int | None) -> None:
        if timestamp_ms is not None and timestamp_ms != self._heard_ms:
            self._heard_ms = timestamp_ms
            self._heard_at = time.monotonic()

    # --- rebalances (in the client's background task)

    async def lose(self, client: AIOKafkaConsumer | None) -> None:
        """Partitions are taken away, or the client is given up: the listener finishes and commits first."""
        async with self._giving_up:
            if client is not self._client:
                return
            if self._owned and self._listener is not None:
                await self._listener.revoked(self._owned)
            self._forget()

    async def gain(self, client: AIOKafkaConsumer, partitions: Iterable[KafkaPartition]) -> None:
        """Partitions are ours from now on."""
        is_late = self._client is not client
        if is_late or self._listener is None:
            return
        self._owned = frozenset(TopicPartition(where.topic, where.partition) for where in partitions)
        self._heard_at = time.monotonic()
        if self._is_paused:
            client.pause(*client.assignment())
        await self._listener.assigned(self._owned)

    def _forget(self) -> None:
        self._owned = frozenset()
        self._uncommitted_since = None
        self._lag = 0
        self._generation += 1


class _Rebalances(ConsumerRebalanceListener):  # type: ignore[misc]
    """Passes the client's news on. Tied to one client: an old one that is closing says nothing any more."""

    def __init__(self, source: KafkaSource, client: AIOKafkaConsumer) -> None:
        self._source = source
        self._client = client

    async def on_partitions_revoked(self, revoked: Iterable[KafkaPartition]) -> None:  # noqa: ARG002
        await self._source.lose(self._client)

    async def on_partitions_assigned(self, assigned: Iterable[KafkaPartition]) -> None:
        await self._source.gain(self._client, assigned)


def to_record(record: ConsumerRecord) -> Record:
    """The client's record as ours. A header without a value becomes an empty one."""
    return Record(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        value=record.value,
        headers=tuple((name, value or b"") for name, value in record.headers),
        timestamp_ms=record.timestamp,
    )
