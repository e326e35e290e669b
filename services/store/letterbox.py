"""Dead letters from their topic into the database, and what a publisher does with them.

Off the way of the articles: nothing waits for it. What is done is written on the log before it counts here,
so a database made anew knows it too.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import structlog

from newsroom import topics
from newsroom.errors import Away, BadRecord, Conflict, NotFound
from newsroom.kafka.consumer import Delivery
from newsroom.kafka.dead_letters import Mark, MarkState, Parked, decode_letter, mark_message
from newsroom.kafka.producer import Publisher
from newsroom.records import Message, Record
from newsroom.telemetry import metrics
from newsroom.times import now
from services.store.dead_letters import DeadLetter, DeadLetters

log = structlog.get_logger(__name__)
COUNT_SECONDS = 15.0
RETRIED_TO = frozenset({topics.EVENTS, topics.UPDATES, topics.LISTINGS, topics.OUTCOMES})
"""The topics whose readers park what they cannot process: only there does a record belong again."""


def decode(record: Record) -> Parked | Mark | None:
    """What stands in a record; None where it is nothing of ours, which would only be parked in circles."""
    try:
        return decode_letter(record)
    except BadRecord as error:
        log.warning("dead_letter_unreadable", reason=str(error), offset=record.offset)
        return None


class Letterbox:
    """Keeps letters (`handle` is that of the loop, idempotent as it asks) and has them retried or dropped."""

    def __init__(self, letters: DeadLetters, publisher: Publisher) -> None:
        self.letters = letters
        self._publisher = publisher
        self._stopping = asyncio.Event()

    async def handle(self, batch: Sequence[Delivery[Parked | Mark | None]]) -> None:
        """Keep what the batch tells of letters."""
        for delivery in batch:
            match delivery.item:
                case Parked() as parked:
                    await self.letters.file(parked)
                case Mark() as mark:
                    await self.letters.mark(mark, now())
        await self._count()

    async def watch(self) -> None:
        """Keep the number of waiting letters true until `stop`: other instances change it, and time does."""
        while not self._stopping.is_set():
            try:
                await self._count()
            except Away as error:
                log.warning("dead_letters_not_counted", reason=str(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), COUNT_SECONDS)

    async def stop(self) -> None:
        """End `watch`."""
        self._stopping.set()

    async def find(self, letter_id: str) -> DeadLetter:
        """Raises: NotFound, Away."""
        found = await self.letters.find(letter_id)
        if found is None:
            raise NotFound("There is no such dead letter, or none any more: they are kept for 30 days.")
        return found

    async def retry(self, letter_id: str) -> DeadLetter:
        """Write the record again where it stood, with its key, bytes and headers; an event keeps its id, so
        it has its effect at most once. A letter that was retried and has not come back is left alone.

        Raises: NotFound; Conflict for one that was dropped or cannot be retried; Away.
        """
        found = await self.find(letter_id)
        if found.state == "retried":
            return found
        _check_retriable(found)
        record = found.parked.record
        await self._publisher.publish(
            Message(record.topic, record.key, record.value, record.headers, record.partition)
        )
        return await self._mark(found, "retried")

    async def drop(self, letter_id: str) -> DeadLetter:
        """Nobody needs it any more: it is only shown. Again is no error. Raises: NotFound, Away."""
        found = await self.find(letter_id)
        return found if found.state == "dropped" else await self._mark(found, "dropped")

    async def _mark(self, letter: DeadLetter, state: MarkState) -> DeadLetter:
        mark = letter.mark(state)
        await self._publisher.publish(mark_message(mark, letter.parked.number))
        await self.letters.mark(mark, now())
        await self._count()
        log.info(f"dead_letter_{state}", letter_id=letter.id, topic=letter.parked.record.topic)
        return await self.find(letter.id)

    async def _count(self) -> None:
        metrics.dead_letters_waiting.set(await self.letters.count_waiting())


def _check_retriable(letter: DeadLetter) -> None:
    """Raises: Conflict."""
    topic = letter.parked.record.topic
    if letter.state == "dropped":
        raise Conflict("The letter was dropped, which is final: post the change again.")
    if letter.parked.is_cut:
        raise Conflict(
            "The letter was too large to be kept whole, so it cannot be retried: post the change again."
        )
    if topic not in RETRIED_TO:
        raise Conflict(f"Nobody parks records of {topic[:80]!r}, so none is written there: drop the letter.")
