"""From a request to the log: ids, the event, and its publication within bounds of time and number."""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import structlog
from prometheus_client import Counter

from newsroom import ids, times
from newsroom.errors import Away, Conflict, NewsroomError
from newsroom.events import EntryChanged, Event, EventData, EventKind, event_message
from newsroom.kafka.producer import Publisher
from newsroom.telemetry import current_traceparent, metrics
from services.ingest.statuses import Statuses

PUBLISH_SECONDS = 1.8
"""The publisher's own bound: within it each event is acknowledged, or known not to be."""
KEY_REUSED = "This Idempotency-Key came with another request before: use a new key for a new request."
log = structlog.get_logger(__name__)


class Full(NewsroomError):
    """As many events are on their way to the log as may be, or no more is taken because the process stops."""


class Unacknowledged(Away):
    """The log did not say that it has the event: it may have it nevertheless."""

    def __init__(self) -> None:
        super().__init__(
            "kafka",
            "it is not known whether the event arrived. Send the same request again: "
            "with an Idempotency-Key that is safe.",
        )


class KeyReused(Conflict):
    """The same Idempotency-Key came with another call or another body before."""


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
    """The event. With an `Idempotency-Key` its ids are derived: a retry makes the same event again."""
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
        request_hash=request_hash(order.kind, order.raw, _entry_named(order.data)),
        expected_revision=order.expected_revision,
        trace=current_traceparent(),
    )


def make_entry_id(key_name: str, article_id: str, idempotency_key: str | None) -> str:
    """The id of an entry that came without: with an `Idempotency-Key` a retry makes the same again."""
    if idempotency_key is None:
        return ids.new_entry_id()
    return ids.derive_entry_id(key_name, article_id, idempotency_key)


def request_hash(kind: EventKind, raw: bytes, entry_id: str = "") -> str:
    """SHA-256 (hex) of what was asked for: the kind of event, the entry that the address named, the body.

    The body alone would not do: a retraction and a withdrawal may read the same, as may two entries.
    """
    asked = f"{kind.value}/{entry_id}" if entry_id else kind.value
    return hashlib.sha256(asked.encode() + b"\n" + raw).hexdigest()


def _entry_named(data: EventData) -> str:
    """The entry in the request's address; that of a new one stands in the body or follows from the key."""
    return data.entry_id if isinstance(data, EntryChanged) else ""


class Intake:
    """The way onto the log. Holds as many events at a time as it may, and none longer than its publisher."""

    def __init__(self, publisher: Publisher, statuses: Statuses, max_in_flight: int) -> None:
        self._publisher = publisher
        self._statuses = statuses
        self._max_in_flight = max_in_flight
        self._in_flight = 0
        self._flying_hashes: defaultdict[str, list[str]] = defaultdict(list)
        """By event: a retry may come while the first request is under way."""
        self._is_empty = asyncio.Event()
        self._is_empty.set()
        self._is_stopping = False

    async def accept(self, event: Event) -> None:
        """Put the event on the log: when this returns, it is durable.

        Raises: KeyReused, as far as it is known here; Full; Unacknowledged; Invalid when the log takes no
        record so large.
        """
        if self._known_hashes(event.id) - {None, event.request_hash}:
            raise KeyReused(KEY_REUSED)
        if self._statuses.is_decided(event.id):
            return
        if self._is_stopping:
            raise Full("This instance stops: send the same request again in a moment.")
        if self._in_flight >= self._max_in_flight:
            raise Full(f"{self._max_in_flight} events are on their way already: try again soon.")
        with self._flying(event):
            await self._publish(event)
        self._statuses.remember_accepted(event)
        _accepted(event.kind).inc()
        log.info("event_accepted", event_id=event.id, article_id=event.article_id, kind=event.kind.value)

    async def stop(self) -> None:
        """Take nothing more, and wait until what is on its way has arrived or failed; bounded."""
        self._is_stopping = True
        await self._is_empty.wait()

    def _known_hashes(self, event_id: str) -> set[str | None]:
        return {self._statuses.known_hash(event_id), *self._flying_hashes.get(event_id, ())}

    @contextmanager
    def _flying(self, event: Event) -> Iterator[None]:
        self._in_flight += 1
        self._flying_hashes[event.id].append(event.request_hash)
        self._is_empty.clear()
        metrics.events_in_flight.set(self._in_flight)
        try:
            yield
        finally:
            self._in_flight -= 1
            self._land(event)
            metrics.events_in_flight.set(self._in_flight)
            if not self._in_flight:
                self._is_empty.set()

    def _land(self, event: Event) -> None:
        self._flying_hashes[event.id].remove(event.request_hash)
        if not self._flying_hashes[event.id]:
            del self._flying_hashes[event.id]

    async def _publish(self, event: Event) -> None:
        try:
            await self._publisher.publish(event_message(event))
        except Away as error:
            log.warning("event_not_acknowledged", event_id=event.id, reason=str(error))
            raise Unacknowledged from error


@cache
def _accepted(kind: EventKind) -> Counter:
    return metrics.events_accepted.labels(kind.value)
