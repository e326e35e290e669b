"""A consumer loop on the log in memory, whose effects a test can look at and disturb."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from newsroom.errors import BadRecord
from newsroom.kafka.consumer import Consumer, Delivery, LoopSettings
from newsroom.kafka.fake import FakeLog, FakePublisher, FakeSource
from newsroom.kafka.pacing import Rest, no_rest
from newsroom.records import Message, Record, TopicPartition
from newsroom.topics import DEAD_LETTERS, TopicSpec

TOPIC = "stories"
GROUP = "desk"
QUICK = LoopSettings(
    poll_seconds=0.05,
    commit_interval_seconds=0.02,
    retry_first_seconds=0.005,
    retry_most_seconds=0.02,
    revoke_seconds=30.0,
    stop_seconds=30.0,
)


def a_log(partitions: int = 3) -> FakeLog:
    return FakeLog((TopicSpec(TOPIC, partitions), TopicSpec(DEAD_LETTERS, 3)))


def words(record: Record) -> str:
    """Decodes a story: everything but bytes that begin with `bad`."""
    text = (record.value or b"").decode()
    if text.startswith("bad"):
        raise BadRecord(f"{text} makes no sense")
    return text


async def until(condition: Callable[[], object], seconds: float = 120.0) -> None:
    """Wait for the condition. Raises: TimeoutError."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the condition did not come about")
        await asyncio.sleep(0.002)


class Loop:
    """One consumer.

    `handled` has every text that reached its effect, in order; `before` runs ahead of each effect.
    """

    def __init__(
        self,
        log: FakeLog,
        *,
        settings: LoopSettings = QUICK,
        max_poll_records: int = 500,
        always_gathers: bool = False,
        hurries: Callable[[Record], bool] | None = None,
    ) -> None:
        self.log = log
        self.publisher = FakePublisher(log)
        self.source = FakeSource(log, TOPIC, GROUP, max_poll_records=max_poll_records)
        self.handled: list[str] = []
        self.decoded: list[str] = []
        self.batches: list[tuple[str, ...]] = []
        self.told: list[tuple[int, str]] = []
        self.assigned: list[tuple[TopicPartition, ...]] = []
        self.revoked: list[tuple[TopicPartition, ...]] = []
        self.before: Callable[[Sequence[Delivery[str]]], None] = lambda _: None
        self.before_telling: Callable[[Record], None] = lambda _: None
        self.before_assigned: Callable[[], None] = lambda: None
        self.parked_before: Callable[[Record], bool] = lambda _: False
        self.leaves: Callable[[str], bool] = lambda _: False
        self.rest: Rest = no_rest
        self.gate = asyncio.Event()
        self.gate.set()
        self.consumer = Consumer(
            self.source,
            self.publisher,
            name="test",
            decode=self._decode,
            handle=self._handle,
            on_dead_letter=self._on_dead_letter,
            on_assigned=self._on_assigned,
            on_revoked=self._on_revoked,
            is_parked=lambda record: self.parked_before(record),
            rest=lambda took, records: self.rest(took, records),
            always_gathers=always_gathers,
            hurries=hurries,
            settings=settings,
        )

    def _decode(self, record: Record) -> str:
        self.decoded.append((record.value or b"").decode())
        return words(record)

    async def _handle(self, batch: Sequence[Delivery[str]]) -> list[Delivery[str]]:
        self.batches.append(tuple(delivery.item for delivery in batch))
        await self.gate.wait()
        self.before(batch)
        self.handled += [delivery.item for delivery in batch if not self.leaves(delivery.item)]
        return [delivery for delivery in batch if self.leaves(delivery.item)]

    async def _on_dead_letter(self, record: Record, reason: str) -> None:
        self.before_telling(record)
        self.told.append((record.offset, reason))

    async def _on_assigned(self, partitions: Sequence[TopicPartition]) -> None:
        self.before_assigned()
        self.assigned.append(tuple(partitions))

    async def _on_revoked(self, partitions: Sequence[TopicPartition]) -> None:
        self.revoked.append(tuple(partitions))

    @property
    def committed(self) -> dict[TopicPartition, int]:
        return self.log.group(GROUP).committed

    @property
    def letters(self) -> list[Record]:
        return self.log.records(DEAD_LETTERS)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        """Run the loop for the length of the block, then stop it; what it raised is left to the test."""
        task = asyncio.create_task(self.consumer.run())
        try:
            yield task
        finally:
            await self.consumer.stop()
            await asyncio.wait({task}, timeout=30)
            assert task.done(), "the loop did not stop"

    async def end(self, task: asyncio.Task[None]) -> BaseException | None:
        """Wait for the loop to end by itself; what it raised."""
        await asyncio.wait({task}, timeout=30)
        assert task.done(), "the loop goes on"
        return task.exception()


async def write(log: FakeLog, *texts: str, partition: int = 0, key: bytes = b"k") -> None:
    for text in texts:
        await log.append(Message(TOPIC, key, text.encode(), partition=partition))


def but(**changes: float) -> LoopSettings:
    """The quick settings with some changed."""
    return replace(QUICK, **changes)  # type: ignore[arg-type]


P0, P1, P2 = (TopicPartition(TOPIC, partition) for partition in range(3))
