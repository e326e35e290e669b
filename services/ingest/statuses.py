"""What became of events lately, in memory:

fed from `newsroom.outcomes`, asked by waiting requests and by status.

Every ingest instance reads the whole topic from a quarter of an hour back, so each can tell about any event
of any other. Bounded: what falls out is answered by the store.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

import structlog

from newsroom.errors import BadRecord
from newsroom.events import Event
from newsroom.outcomes import EventOutcome, EventState, EventStatus, Outcome, Rendering, decode_outcome
from newsroom.records import Record

MAX_REMEMBERED = 20_000
MAX_UNRENDERED = 1_000
"""Of how many events of one article it is told that they were rendered, when a rendering comes late."""
_RANK = {
    EventState.ACCEPTED: 0,
    EventState.STORED: 1,
    EventState.RENDERED: 2,
    EventState.REJECTED: 2,
    EventState.DEAD_LETTERED: 2,
}
V = TypeVar("V")
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Standing:
    """Where an event stands.

    `is_final`: nothing further will be told of it. `outcome` is None while only accepted.
    """

    status: EventStatus
    is_final: bool
    outcome: EventOutcome | None = None


def further(one: EventStatus, other: EventStatus) -> EventStatus:
    """The one that has come further: a state never goes back, whoever tells it."""
    return other if _RANK[other.state] > _RANK[one.state] else one


class _Remembered(OrderedDict[str, V], Generic[V]):
    """The newest so many; the one not touched for longest goes first."""

    def keep(self, name: str, value: V) -> None:
        self[name] = value
        self.move_to_end(name)
        if len(self) > MAX_REMEMBERED:
            self.popitem(last=False)


@dataclass(frozen=True)
class _Accepted:
    article_id: str
    request_hash: str
    time: datetime

    def status(self, event_id: str) -> EventStatus:
        return EventStatus(
            event_id=event_id,
            article_id=self.article_id,
            state=EventState.ACCEPTED,
            request_hash=self.request_hash,
            times={"accepted": self.time},
        )


def _nobody(_: EventStatus) -> None:
    """Nobody follows."""


class Statuses:
    """Outcomes by event, renderings by article, and who waits for them."""

    def __init__(self, site_url: str, tell: Callable[[EventStatus], None] | None = None) -> None:
        """`tell` is told each time that an event has come further."""
        self._site_url = site_url
        self._tell = tell or _nobody
        self._unrendered: _Remembered[deque[str]] = _Remembered()
        self._accepted: _Remembered[_Accepted] = _Remembered()
        self._outcomes: _Remembered[EventOutcome] = _Remembered()
        self._renderings: _Remembered[Rendering] = _Remembered()
        self._bells: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._is_released = False

    @property
    def waiting(self) -> int:
        """How many requests wait now."""
        return sum(map(len, self._bells.values()))

    def take(self, record: Record) -> None:
        """A record of the topic."""
        try:
            outcome = decode_outcome(record)
        except BadRecord as error:
            log.warning("outcome_record_skipped", offset=record.offset, reason=str(error))
            return
        self._keep(outcome)
        for bell in self._bells.get(outcome.article_id, ()):
            bell.set()

    def remember_accepted(self, event: Event) -> None:
        """This instance put the event on the log."""
        is_news = event.id not in self._accepted and event.id not in self._outcomes
        accepted = _Accepted(event.article_id, event.request_hash, event.time)
        self._accepted.keep(event.id, accepted)
        if is_news:
            self._tell(accepted.status(event.id))

    def known_hash(self, event_id: str) -> str | None:
        """The SHA-256 of the body that the event came in, as far as anything is known here."""
        outcome, accepted = self._outcomes.get(event_id), self._accepted.get(event_id)
        return (outcome.request_hash if outcome else accepted.request_hash if accepted else None) or None

    def is_decided(self, event_id: str) -> bool:
        """Whether the store has decided about the event, so that it stands on the log for certain."""
        return event_id in self._outcomes

    def standing(self, event_id: str) -> Standing | None:
        """Where the event stands, or None where nothing is known of it here."""
        outcome = self._outcomes.get(event_id)
        if outcome is not None:
            return self._decided(outcome)
        accepted = self._accepted.get(event_id)
        if accepted is None:
            return None
        return Standing(accepted.status(event_id), is_final=False)

    async def settled(self, event_id: str, article_id: str, seconds: float) -> Standing | None:
        """Wait until nothing further will be told of the event.

        None when the time is over or the process stops.
        """
        with self._listening(article_id) as bell:
            try:
                async with asyncio.timeout(seconds):
                    while not self._is_released:
                        standing = self.standing(event_id)
                        if standing is not None and standing.is_final:
                            return standing
                        bell.clear()
                        await bell.wait()
            except TimeoutError:
                pass
            return None

    def release(self) -> None:
        """Let everybody go who waits: the process stops."""
        self._is_released = True
        for bells in self._bells.values():
            for bell in bells:
                bell.set()

    @contextmanager
    def _listening(self, article_id: str) -> Iterator[asyncio.Event]:
        bell = asyncio.Event()
        self._bells[article_id].add(bell)
        try:
            yield bell
        finally:
            self._bells[article_id].discard(bell)
            if not self._bells[article_id]:
                del self._bells[article_id]

    def _keep(self, outcome: Outcome) -> None:
        if isinstance(outcome, EventOutcome):
            self._keep_outcome(outcome)
        else:
            self._keep_rendering(outcome)

    def _keep_outcome(self, outcome: EventOutcome) -> None:
        former = self.standing(outcome.event_id)
        self._outcomes.keep(outcome.event_id, outcome)
        self._tell_if_further(outcome.event_id, former)
        if not self._decided(outcome).is_final:
            unrendered = self._unrendered.get(outcome.article_id) or deque(maxlen=MAX_UNRENDERED)
            unrendered.append(outcome.event_id)
            self._unrendered.keep(outcome.article_id, unrendered)

    def _keep_rendering(self, rendering: Rendering) -> None:
        former = self._renderings.get(rendering.article_id)
        if former is not None and rendering.revision < former.revision:
            return
        waiting = self._unrendered.pop(rendering.article_id, deque[str]())
        before = {event_id: self.standing(event_id) for event_id in waiting}
        self._renderings.keep(rendering.article_id, rendering)
        for event_id, standing in before.items():
            self._tell_if_further(event_id, standing)
        left = [event_id for event_id in before if self._is_unrendered(event_id)]
        if left:
            self._unrendered.keep(rendering.article_id, deque(left, maxlen=MAX_UNRENDERED))

    def _is_unrendered(self, event_id: str) -> bool:
        standing = self.standing(event_id)
        return standing is not None and not standing.is_final

    def _tell_if_further(self, event_id: str, former: Standing | None) -> None:
        """What is told again (a retry, a redelivered outcome) is no news."""
        standing = self.standing(event_id)
        if standing is None:
            return
        if former is None or _RANK[standing.status.state] > _RANK[former.status.state]:
            self._tell(standing.status)

    def _decided(self, outcome: EventOutcome) -> Standing:
        status = EventStatus(
            event_id=outcome.event_id,
            article_id=outcome.article_id,
            state=outcome.state,
            revision=outcome.revision,
            code=outcome.rejection.code if outcome.rejection else None,
            reason=outcome.rejection.detail if outcome.rejection else outcome.reason,
            request_hash=outcome.request_hash or None,
            times=outcome.times,
        )
        if outcome.state is not EventState.STORED or not outcome.renders:
            return Standing(status, is_final=True, outcome=outcome)
        rendering = self._renderings.get(outcome.article_id)
        if rendering is None or rendering.revision < (outcome.revision or 0):
            return Standing(status, is_final=False, outcome=outcome)
        rendered = status.model_copy(
            update={
                "state": EventState.RENDERED,
                "url": self._site_url + rendering.path if rendering.path else None,
                "times": {**rendering.times, **outcome.times},
            }
        )
        return Standing(rendered, is_final=True, outcome=outcome)
