"""From a request to the log: ids, the event, and its publication within bounds of time and number."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass

import structlog

from newsroom import ids, times
from newsroom.errors import Away, Conflict, NewsroomError
from newsroom.events import Event, EventData, EventKind, event_message
from newsroom.kafka.producer import Publisher
from newsroom.telemetry import current_traceparent, metrics
from services.ingest.statuses import Statuses

PUBLISH_SECONDS = 1.8
log = structlog.get_logger(__name__)


class Full(NewsroomError):
    """As many events are on their way to the log as may be."""


class KeyReused(Conflict):
    """The same Idempotency-Key came with another body before."""


@dataclass(frozen=True)
class Order:
    """What a request asks for, checked: everything that makes the event but its ids and its time.

    `article_id` None: a new article that gets its id here. `raw` is the body as it came.
    """

    kind: EventKind
    article_id: str | None
    data: EventData
    actor: str
    raw: bytes
    idempotency_key: str | None = None
    expected_revision: int | None = None


def make_event(order: Order) -> Event:
    """The event. With an `Idempotency-Key` its ids are derived, so that a retry makes the same event again."""
    key = order.idempotency_key
    if order.article_id is not None:
        article_id = order.article_id
    else:
        article_id = ids.new_article_id() if key is None else ids.derive_article_id(order.actor, key)
    return Event(
        id=ids.new_event_id() if key is None else ids.derive_event_id(order.actor, article_id, key),
        kind=order.kind,
        article_id=article_id,
        time=times.now(),
        data=order.data,
        actor=order.actor,
        request_hash=hashlib.sha256(order.raw).hexdigest(),
        expected_revision=order.expected_revision,
        trace=current_traceparent(),
    )


class Intake:
    """The way onto the log. Holds as many events at a time as it may, and none longer than two seconds."""

    def __init__(self, publisher: Publisher, statuses: Statuses, max_in_flight: int) -> None:
        self._publisher = publisher
        self._statuses = statuses
        self._max_in_flight = max_in_flight
        self._in_flight = 0

    async def accept(self, event: Event) -> None:
        """Put the event on the log: when this returns, it is durable.

        Raises: KeyReused, as far as it is known here; Full; Away (it may have arrived: the same request again is safe
        with an `Idempotency-Key`); Invalid when it is larger than the log takes.
        """
        known = self._statuses.known_hash(event.id)
        if known is not None and known != event.request_hash:
            raise KeyReused("This Idempotency-Key came with another body before: use a new key for a new request.")
        if self._statuses.is_decided(event.id):
            return
        if self._in_flight >= self._max_in_flight:
            raise Full(f"{self._max_in_flight} events are on their way to the log already.")
        await self._publish(event)
        self._statuses.remember_accepted(event)
        metrics.events_accepted.labels(kind=event.kind.value).inc()
        log.info("event_accepted", event_id=event.id, article_id=event.article_id, kind=event.kind.value)

    async def _publish(self, event: Event) -> None:
        self._in_flight += 1
        metrics.events_in_flight.set(self._in_flight)
        try:
            async with asyncio.timeout(PUBLISH_SECONDS):
                await self._publisher.publish(event_message(event))
        except TimeoutError as error:
            raise Away("kafka", f"no acknowledgement within {PUBLISH_SECONDS} s") from error
        finally:
            self._in_flight -= 1
            metrics.events_in_flight.set(self._in_flight)
