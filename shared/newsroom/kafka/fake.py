"""The log in memory, for tests of whole flows without Kafka; it passes the same contract suite as the real
edge.

A `FakeLog` holds topics, consumer groups and committed offsets. `go_away` and `come_back` switch an outage:
publishing raises Away, polls bring nothing, commits fail. As with Kafka, rebalances run in a task of their
own and take every partition from every member first (eagerly); what was not committed is delivered again.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import timedelta

from newsroom import topics
from newsroom.errors import Away, Misconfigured
from newsroom.kafka.cluster import partition_for
from newsroom.kafka.producer import check
from newsroom.kafka.reader import Begin
from newsroom.kafka.source import Listener, NotCommitted, Polled
from newsroom.records import Message, Position, Record, TopicPartition


class FakeLog:
    """A broker in memory. The topics of `specs` exist from the start; `ensure_topics` makes more."""

    def __init__(
        self, specs: Iterable[topics.TopicSpec] = topics.ALL, *, cluster_id: str = "fakefakefakefakefakefk"
    ) -> None:
        self.cluster_id = cluster_id
        self.is_away = False
        self.changed = asyncio.Condition()
        self._specs: dict[str, topics.TopicSpec] = {}
        self._kept: dict[TopicPartition, list[Record]] = {}
        self._ends: dict[TopicPartition, int] = {}
        self._groups: dict[str, FakeGroup] = {}
        self._keyless = itertools.count()
        self.ensure_topics(specs)

    def ensure_topics(self, specs: Iterable[topics.TopicSpec]) -> None:
        """Make the topics that are missing. Raises: Misconfigured when one stands otherwise."""
        for spec in specs:
            standing = self._specs.setdefault(spec.name, spec)
            if standing != spec:
                raise Misconfigured(f"topic {spec.name} stands as {standing}, expected {spec}")
            for partition in range(spec.partitions):
                self._kept.setdefault(TopicPartition(spec.name, partition), [])

    def go_away(self) -> None:
        """From now on the broker does not answer."""
        self.is_away = True

    async def come_back(self) -> None:
        """The outage is over; nothing was lost."""
        self.is_away = False
        await self.wake()

    def check(self) -> None:
        """Raises: Away during an outage."""
        if self.is_away:
            raise Away("kafka", "the fake log is switched off")

    async def wake(self) -> None:
        """Let everybody who waits for something look again."""
        async with self.changed:
            self.changed.notify_all()

    async def append(self, message: Message) -> Position:
        """Write a record, outage or not."""
        where = TopicPartition(message.topic, self._partition_of(message))
        offset = self._ends.get(where, 0)
        record = Record(
            topic=where.topic,
            partition=where.partition,
            offset=offset,
            key=message.key,
            value=message.value,
            headers=tuple(message.headers),
            timestamp_ms=time.time_ns() // 1_000_000,
        )
        self._kept[where].append(record)
        self._ends[where] = offset + 1
        await self.wake()
        return Position(where.topic, where.partition, offset)

    def records(self, topic: str) -> list[Record]:
        """Everything that stands on a topic, partition by partition."""
        return [record for where in self.partitions(topic) for record in self._kept[where]]

    def partitions(self, topic: str) -> list[TopicPartition]:
        """The partitions of a topic, none when it does not exist."""
        return sorted(where for where in self._kept if where.topic == topic)

    def end_offsets(self, topic: str) -> dict[TopicPartition, int]:
        """The next offset to be written, of each partition."""
        return {where: self._ends.get(where, 0) for where in self.partitions(topic)}

    def start_offset(self, where: TopicPartition) -> int:
        """The earliest offset that still stands; the end, when nothing does."""
        kept = self._kept[where]
        return kept[0].offset if kept else self._ends.get(where, 0)

    def offset_since(self, where: TopicPartition, timestamp_ms: int) -> int:
        """The offset of the first record written at that time or later."""
        later = (record.offset for record in self._kept[where] if record.timestamp_ms >= timestamp_ms)
        return next(later, self._ends.get(where, 0))

    def read(self, where: TopicPartition, offset: int, most: int) -> list[Record]:
        """Up to `most` records from the offset on."""
        kept = self._kept[where]
        begin = bisect_left(kept, offset, key=lambda record: record.offset)
        return kept[begin : begin + most]

    def compact(self, topic: str) -> None:
        """Keep only the newest record of each key, as the cleaner would: offsets jump."""
        for where in self.partitions(topic):
            newest = {record.key: record.offset for record in self._kept[where]}
            self._kept[where] = [r for r in self._kept[where] if newest[r.key] == r.offset]

    def truncate(self, where: TopicPartition, before: int) -> None:
        """Delete what stands before the offset, as retention would."""
        self._kept[where] = [record for record in self._kept[where] if record.offset >= before]

    def group(self, name: str) -> FakeGroup:
        """The consumer group of that name, from its first mention on."""
        return self._groups.setdefault(name, FakeGroup(self))

    def _partition_of(self, message: Message) -> int:
        count = len(self.partitions(message.topic))
        if count == 0:
            raise Away("kafka", f"topic {message.topic} does not exist")
        if message.partition is not None:
            return message.partition
        return next(self._keyless) % count if message.key is None else partition_for(message.key, count)


class FakePublisher:
    """Writes to a `FakeLog`.

    `lose_next`: of so many publications the acknowledgement goes missing after the write.
    """

    def __init__(self, log: FakeLog) -> None:
        self.lose_next = 0
        self._log = log

    async def start(self) -> None:
        self._log.check()

    async def stop(self) -> None:
        """Nothing to close."""

    async def is_reachable(self) -> bool:
        return not self._log.is_away

    async def publish(self, message: Message) -> Position:
        return (await self.publish_all([message]))[0]

    async def publish_all(self, messages: Sequence[Message]) -> list[Position]:
        for message in messages:
            check(message)
        await asyncio.sleep(0)
        self._log.check()
        positions = [await self._log.append(message) for message in messages]
        if self.lose_next > 0:
            self.lose_next -= 1
            raise Away("kafka", "the acknowledgement was lost")
        return positions


class FakeGroup:
    """Members and offsets of one consumer group."""

    def __init__(self, log: FakeLog) -> None:
        self.committed: dict[TopicPartition, int] = {}
        self._log = log
        self._members: list[FakeSource] = []
        self._one_at_a_time = asyncio.Lock()
        self._rebalances: set[asyncio.Task[None]] = set()

    def join(self, member: FakeSource) -> None:
        self._members.append(member)
        self._rebalance_soon()

    def leave(self, member: FakeSource) -> None:
        if member in self._members:
            self._members.remove(member)
            self._rebalance_soon()

    def _rebalance_soon(self) -> None:
        task = asyncio.get_running_loop().create_task(self._rebalance())
        self._rebalances.add(task)
        task.add_done_callback(self._rebalances.discard)

    async def _rebalance(self) -> None:
        async with self._one_at_a_time:
            await asyncio.gather(*(member.lose() for member in self._members))
            members = list(self._members)
            for place, member in enumerate(members):
                await member.gain(frozenset(self._log.partitions(member.topic)[place :: len(members)]))
        await self._log.wake()


class FakeSource:
    """A member of a group on a `FakeLog`; see `newsroom.kafka.source.Source`.

    `commits` tells what it committed, in order.
    """

    def __init__(
        self,
        log: FakeLog,
        topic: str,
        group: str,
        *,
        start_offsets: Mapping[TopicPartition, int] | None = None,
        max_poll_records: int = 500,
    ) -> None:
        self.commits: list[dict[TopicPartition, int]] = []
        self._topic = topic
        self._generation = 0
        self._owned: frozenset[TopicPartition] = frozenset()
        self._log = log
        self._group = log.group(group)
        self._start_offsets = dict(start_offsets or {})
        self._max_poll_records = max_poll_records
        self._positions: dict[TopicPartition, int] = {}
        self._listener: Listener | None = None
        self._is_paused = False

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
        ends = self._log.end_offsets(self._topic)
        return sum(ends[where] - position for where, position in self._positions.items())

    async def start(self, listener: Listener) -> None:
        self._log.check()
        self._listener = listener
        self._group.join(self)

    async def poll(self, timeout_seconds: float) -> Polled:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds), self._log.changed:
                await self._log.changed.wait_for(self._has_records)
        return Polled(self._generation, tuple(self._take()))

    def pause(self) -> None:
        self._is_paused = True

    def resume(self) -> None:
        self._is_paused = False

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        generation = self._generation
        await asyncio.sleep(0)
        if self._log.is_away or generation != self._generation or not self._owned.issuperset(offsets):
            raise NotCommitted("the fake log is switched off, or a rebalance came first")
        self._group.committed.update(offsets)
        self.commits.append(dict(offsets))

    async def stop(self) -> None:
        self._listener = None
        self._forget()
        self._group.leave(self)

    async def lose(self) -> None:
        """The group takes every partition back (called by the group)."""
        if self._owned and self._listener is not None:
            await self._listener.revoked(self._owned)
        self._forget()

    async def gain(self, partitions: frozenset[TopicPartition]) -> None:
        """The group hands partitions out (called by the group); each begins at its committed offset."""
        if self._listener is None:
            return
        self._owned = partitions
        self._positions = {where: self._first_offset(where) for where in partitions}
        await self._listener.assigned(partitions)

    def _forget(self) -> None:
        self._owned = frozenset()
        self._positions = {}
        self._generation += 1

    def _first_offset(self, where: TopicPartition) -> int:
        earliest, end = self._log.start_offset(where), self._log.end_offsets(self._topic)[where]
        offset = self._group.committed.get(where, self._start_offsets.get(where, earliest))
        return offset if earliest <= offset <= end else earliest

    def _has_records(self) -> bool:
        return not self._log.is_away and not self._is_paused and self.lag > 0

    def _take(self) -> list[Record]:
        taken: list[Record] = []
        if self._has_records():
            for where in sorted(self._positions):
                self._positions[where] = max(self._positions[where], self._log.start_offset(where))
                records = self._log.read(where, self._positions[where], self._max_poll_records - len(taken))
                if records:
                    self._positions[where] = records[-1].offset + 1
                    taken += records
        return taken


class FakeReader:
    """Reads a topic of a `FakeLog` without a group; see `newsroom.kafka.reader.Reader`."""

    def __init__(
        self, log: FakeLog, topic: str, on_record: Callable[[Record], None], *, begin: Begin = "beginning"
    ) -> None:
        self._log = log
        self._topic = topic
        self._on_record = on_record
        self._begin = begin
        self._positions: dict[TopicPartition, int] | None = None
        self._first_ends: dict[TopicPartition, int] = {}
        self._is_caught_up = False
        self._is_stopped = False

    @property
    def is_caught_up(self) -> bool:
        return self._is_caught_up

    async def run(self) -> None:
        while not self._is_stopped:
            if not self._log.is_away:
                self._read()
                await self._log.wake()
            async with self._log.changed:
                await self._log.changed.wait_for(lambda: self._is_stopped or self._has_records())

    async def stop(self) -> None:
        self._is_stopped = True
        await self._log.wake()

    async def catch_up(self, timeout_seconds: float) -> bool:
        if self._log.is_away:
            return False
        ends = self._log.end_offsets(self._topic)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds), self._log.changed:
                await self._log.changed.wait_for(lambda: self._has_read(ends))
        return self._has_read(ends)

    def _read(self) -> None:
        if self._positions is None:
            self._first_ends = self._log.end_offsets(self._topic)
            self._positions = {where: self._first_offset(where) for where in self._first_ends}
        for where in self._positions:
            for record in self._log.read(where, self._positions[where], 1_000_000):
                self._on_record(record)
            self._positions[where] = self._log.end_offsets(self._topic)[where]
        self._is_caught_up = self._is_caught_up or self._has_read(self._first_ends)

    def _first_offset(self, where: TopicPartition) -> int:
        if self._begin == "beginning":
            return self._log.start_offset(where)
        if isinstance(self._begin, timedelta):
            since = time.time_ns() // 1_000_000 - int(self._begin.total_seconds() * 1000)
            return self._log.offset_since(where, since)
        return self._log.end_offsets(self._topic)[where]

    def _has_records(self) -> bool:
        return not self._log.is_away and not self._has_read(self._log.end_offsets(self._topic))

    def _has_read(self, ends: Mapping[TopicPartition, int]) -> bool:
        positions = self._positions
        return positions is not None and all(positions.get(where, 0) >= end for where, end in ends.items())


class FakeSpans:
    """Reads stretches of a `FakeLog`; see `newsroom.kafka.spans.Spans`."""

    def __init__(self, log: FakeLog, *, most: int = 100) -> None:
        self._log = log
        self._most = most

    async def read(self, where: TopicPartition, begin: int, end: int) -> AsyncIterator[list[Record]]:
        while begin < end:
            self._log.check()
            records = [each for each in self._log.read(where, begin, self._most) if each.offset < end]
            if not records:
                return
            begin = records[-1].offset + 1
            yield records
