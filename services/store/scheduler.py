"""What falls due becomes an event on `newsroom.events`, which the fold judges like any other.

Each instance writes for the partitions of that topic that it owns. Nothing here has to be exact: the event's
id says which time of which revision it is, so it is one event however often and by whomever it is written,
and where that time stands no longer it is rejected. The clock is looked at, not slept by, so that a step of
it is followed.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import structlog

from newsroom.errors import Away
from newsroom.events import SCHEDULER, BreakingEnded, Event, EventKind, Released, event_message
from newsroom.ids import due_event_id
from newsroom.kafka.backoff import Backoff
from newsroom.kafka.producer import Publisher
from newsroom.outcomes import EventState
from newsroom.steps import reached
from newsroom.telemetry import metrics
from newsroom.telemetry.traces import new_traceparent
from newsroom.times import now, rfc3339
from services.store.agenda import Agenda, DueWork, Waiting, waiting_of
from services.store.articles import Article, DueEvent

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.2
READ_SECONDS = 5.0
READ_GAP_SECONDS = 0.5
RETRY_MOST_SECONDS = 1.0
SEND_AGAIN_SECONDS = 3.0
FORGET_SECONDS = 60.0
ALIVE_SECONDS = 60.0
STOP_SECONDS = 3.0
AHEAD = timedelta(seconds=60)
"""How far the agenda looks ahead: it stays small, however much is scheduled."""
MOST_READ = 5_000
_CHUNK = 200
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Scheduler:
    """One instance's scheduler.

    `owned` says which partitions of `newsroom.events` are this instance's now, `is_open` whether the log's
    history is filed and announced: before that nothing is written.
    """

    def __init__(
        self,
        work: DueWork,
        publisher: Publisher,
        *,
        owned: Callable[[], frozenset[int]],
        is_open: Callable[[], bool],
        clock: Callable[[], datetime] = now,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._work = work
        self._publisher = publisher
        self._owned = owned
        self._is_open = is_open
        self._clock = clock
        self._timer = timer
        self._agenda = Agenda()
        self._heard: list[Waiting] | None = None  # while the database is read
        self._reach = _LONG_AGO  # the agenda has all that is due before
        self._read_for: frozenset[int] = frozenset()
        self._sent: dict[str, float] = {}
        self._bell = asyncio.Event()
        self._stopping = asyncio.Event()
        self._resting = asyncio.Event()  # nothing runs
        self._resting.set()
        self._looked_at = timer()

    @property
    def is_alive(self) -> bool:
        """Whether it still looks at the clock."""
        return self._timer() - self._looked_at <= ALIVE_SECONDS

    def heard(self, articles: Iterable[Article]) -> None:
        """These articles were filed just now and stand so in the database."""
        if not self._is_open():
            return
        until = self._clock() + AHEAD
        for article in articles:
            waiting = waiting_of(article, until)
            self._agenda.note(waiting)
            if self._heard is not None:
                self._heard.append(waiting)

    async def run(self) -> None:
        """Look at the clock and at the database until `stop`, through outages of either."""
        self._resting.clear()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_looking())
                group.create_task(self._keep_reading())
        finally:
            self._resting.set()

    async def stop(self) -> None:
        """Write nothing more; returns when what is on its way has arrived, within a bound."""
        self._stopping.set()
        self._bell.set()
        await _rest(self._resting, STOP_SECONDS)

    # --- the clock

    async def _keep_looking(self) -> None:
        backoff = Backoff(first=LOOK_SECONDS, most=RETRY_MOST_SECONDS)
        while not self._stopping.is_set():
            try:
                await self.look()
                backoff.reset()
                wait = LOOK_SECONDS
            except Away as error:
                metrics.outages.labels(dependency=error.dependency).inc()
                log.warning("due_events_wait", reason=str(error))
                wait = backoff.next_delay_seconds()
            await _rest(self._stopping, wait)

    async def look(self) -> None:
        """Write what is due by the clock now. Raises: Away when the log is; it is due still then."""
        self._looked_at = self._timer()
        owned = self._owned()
        if not owned or not self._is_open():
            return
        moment = self._clock()
        if owned != self._read_for or moment >= self._reach:  # a new assignment, or a step of the clock
            self._bell.set()
        taken = [each for each in self._agenda.take(moment) if each[0].partition in owned]
        while taken and not self._stopping.is_set():
            try:
                await self._write(taken[:_CHUNK], moment)
            except Away:
                self._agenda.put_back(taken)
                raise
            taken = taken[_CHUNK:]

    async def _write(self, taken: list[tuple[Waiting, DueEvent]], moment: datetime) -> None:
        """Put events on the log, but for those that were lately and must be on their way to the fold."""
        events: dict[str, Event] = {}
        for waiting, each in taken:
            first_id = event_id = _first_id(waiting.article_id, each)
            if first_id in self._sent:
                if self._timer() - self._sent[first_id] < SEND_AGAIN_SECONDS:
                    continue
                event_id = await self._open_id(waiting.article_id, each)
            else:
                metrics.due_lateness_seconds.observe((moment - each.due.at).total_seconds())
            events[first_id] = _due_event(event_id, waiting.article_id, each, moment)
        if not events:
            return
        await self._publisher.publish_all([event_message(event) for event in events.values()])
        reached("store.due_events_written")
        self._sent |= dict.fromkeys(events, self._timer())
        for event in events.values():
            metrics.due_events.labels(kind=event.kind.value).inc()
        log.info("due_events_written", events=len(events), ids=[event.id for event in events.values()])

    async def _open_id(self, article_id: str, each: DueEvent) -> str:
        """The id for an event that was written before and whose time stands all the same.

        A withdrawal may have come before it, or another time; then it was rejected, which is for ever, and
        only later did the same time come to stand again. It goes under the next id, which every instance
        finds alike.
        """
        name, event_id = each.kind.value, _first_id(article_id, each)
        with contextlib.suppress(Away):  # the first one will do, until the database says otherwise
            while (decision := await self._work.decision(event_id)) is not None:
                if decision.state is not EventState.REJECTED:
                    break
                name = f"{each.kind.value} after {decision.offset}"
                event_id = due_event_id(article_id, name, each.due.set_by, rfc3339(each.due.at))
        return event_id

    # --- the database

    async def _keep_reading(self) -> None:
        backoff = Backoff(first=READ_GAP_SECONDS, most=READ_SECONDS)
        while not self._stopping.is_set():
            await _rest(self._bell, READ_SECONDS)
            self._bell.clear()
            wait = READ_GAP_SECONDS
            try:
                if self._owned() and self._is_open() and not self._stopping.is_set():
                    await self.read()
                backoff.reset()
            except Away as error:
                metrics.outages.labels(dependency=error.dependency).inc()
                log.warning("agenda_not_read", reason=str(error))
                wait = backoff.next_delay_seconds()
            await _rest(self._stopping, wait)

    async def read(self) -> None:
        """Make the agenda anew from the database, with what is heard meanwhile. Raises: Away."""
        owned, until = self._owned(), self._clock() + AHEAD
        heard = self._heard = []
        try:
            found = await self._work.due(owned, until, MOST_READ)
        finally:
            self._heard = None
        self._agenda = Agenda([*found, *heard])
        self._read_for = owned
        self._reach = until if len(found) < MOST_READ else found[-1].dues[0].due.at
        stale = self._timer() - FORGET_SECONDS
        self._sent = {event_id: sent for event_id, sent in self._sent.items() if sent > stale}


def _first_id(article_id: str, each: DueEvent) -> str:
    return due_event_id(article_id, each.kind.value, each.due.set_by, rfc3339(each.due.at))


def _due_event(event_id: str, article_id: str, each: DueEvent, moment: datetime) -> Event:
    model = Released if each.kind is EventKind.RELEASED else BreakingEnded
    data = model(set_by=each.due.set_by, due_at=each.due.at)
    asked = f"{each.kind.value} {data.model_dump_json()}"
    return Event(
        id=event_id,
        kind=each.kind,
        article_id=article_id,
        time=moment,
        data=data,
        actor=SCHEDULER,
        request_hash=hashlib.sha256(asked.encode()).hexdigest(),
        trace=new_traceparent(),
    )


async def _rest(until: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await until.wait()
