"""What falls due, with a clock that the tests move: written in time, once in effect, whatever happens."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from newsroom.errors import Away
from newsroom.events import SCHEDULER, Event, EventKind, decode_event
from newsroom.ids import due_event_id, is_event_id
from newsroom.kafka.consumer import Delivery
from newsroom.kafka.fake import FakePublisher
from newsroom.outcomes import EventState, RejectionCode
from newsroom.records import Position, Record
from newsroom.telemetry.metrics import registry
from newsroom.telemetry.traces import trace_id
from newsroom.times import rfc3339
from newsroom.topics import EVENTS
from newsroom.updates import ChangeKind, Status
from services.store import scheduler
from services.store.agenda import Agenda, waiting_of
from services.store.articles import Article
from services.store.consumer import Filer
from services.store.scheduler import SEND_AGAIN_SECONDS, Scheduler
from tests.due_parts import FakeDueWork, SteppingClock, sent
from tests.store_parts import StoreInMemory, a_text, minute
from tests.unit.loops import until

TEN = minute(60)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


class Desk:
    """A store with its scheduler, stepped by hand: nothing happens but what the test calls."""

    def __init__(self, store: StoreInMemory, clock: SteppingClock) -> None:
        self.store, self.clock = store, clock
        self.work = FakeDueWork(store.revisions)
        self.is_open = True
        self.owned = frozenset(range(12))
        self.scheduler = self.another()
        self._filer: Filer | None = None
        self._filed: set[Position] = set()

    def another(self) -> Scheduler:
        """The scheduler of one more instance, or of this one after a restart."""
        return Scheduler(
            self.work,
            FakePublisher(self.store.log),
            owned=lambda: self.owned,
            is_open=lambda: self.is_open,
            clock=self.clock,
            timer=self.clock.timer,
        )

    async def post(self, *events: Event) -> None:
        """Put events on the log and file them."""
        await self.store.post(*events)
        await self.file()

    async def file(self) -> None:
        """File whatever stands on the log."""
        if self._filer is None:
            publisher = FakePublisher(self.store.log)
            replay = await self.store.replay()
            self._filer = Filer(
                self.store.revisions, publisher, replay, lambda filed: self.scheduler.heard(filed)
            )
        records = [record for record in self.records() if _place(record) not in self._filed]
        self._filed |= {_place(record) for record in records}
        if records:
            await self._filer.handle([Delivery(record, decode_event(record)) for record in records])

    async def at(self, time: datetime) -> None:
        """The time comes: database and clock are looked at, and what they bring is filed."""
        self.clock.at = time
        await self.scheduler.read()
        await self.scheduler.look()
        await self.file()

    def records(self) -> list[Record]:
        return self.store.log.records(EVENTS)

    def written(self) -> list[Event]:
        """The due events on the log."""
        events = [decode_event(record) for record in self.records()]
        return [event for event in events if event.kind.is_due_event]

    def article(self, article_id: str = "a") -> Article:
        return self.store.revisions.standing[article_id]

    def ends(self) -> list[tuple[EventState, RejectionCode | None]]:
        """What became of the due events that are filed, each once."""
        decisions = [self.store.revisions.decisions[event.id] for event in self.written()]
        return [(each.state, each.rejection.code if each.rejection else None) for each in decisions]


def _place(record: Record) -> Position:
    return Position(record.topic, record.partition, record.offset)


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock(minute(0))


@pytest.fixture
def desk(clock: SteppingClock) -> Desk:
    return Desk(StoreInMemory(), clock)


async def scheduled(desk: Desk, article_id: str = "a", **times: Any) -> None:
    """An article that waits, by default to be published at ten."""
    times = times or {"publish_at": TEN}
    await desk.post(sent("published", article_id, at=desk.clock(), create=True, **times))


@pytest.mark.parametrize("field", ["publish_at", "embargo_until"])
async def test_what_waits_is_released_at_its_time(desk: Desk, field: str) -> None:
    """Not before; by one event whose id follows from what fell due, and which a trace leads to."""
    times: dict[str, Any] = {field: TEN}
    await scheduled(desk, **times)
    await desk.at(TEN - timedelta(milliseconds=1))
    assert desk.written() == []
    await desk.at(TEN)
    (event,) = desk.written()
    assert event.id == due_event_id("a", "released", 1, rfc3339(TEN))
    assert (event.kind, event.actor, event.time) == (EventKind.RELEASED, SCHEDULER, TEN)
    assert trace_id(event.trace)
    assert len(event.request_hash) == 64
    assert desk.article().status is Status.PUBLIC
    assert desk.article().published_at == TEN
    await desk.at(TEN + HOUR)
    assert len(desk.written()) == 1


async def test_the_later_of_schedule_and_embargo_counts(desk: Desk) -> None:
    await scheduled(desk, publish_at=TEN, embargo_until=TEN + SECOND)
    await desk.at(TEN)
    assert desk.written() == []
    await desk.at(TEN + SECOND)
    assert desk.article().status is Status.PUBLIC


async def test_breaking_ends_by_itself(desk: Desk) -> None:
    text = a_text("Siege", breaking=True)
    await desk.post(sent("published", at=minute(0), create=True, text=text, breaking_until=TEN))
    await desk.at(TEN - SECOND)
    public = desk.article().public
    assert public is not None
    assert public.text is not None
    assert public.text.breaking
    await desk.at(TEN)
    assert [event.kind for event in desk.written()] == [EventKind.BREAKING_ENDED]
    public = desk.article().public
    assert public is not None
    assert public.text is not None
    assert not public.text.breaking


async def test_an_update_that_was_withheld_is_told_at_its_release(desk: Desk) -> None:
    await desk.post(
        sent("published", at=minute(0), create=True), sent("updated", at=minute(1), embargo_until=TEN)
    )
    await desk.at(TEN)
    assert [(each.kind, each.time) for each in desk.article().changes] == [
        (ChangeKind.PUBLISHED, minute(0)), (ChangeKind.UPDATED, TEN)
    ]  # fmt: skip


@pytest.mark.parametrize("is_filed", [True, False], ids=["in time", "in the last moment"])
async def test_a_time_that_is_moved_fires_when_it_is_due_then(desk: Desk, is_filed: bool) -> None:
    """Also where the old time had fired before the move was filed: the log's order decides."""
    await scheduled(desk)
    later = sent("published", at=TEN - SECOND, publish_at=TEN + HOUR)
    await desk.store.post(later)
    if is_filed:
        await desk.file()
    await desk.at(TEN)
    assert desk.ends() == ([] if is_filed else [(EventState.REJECTED, RejectionCode.OVERTAKEN)])
    assert desk.article().status is Status.UNPUBLISHED
    await desk.at(TEN + HOUR)
    assert desk.ends()[-1] == (EventState.STORED, None)
    assert desk.article().published_at == TEN + HOUR


@pytest.mark.parametrize("is_filed", [True, False], ids=["in time", "in the last moment"])
async def test_a_time_that_is_lifted_fires_no_more(desk: Desk, is_filed: bool) -> None:
    await scheduled(desk)
    await desk.store.post(sent("updated", at=TEN - SECOND, publish_at=None))
    if is_filed:
        await desk.file()
    await desk.at(TEN)
    assert desk.ends() == ([] if is_filed else [(EventState.REJECTED, RejectionCode.OVERTAKEN)])
    assert desk.article().published_at == TEN - SECOND
    assert len(desk.article().changes) == 1


@pytest.mark.parametrize("is_filed", [True, False], ids=["in time", "in the last moment"])
async def test_a_publication_that_is_cancelled_does_not_happen(desk: Desk, is_filed: bool) -> None:
    await scheduled(desk)
    await desk.store.post(sent("withdrawn", at=TEN - SECOND))
    if is_filed:
        await desk.file()
    await desk.at(TEN)
    await desk.at(TEN + HOUR)
    assert desk.ends() == ([] if is_filed else [(EventState.REJECTED, RejectionCode.OVERTAKEN)])
    assert desk.article().status is Status.UNPUBLISHED


async def test_a_clock_that_is_set_forward_fires_by_the_new_time(desk: Desk) -> None:
    await scheduled(desk)
    await desk.at(minute(1))
    desk.clock.step(HOUR)
    await desk.at(desk.clock())
    assert desk.ends() == [(EventState.STORED, None)]


async def test_a_clock_that_is_set_back_fires_by_the_new_time(desk: Desk) -> None:
    desk.clock.at = TEN - SECOND
    await scheduled(desk)
    await desk.at(TEN - SECOND - HOUR)
    assert desk.written() == []
    await desk.at(TEN - SECOND)
    assert desk.written() == []
    await desk.at(TEN)
    assert desk.ends() == [(EventState.STORED, None)]


async def test_a_clock_that_is_set_back_fires_nothing_twice(desk: Desk) -> None:
    await scheduled(desk)
    await desk.at(TEN)
    for time in (TEN - HOUR, TEN, TEN + HOUR):
        desk.clock.at = time
        await desk.scheduler.read()
        await desk.at(time)
    assert len(desk.written()) == 1
    assert desk.article().revision == 2


async def test_two_instances_have_one_effect(desk: Desk) -> None:
    """Both believe to own the partition; both write, and the second record is known."""
    await scheduled(desk)
    desk.clock.at = TEN
    other = desk.another()
    await other.read()
    await desk.scheduler.read()
    await asyncio.gather(other.look(), desk.scheduler.look())
    first, second = desk.written()
    assert first.id == second.id
    await desk.file()
    assert desk.article().revision == 2
    assert desk.store.states()[first.id] is EventState.STORED


async def test_what_fell_due_while_the_stack_was_off_fires_at_the_start(desk: Desk) -> None:
    """With the time at which it really became public."""
    await scheduled(desk)
    desk.clock.at = TEN + HOUR
    desk.scheduler = desk.another()
    await desk.at(TEN + HOUR)
    assert desk.article().published_at == TEN + HOUR


async def test_a_restart_before_the_fold_writes_the_same_event(desk: Desk) -> None:
    await scheduled(desk)
    desk.clock.at = TEN
    await desk.scheduler.read()
    await desk.scheduler.look()
    desk.scheduler = desk.another()
    await desk.scheduler.read()
    await desk.scheduler.look()
    await desk.file()
    assert [event.id for event in desk.written()] == [due_event_id("a", "released", 1, rfc3339(TEN))] * 2
    assert desk.article().revision == 2


async def test_a_log_that_is_away_is_written_to_once_it_is_back(desk: Desk) -> None:
    await scheduled(desk)
    desk.clock.at = TEN
    await desk.scheduler.read()
    desk.store.log.go_away()
    for _ in range(2):
        with pytest.raises(Away):
            await desk.scheduler.look()
    await desk.store.log.come_back()
    await desk.at(TEN + SECOND)
    assert desk.ends() == [(EventState.STORED, None)]


async def test_an_acknowledgement_that_is_lost_costs_a_second_record_at_most(desk: Desk) -> None:
    await scheduled(desk)
    desk.clock.at = TEN
    publisher = FakePublisher(desk.store.log)
    publisher.lose_next = 1
    desk.scheduler = Scheduler(
        desk.work, publisher, owned=lambda: desk.owned, is_open=lambda: True, clock=desk.clock
    )
    await desk.scheduler.read()
    with pytest.raises(Away):
        await desk.scheduler.look()
    await desk.at(TEN)
    assert [event.id for event in desk.written()] == [due_event_id("a", "released", 1, rfc3339(TEN))] * 2
    assert desk.article().revision == 2


async def test_a_database_that_is_away_holds_nothing_up_that_is_known(desk: Desk) -> None:
    await scheduled(desk)
    desk.clock.at = TEN - SECOND
    await desk.scheduler.read()
    desk.store.revisions.is_away = True
    with pytest.raises(Away):
        await desk.scheduler.read()
    desk.clock.at = TEN
    await desk.scheduler.look()
    assert len(desk.written()) == 1


async def test_nothing_is_written_before_the_history_is_told(desk: Desk) -> None:
    await scheduled(desk)
    desk.is_open = False
    await desk.at(TEN)
    assert desk.written() == []
    desk.is_open = True
    await desk.at(TEN)
    assert len(desk.written()) == 1


async def test_each_instance_writes_for_its_own_partitions(desk: Desk) -> None:
    await scheduled(desk)
    desk.owned = frozenset(range(12)) - {desk.article().partition}
    desk.clock.at = TEN
    await desk.at(TEN)
    assert desk.written() == []
    desk.owned = frozenset({desk.article().partition})
    await desk.at(TEN)
    assert len(desk.written()) == 1


async def test_what_another_instance_has_taken_over_is_left_to_it(desk: Desk) -> None:
    await scheduled(desk)
    desk.clock.at = TEN
    await desk.scheduler.read()
    desk.owned = frozenset(range(12)) - {desk.article().partition}
    await desk.scheduler.look()
    assert desk.written() == []


async def test_an_older_state_of_an_article_does_not_count(desk: Desk) -> None:
    """The answer of the database may be newer than what was heard while it was on its way."""
    await scheduled(desk)
    before = waiting_of(desk.article(), TEN + HOUR)
    await desk.post(sent("published", at=minute(1), publish_at=TEN + SECOND))
    after = waiting_of(desk.article(), TEN + HOUR)
    agenda = Agenda([after, before])
    assert agenda.take(TEN) == []
    assert [waiting for waiting, _ in agenda.take(TEN + SECOND)] == [after]


async def test_an_event_on_its_way_to_the_fold_is_not_written_again_and_again(desk: Desk) -> None:
    """But once more after some seconds, under the same id, should it still stand."""
    await scheduled(desk)
    desk.clock.at = TEN
    for _ in range(3):
        await desk.scheduler.read()
        await desk.scheduler.look()
    assert len(desk.written()) == 1
    desk.clock.pass_(SEND_AGAIN_SECONDS)
    await desk.scheduler.read()
    await desk.scheduler.look()
    assert len({event.id for event in desk.written()}) == 1
    assert len(desk.written()) == 2


async def test_what_came_to_nothing_is_written_again_however_much_else_falls_due(desk: Desk) -> None:
    """What is written for others meanwhile does not put it off."""
    step = timedelta(seconds=SEND_AGAIN_SECONDS / 2)
    await scheduled(desk)
    for number in range(1, 4):
        await scheduled(desk, f"b{number}", publish_at=TEN + number * step)
    desk.clock.at = TEN
    for _ in range(4):
        await desk.scheduler.read()
        await desk.scheduler.look()
        desk.clock.pass_(step.total_seconds())
    assert [event.article_id for event in desk.written()].count("a") == 2


async def test_a_time_that_stands_again_after_its_event_was_rejected_still_fires(desk: Desk) -> None:
    """The withdrawal came first on the log; the embargo outlives it, and so does what is then published."""
    await scheduled(desk, embargo_until=TEN)
    await desk.store.post(sent("withdrawn", at=TEN - SECOND))
    await desk.at(TEN)
    assert desk.ends() == [(EventState.REJECTED, RejectionCode.OVERTAKEN)]
    desk.clock.step(-SECOND)
    await desk.post(sent("published", at=TEN - SECOND))
    for _ in range(3):
        desk.clock.pass_(SEND_AGAIN_SECONDS)
        await desk.at(desk.clock())
    assert desk.article().status is Status.PUBLIC
    assert all(is_event_id(event.id) for event in desk.written())
    assert desk.ends()[-1] == (EventState.STORED, None)
    restarted = desk.another()
    await restarted.read()
    await restarted.look()
    await desk.file()
    assert desk.article().revision == 4


async def test_what_is_filed_while_the_database_is_read_counts(desk: Desk) -> None:
    """The answer is older than the move that was heard meanwhile."""
    await scheduled(desk)
    desk.clock.at = TEN - SECOND

    async def move() -> None:
        desk.work.while_reading = None
        await desk.post(sent("published", at=TEN - SECOND, publish_at=TEN + SECOND))

    desk.work.while_reading = move
    await desk.scheduler.read()
    desk.clock.at = TEN
    await desk.scheduler.look()
    assert desk.written() == []
    desk.clock.at = TEN + SECOND
    await desk.scheduler.look()
    assert len(desk.written()) == 1


async def test_many_articles_due_at_once_are_all_released(desk: Desk) -> None:
    desk.clock.at = TEN - SECOND
    for number in range(250):
        await scheduled(desk, f"a{number}")
    await desk.at(TEN)
    assert len(desk.written()) == 250
    assert {head.status for head in desk.store.revisions.standing.values()} == {Status.PUBLIC}


async def test_a_running_scheduler_follows_a_clock_that_jumps(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads again what it had left for later, without waiting for its usual time to."""
    monkeypatch.setattr(scheduler, "READ_SECONDS", 3600.0)
    await scheduled(desk, publish_at=minute(600))
    read = asyncio.Event()

    async def has_read() -> None:
        read.set()

    desk.work.while_reading = has_read
    running = asyncio.create_task(desk.scheduler.run())
    try:
        await read.wait()
        desk.clock.at = minute(601)
        await until(desk.written)
    finally:
        await desk.scheduler.stop()
        await running
    await desk.file()
    assert desk.article().status is Status.PUBLIC


async def test_a_running_scheduler_outlives_outages_of_both(desk: Desk) -> None:
    desk.clock.at = TEN - SECOND
    await scheduled(desk)
    desk.store.revisions.is_away = True
    desk.store.log.go_away()
    before = outages("kafka"), outages("mongodb")
    desk.clock.at = TEN
    running = asyncio.create_task(desk.scheduler.run())
    try:
        await until(lambda: outages("kafka") > before[0] and outages("mongodb") > before[1])
        desk.store.revisions.is_away = False
        await desk.store.log.come_back()
        await until(desk.written)
    finally:
        await desk.scheduler.stop()
        await running
    await desk.file()
    assert desk.article().published_at == TEN


async def test_nothing_is_written_after_a_stop(desk: Desk) -> None:
    """The way to the log is closed next."""
    running = asyncio.create_task(desk.scheduler.run())
    await scheduled(desk)
    await desk.scheduler.stop()
    await running
    await desk.at(TEN)
    assert desk.written() == []


def outages(dependency: str) -> float:
    """How often it was found away so far."""
    return registry.get_sample_value("newsroom_outages_total", {"dependency": dependency}) or 0.0
