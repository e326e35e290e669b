"""The one loop that store and render run: take a batch, decode it, handle it, commit behind the work
(DESIGN §6).

Three kinds of failure, and only three. A record that is bad becomes a dead letter and the loop goes on. A
dependency that is away pauses the partitions, and the same batch is tried again with back-off while the
group is kept alive. Anything else is a bug: `run` raises, what was not finished is not committed, and the
process is restarted.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from newsroom.errors import Away, Invalid
from newsroom.kafka.backoff import Backoff
from newsroom.kafka.batch import Batch, Delivery, Held, Letter, Poisoned
from newsroom.kafka.dead_letters import cut_letter, letter
from newsroom.kafka.pacing import Rest, no_rest
from newsroom.kafka.pause import Pause, Uncommitted
from newsroom.kafka.producer import Publisher
from newsroom.kafka.source import NotCommitted, Polled, Source
from newsroom.records import Record, TopicPartition
from newsroom.telemetry import metrics

__all__ = ["Consumer", "Delivery", "LoopSettings", "Poisoned", "Progress", "TooManyDeadLetters"]

T = TypeVar("T")
OnPartitions = Callable[[Sequence[TopicPartition]], Awaitable[None]]

log = structlog.get_logger(__name__)

_KEEP_ALIVE_SECONDS = 0.5
_GOODBYE_SECONDS = 5.0
_MORE_SECONDS = 0.02
"""Some times as long as a broker takes to answer that has records."""
_LOOK_SECONDS = 0.1
"""How often a rest is broken by a look whether something hurries."""
MOST_TAKEN = 4_000
"""So many new records make a batch: no more are gathered, and a rest in which they came is over. What was
left does not count, or what comes behind it, and may hurry, would wait until it is done.
"""


class TooManyDeadLetters(Exception):
    """So many records in a row were bad that the fault is likelier in who writes or reads them.

    Says what to do.
    """


@dataclass(frozen=True)
class LoopSettings:
    """Bounds of the loop; times in seconds.

    `revoke_seconds` is how long a rebalance waits for the batch in flight: keep it under the group's
    rebalance timeout.
    """

    poll_seconds: float = 1.0
    commit_interval_seconds: float = 1.0
    retry_first_seconds: float = 0.1
    retry_most_seconds: float = 5.0
    dead_letters_in_row: int = 50
    alive_seconds: float = 60.0
    revoke_seconds: float = 20.0
    stop_seconds: float = 8.0


@dataclass(frozen=True)
class Progress:
    """How the loop is getting on.

    `lag` counts records not finished, `dead_letters` those parked since the start.
    """

    lag: int
    seconds_since: float
    is_alive: bool
    dead_letters: int


class Consumer(Generic[T]):
    """Feeds `handle` with the records of a topic, at least once, in log order per partition.

    `handle` must be idempotent: a batch is given again after an outage, without a poisoned record, and
    after a crash. `on_dead_letter` is awaited once the letter is acknowledged and before its offset may be
    committed. `on_assigned` is awaited before the first record of a new assignment is handled,
    `on_revoked` before partitions pass to another member and at the end. All of them may raise `Away`; it
    is then tried again (`on_revoked`: let be). A bad record that `is_parked` already is parked again, and
    does not count in the row that stops the loop. `always_gathers`: what comes right after the first records
    is of their batch, for records that belong together lie in several partitions. A record that
    `hurries` ends a rest. What `handle` returns it has left: that comes again with the next batch, and its
    offset is not committed, nor any after it.
    """

    def __init__(
        self,
        source: Source,
        publisher: Publisher,
        *,
        name: str,
        decode: Callable[[Record], T],
        handle: Callable[[Sequence[Delivery[T]]], Awaitable[Sequence[Delivery[T]] | None]],
        on_dead_letter: Callable[[Record, str], Awaitable[None]] | None = None,
        on_assigned: OnPartitions | None = None,
        on_revoked: OnPartitions | None = None,
        is_parked: Callable[[Record], bool] = lambda _: False,
        rest: Rest = no_rest,
        always_gathers: bool = False,
        hurries: Callable[[Record], bool] | None = None,
        settings: LoopSettings | None = None,
    ) -> None:
        self._source = source
        self._publisher = publisher
        self._name = name
        self._decode = decode
        self._handle = handle
        self._on_dead_letter = on_dead_letter
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._is_parked = is_parked
        self._rest = rest
        self._always_gathers = always_gathers
        self._hurries = hurries
        self._settings = settings or LoopSettings()
        self._log = log.bind(consumer=name)

        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()
        self._idle = asyncio.Event()  # no batch in flight
        self._idle.set()
        self._interrupt = asyncio.Event()  # a stop or a revocation: do not wait out a back-off
        self._revoking = False
        self._work: asyncio.Task[None] | None = None
        self._failure: Exception | None = None

        self._fresh: frozenset[TopicPartition] = frozenset()  # assigned, `on_assigned` not yet awaited
        self._held = Held[T](0)
        self._reached: dict[TopicPartition, int] = {}
        self._finished: dict[TopicPartition, int] = {}
        self._committed: dict[TopicPartition, int] = {}
        self._committing = asyncio.Lock()
        self._uncommitted = Uncommitted(name)
        self._in_flight = 0
        self._has_rested = False
        self._tried_at = time.monotonic()  # the batch in flight, for the last time
        self._bad_row = 0
        self._dead_letters = 0
        self._progress_at = time.monotonic()

    # --- for the process that runs it

    async def run(self) -> None:
        """Consume until `stop`.

        Raises: whatever a bug raises, after leaving the group without committing the batch.
        """
        self.progressed()
        self._work = asyncio.create_task(self._consume(), name=f"{self._name}-loop")
        commits = asyncio.create_task(self._keep_committing(), name=f"{self._name}-commits")
        try:
            await asyncio.wait({self._work, commits}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._work.cancel()
            commits.cancel()
            await asyncio.gather(self._work, commits, return_exceptions=True)
            await self._leave()
            self._ended.set()
        for task in (self._work, commits):
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error
        if self._failure is not None:
            raise self._failure

    async def stop(self) -> None:
        """Finish the batch in flight, commit, leave the group; within `stop_seconds`, else the batch is
        dropped.
        """
        self._stopping.set()
        self._interrupt.set()
        if self._work is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.stop_seconds):
                await self._ended.wait()
                return
        self._log.warning("consumer.batch_dropped", reason="not finished within the time to stop")
        self._work.cancel()
        await self._ended.wait()

    def progressed(self) -> None:
        """The loop gets on: for `handle` to say so where a batch may take longer than `alive_seconds`."""
        self._progress_at = time.monotonic()

    @property
    def progress(self) -> Progress:
        lag = self._source.lag + self._in_flight + len(self._held)
        since = time.monotonic() - self._progress_at
        return Progress(
            lag=lag,
            seconds_since=since,
            is_alive=lag == 0 or since <= self._settings.alive_seconds,
            dead_letters=self._dead_letters,
        )

    # --- the work

    async def _consume(self) -> None:
        if not await self._persist(lambda: self._source.start(self), None):
            return
        while not self._stopping.is_set():
            await self._take()
            self._has_rested = False
            if self._failure is not None:
                raise self._failure
            if not await self._welcome():
                continue
            held, self._held = self._held, Held(self._source.generation)
            if held and not self._is_void(held.generation):
                await self._finish(held)
                rest_seconds = self._rest(time.monotonic() - self._tried_at, len(held))
                self._has_rested = rest_seconds > 0
                await self._rest_out(rest_seconds, held.generation)
            elif self._source.lag == 0:
                self.progressed()

    async def _sleep(self, seconds: float) -> None:
        """For so long, or until a stop or a rebalance."""
        if seconds <= 0 or self._stopping.is_set():
            return
        self._interrupt.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._interrupt.wait()

    async def _rest_out(self, seconds: float, generation: int) -> None:
        """Rest, as long as the assignment lasts.

        Where something may hurry, take what comes meanwhile, and rest no longer once it does, nor where
        something was left that does, nor once so much came that it makes a batch.
        """
        if self._hurries is None:
            await self._sleep(0 if self._is_void(generation) else seconds)
            return
        over_at, last = time.monotonic() + seconds, tuple(each.record for each in self._held.left)
        while not self._stopping.is_set() and (left := over_at - time.monotonic()) > 0:
            if self._is_void(generation) or self._has_enough or any(map(self._hurries, last)):
                return
            await self._sleep(min(left, _LOOK_SECONDS))
            last = await self._hold(_MORE_SECONDS)

    async def _take(self) -> None:
        """Hold what there is for a batch.

        To gather is to poll twice: a client has fetched what came first, and no more until that is taken.
        """
        gathers = self._always_gathers or self._has_rested or bool(self._held)
        if not self._held:
            await self._hold(self._settings.poll_seconds)
        if gathers and self._held and not self._has_enough:
            await self._hold(_MORE_SECONDS)

    async def _hold(self, seconds: float) -> tuple[Record, ...]:
        """What came, which is held from now on."""
        more = await self._poll(seconds)
        self._held = self._held.joined(more)
        return more.records

    @property
    def _has_enough(self) -> bool:
        return len(self._held.records) >= MOST_TAKEN

    async def _poll(self, seconds: float) -> Polled:
        taken: list[Polled] = []

        async def poll() -> None:
            taken.append(await self._source.poll(seconds))

        await self._persist(poll, None)
        return taken[0] if taken else Polled(self._source.generation, ())

    async def _welcome(self) -> bool:
        """Await `on_assigned` for a new assignment; False when it went again before that was done."""
        fresh = self._fresh
        if fresh and self._on_assigned is not None:
            on_assigned = self._on_assigned
            if not await self._persist(lambda: on_assigned(sorted(fresh)), self._source.generation):
                return False
        if self._fresh is fresh:
            self._fresh = frozenset()
        return True

    async def _finish(self, held: Held[T]) -> None:
        """Carry one batch to its end, or drop it when its partitions are taken away or the loop stops
        first.
        """
        self._idle.clear()
        self._in_flight = len(held)
        begun = time.monotonic()
        try:
            batch = Batch(held, self._decode, self._is_parked)
            self._check_row(batch)
            if not await self._persist(lambda: self._attempt(batch), held.generation):
                self._log.info("consumer.batch_dropped", records=len(held), reason="stop or rebalance")
                return
            if held.generation == self._source.generation:
                self._note_finished(batch)
                self._held = Held(held.generation, batch.left)
            self._bad_row = batch.bad_rows(self._bad_row)[1]
            metrics.bad_records_in_row.labels(consumer=self._name).set(self._bad_row)
            self.progressed()
            metrics.records_consumed.labels(consumer=self._name).inc(len(held) - len(batch.left))
            metrics.batch_seconds.labels(consumer=self._name).observe(time.monotonic() - begun)
        finally:
            self._in_flight = 0
            self._idle.set()

    def _note_finished(self, batch: Batch[T]) -> None:
        """What may be committed: all that was reached, or up to the first that is left."""
        for partition, offset in batch.next_offsets().items():
            self._reached[partition] = max(offset, self._reached.get(partition, offset))
        left = {each.record.topic_partition: each.record.offset for each in reversed(batch.left)}
        self._finished |= self._reached | left

    async def _attempt(self, batch: Batch[T]) -> None:
        self._tried_at = time.monotonic()
        while True:
            for parked in batch.letters:
                await self._park(parked)
            if not batch.good:
                return
            try:
                batch.leave(await self._handle(batch.good) or ())
            except Poisoned as poisoned:
                batch.poison(poisoned)
                self._check_row(batch)
            else:
                return

    async def _park(self, parked: Letter) -> None:
        """Write the letter and wait for its acknowledgement, then tell. Done parts are not done again."""
        record, reason = parked.record, parked.reason
        if not parked.is_written:
            try:
                await self._publisher.publish(letter(record, reason, self._name))
            except Invalid:
                await self._publisher.publish(cut_letter(record, reason, self._name))
            parked.is_written = True
            self._dead_letters += 1
            metrics.dead_letters.labels(consumer=self._name).inc()
            self._log.warning(
                "consumer.dead_letter",
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                reason=reason[:200],
            )
        if not parked.is_told:
            if self._on_dead_letter is not None:
                await self._on_dead_letter(record, reason)
            parked.is_told = True

    def _check_row(self, batch: Batch[T]) -> None:
        limit = self._settings.dead_letters_in_row
        if batch.bad_rows(self._bad_row)[0] > limit:
            last = batch.letters[-1]
            raise TooManyDeadLetters(
                f"{self._name} stopped: more than {limit} records in a row of {last.record.topic} cannot be "
                f"processed, lately {last.record.partition}/{last.record.offset}: {last.reason[:200]}. "
                "Who writes them or this version is at fault: mend or roll it back and start again (they are "
                "then read again), or start with a higher NEWSROOM_DEAD_LETTERS_IN_ROW to park them all"
            )

    async def _persist(self, step: Callable[[], Awaitable[None]], generation: int | None) -> bool:
        """Do the step, again and again while something is away.

        False when the loop is to stop, or (with a generation) its partitions are taken away, before the
        step was done.
        """
        backoff = Backoff(self._settings.retry_first_seconds, self._settings.retry_most_seconds)
        pause = Pause(self._name)
        try:
            while True:
                try:
                    await step()
                except Away as error:
                    delay = backoff.next_delay_seconds()
                    self._source.pause()
                    pause.waits_for(error.dependency)
                    self._log.warning("consumer.away", reason=str(error), tries=backoff.tries)
                    if not await self._wait_out(delay, generation):
                        return False
                else:
                    return True
        finally:
            pause.ends()
            if backoff.tries:
                self._source.resume()

    async def _wait_out(self, delay_seconds: float, generation: int | None) -> bool:
        """Wait while polling, so that the group stays alive. False: do not try again."""
        until = time.monotonic() + delay_seconds
        while True:
            self.progressed()
            if self._stopping.is_set() or (generation is not None and self._is_void(generation)):
                return False
            left = until - time.monotonic()
            if left <= 0:
                return True
            await self._sleep(min(left, _KEEP_ALIVE_SECONDS))
            if not self._revoking:  # a poll that gives up the client would wait for who waits for this batch
                with contextlib.suppress(Away):
                    await self._source.poll(0)

    def _is_void(self, generation: int) -> bool:
        return self._revoking or generation != self._source.generation

    # --- commits and rebalances

    async def _keep_committing(self) -> None:
        while True:
            await asyncio.sleep(self._settings.commit_interval_seconds)
            await self._commit()
            metrics.consumer_lag.labels(consumer=self._name).set(self.progress.lag)
            metrics.consumer_partitions.labels(consumer=self._name).set(len(self._source.owned))
            self._uncommitted.tell()

    async def _commit(self) -> None:
        """Commit what is finished and still owned.

        A failure is no harm: those records are read again, without effect.
        """
        async with self._committing:
            owned = self._source.owned
            due = {
                partition: offset
                for partition, offset in self._finished.items()
                if partition in owned and self._committed.get(partition) != offset
            }
            if not due:
                return
            try:
                await self._source.commit(due)
            except NotCommitted as error:
                metrics.commits.labels(consumer=self._name, result="failed").inc()
                self._uncommitted.begins()
                self._log.warning("consumer.not_committed", reason=str(error), partitions=len(due))
            else:
                metrics.commits.labels(consumer=self._name, result="done").inc()
                self._uncommitted.ends()
                self._committed.update(due)

    async def assigned(self, partitions: frozenset[TopicPartition]) -> None:
        """The source tells of an assignment (called in the client's background task)."""
        self._fresh = partitions
        metrics.assignments.labels(consumer=self._name).inc()

    async def revoked(self, partitions: frozenset[TopicPartition]) -> None:
        """The source is about to give partitions away: wait for the batch in flight, commit, forget."""
        self._revoking = True
        self._interrupt.set()
        try:
            if asyncio.current_task() is not self._work:  # that drops its batch as soon as this is done
                await self._until_idle()
            await self._commit()
            await self._say_goodbye(partitions)
        except Exception as error:  # noqa: BLE001  (the client would swallow it; `run` raises it)
            self._failure = error
        finally:
            self._reached.clear()
            self._finished.clear()
            self._committed.clear()
            self._uncommitted.ends()
            self._fresh = frozenset()
            self._revoking = False

    async def _until_idle(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.revoke_seconds):
                await self._idle.wait()
        if not self._idle.is_set():
            self._log.warning("consumer.batch_dropped", reason="not finished within the time of a rebalance")

    async def _say_goodbye(self, partitions: frozenset[TopicPartition]) -> None:
        if self._on_revoked is None or not partitions:
            return
        try:
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self._on_revoked(sorted(partitions))
        except (Away, TimeoutError) as error:
            self._log.warning("consumer.away", reason=str(error) or "on_revoked took too long", tries=1)

    async def _leave(self) -> None:
        await self._commit()
        await self._say_goodbye(self._source.owned)
        await self._source.stop()
