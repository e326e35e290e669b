"""When the loop commits, and what it does with what it has begun: stops, rebalances, liveness."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from newsroom.errors import Away
from newsroom.kafka import consumer
from newsroom.kafka.pacing import gathering
from newsroom.kafka.source import Polled
from newsroom.records import Record
from tests.unit import jumping
from tests.unit.loops import GROUP, P0, P1, P2, Loop, a_log, but, until, write

ALIVE = 60.0
"""Seconds without progress that a loop may take; no machine is so busy that a test meets them by itself."""


def away_once(loop: Loop) -> Callable[[object], None]:
    """For its `before`: MongoDB is away when the first batch is tried."""

    def away(_: object) -> None:
        if len(loop.batches) == 1:
            raise Away("mongodb")

    return away


async def test_nothing_is_committed_before_its_effect() -> None:
    loop = Loop(a_log())
    loop.gate.clear()
    await write(loop.log, "a1", "a2")
    async with loop.running():
        await until(lambda: loop.batches)
        await asyncio.sleep(0.1)  # several commit intervals
        assert loop.committed == {}
        loop.gate.set()
        await until(lambda: loop.committed == {P0: 2})


async def test_a_commit_stands_behind_the_work_not_between_two_batches() -> None:
    loop = Loop(a_log(), settings=but(commit_interval_seconds=3600), max_poll_records=1)
    await write(loop.log, "a1", "a2", "a3")
    async with loop.running():
        await until(lambda: loop.handled == ["a1", "a2", "a3"])
        assert loop.source.commits == []
    assert loop.source.commits == [{P0: 3}]


async def test_what_comes_while_the_loop_rests_is_one_batch() -> None:
    loop = Loop(a_log(), max_poll_records=10)
    loop.rest = lambda *_: 3600.0
    await write(loop.log, "a1")
    async with loop.running():
        await until(lambda: loop.committed == {P0: 1})  # what is finished does not wait for the rest
        for text in ("a2", "a3", "a4"):
            await write(loop.log, text)
        loop.consumer._interrupt.set()  # it has rested enough
        await until(lambda: len(loop.handled) == 4)
    assert loop.batches == [("a1",), ("a2", "a3", "a4")]


async def test_what_a_client_had_no_room_for_during_a_rest_is_of_the_same_batch() -> None:
    """It hands out what it fetched first, and fetches the others only then."""
    loop = Loop(a_log(), max_poll_records=1)
    loop.rest = lambda *_: 0.001
    await write(loop.log, "a1", "a2", "a3", "a4", "a5")
    async with loop.running():
        await until(lambda: len(loop.handled) == 5)
    assert loop.batches == [("a1",), ("a2", "a3"), ("a4", "a5")]


async def test_a_loop_may_always_take_what_comes_right_behind() -> None:
    loop = Loop(a_log(), max_poll_records=1, always_gathers=True)
    await write(loop.log, "a1", "a2", "a3")
    async with loop.running():
        await until(lambda: len(loop.handled) == 3)
    assert loop.batches == [("a1", "a2"), ("a3",)]


@pytest.mark.parametrize(
    ("took_seconds", "records", "rests"), [(0.02, 2, 0), (0.02, 3, 0.08), (0.3, 50, 0), (0.0, 1, 0)]
)
def test_batches_grow_under_load_and_only_then(took_seconds: float, records: int, rests: float) -> None:
    assert gathering(0.1)(took_seconds, records) == pytest.approx(rests)


async def test_what_hurries_ends_the_rest_and_comes_with_all_that_came_meanwhile() -> None:
    loop = Loop(a_log(), max_poll_records=10, hurries=lambda record: record.value == b"now")
    loop.rest = lambda *_: 3600.0
    await write(loop.log, "a1")
    async with loop.running():
        await until(lambda: loop.handled == ["a1"])
        await write(loop.log, "a2")
        await until(lambda: loop.source.lag == 0)
        assert loop.handled == ["a1"]
        await write(loop.log, "now")
        await until(lambda: len(loop.handled) == 3)
    assert loop.batches == [("a1",), ("a2", "now")]


async def test_what_an_outage_took_is_not_rested_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rest is for what a batch takes by itself."""
    clock = jumping.of_module(monkeypatch, consumer)
    loop = Loop(a_log())
    took: list[float] = []

    def rest(seconds: float, _: int) -> float:
        took.append(seconds)
        return 0.0

    def away_for_long(_: object) -> None:
        clock.seconds += 3600 if len(loop.batches) < 3 else 50
        if len(loop.batches) < 3:
            raise Away("mongodb")

    loop.rest, loop.before = rest, away_for_long
    await write(loop.log, "a1")
    async with loop.running():
        await until(lambda: took)
    assert 50 <= took[0] < 3600


@pytest.mark.parametrize("hurries", [None, lambda _: False])
async def test_a_rebalance_ends_the_rest(hurries: Callable[[Record], bool] | None) -> None:
    first = Loop(log := a_log(partitions=2), hurries=hurries)
    second = Loop(log)
    first.rest = lambda *_: 3600.0
    await write(log, "a1")
    async with first.running():
        await until(lambda: first.committed == {P0: 1})
        async with second.running():
            await until(lambda: second.assigned)
            await write(log, "a2")
            await until(lambda: "a2" in first.handled, seconds=30)


@pytest.mark.parametrize("hurries", [None, lambda _: False])
async def test_no_rest_is_begun_in_a_rebalance(hurries: Callable[[Record], bool] | None) -> None:
    first = Loop(log := a_log(partitions=2), hurries=hurries)
    second = Loop(log)
    first.rest = lambda *_: 3600.0
    first.gate.clear()
    await write(log, "a1")
    async with first.running():
        await until(lambda: first.batches)
        async with second.running():
            await until(lambda: first.consumer._revoking)
            first.gate.set()
            await until(lambda: second.assigned)
            await write(log, "a2")
            await until(lambda: "a2" in first.handled, seconds=30)


async def test_what_was_taken_and_is_not_begun_lags() -> None:
    loop = Loop(a_log(), hurries=lambda record: record.value == b"now")
    loop.rest = lambda *_: 3600.0
    loop.leaves = lambda text: text == "a2" and len(loop.batches) < 2
    await write(loop.log, "a1", "a2")
    async with loop.running():
        await until(lambda: loop.committed == {P0: 1})
        await write(loop.log, "a3", "a4")
        await until(lambda: loop.source.lag == 0)
        await until(lambda: loop.consumer.progress.lag == 3, seconds=30)
        await write(loop.log, "now")
        await until(lambda: loop.consumer.progress.lag == 0, seconds=30)
    assert loop.batches == [("a1", "a2"), ("a2", "a3", "a4", "now")]


async def test_what_a_handler_leaves_comes_with_the_next_batch_and_is_not_committed() -> None:
    loop = Loop(a_log(), max_poll_records=2)
    loop.leaves = lambda text: text == "a2" and len(loop.batches) < 3
    await write(loop.log, "a1", "a2", "a3", "a4")
    async with loop.running():
        await until(lambda: loop.committed == {P0: 1})
        await until(lambda: loop.committed == {P0: 4})
    assert loop.batches == [("a1", "a2"), ("a2", "a3", "a4"), ("a2",)]
    assert loop.handled == ["a1", "a3", "a4", "a2"]
    assert loop.decoded == ["a1", "a2", "a3", "a4"]


async def test_a_rest_ends_when_so_much_has_come_that_it_makes_a_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is still on the log may hurry, and so is not kept there."""
    monkeypatch.setattr(consumer, "MOST_TAKEN", 2)
    loop = Loop(a_log(), max_poll_records=1, hurries=lambda record: record.value == b"now")
    loop.rest = lambda *_: 3600.0
    await write(loop.log, "a1")
    async with loop.running():
        await until(lambda: loop.handled)
        await write(loop.log, "a2", "a3", "a4", "now")
        await until(lambda: len(loop.handled) == 5, seconds=30)
    assert loop.batches == [("a1",), ("a2", "a3"), ("a4", "now")]


async def test_however_much_was_left_what_comes_behind_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "MOST_TAKEN", 2)
    loop = Loop(a_log(), max_poll_records=1, hurries=lambda record: record.value == b"now")
    loop.rest = lambda *_: 3600.0
    loop.leaves = lambda text: text != "now"
    await write(loop.log, "a1", "a2", "a3", "a4", "now")
    async with loop.running():
        await until(lambda: loop.handled == ["now"], seconds=30)
    assert loop.batches[-1] == ("a1", "a2", "a3", "a4", "now")


async def test_after_what_was_left_and_hurries_there_is_no_rest() -> None:
    loop = Loop(a_log(), hurries=lambda record: record.value == b"now")
    loop.rest = lambda *_: 3600.0
    loop.leaves = lambda text: text == "now" and len(loop.batches) < 3
    await write(loop.log, "a1", "now")
    async with loop.running():
        await until(lambda: loop.handled == ["a1", "now"])
    assert loop.batches == [("a1", "now"), ("now",), ("now",)]


async def test_what_a_handler_left_at_the_stop_is_read_again() -> None:
    log = a_log()
    first = Loop(log)
    first.leaves = lambda text: text == "a2"
    await write(log, "a1", "a2", "a3")
    async with first.running():
        await until(lambda: first.handled == ["a1", "a3"])
    second = Loop(log)
    async with second.running():
        await until(lambda: second.handled == ["a2", "a3"])


async def test_what_a_handler_left_goes_with_its_partition() -> None:
    log = a_log(partitions=2)
    first, second = Loop(log), Loop(log)
    first.leaves = lambda _: True
    await write(log, "a1")
    await write(log, "b1", partition=1)
    async with first.running():
        await until(lambda: {*first.batches[-1:]} & {("a1", "b1"), ("b1", "a1")})
        async with second.running():
            await until(lambda: second.handled)
            first.leaves = lambda _: False
            await until(lambda: first.handled)
    assert sorted(first.handled + second.handled) == ["a1", "b1"]


def test_what_nobody_waits_for_is_gathered_from_the_first_record_on() -> None:
    assert gathering(0.5, few=0)(0.1, 1) == pytest.approx(0.4)


async def test_a_stop_does_not_wait_for_the_rest() -> None:
    loop = Loop(a_log())
    loop.rest = lambda *_: 3600.0
    await write(loop.log, "a1")
    async with loop.running() as task:
        await until(lambda: loop.committed == {P0: 1})
    assert task.exception() is None


async def test_a_handler_may_say_that_it_gets_on() -> None:
    """A batch that takes longer than a loop may be silent is no reason to end it."""
    loop = Loop(a_log(), settings=but(alive_seconds=ALIVE))
    loop.gate.clear()
    await write(loop.log, "a1")
    async with loop.running():
        await until(lambda: loop.batches)
        loop.consumer._progress_at -= 2 * ALIVE
        silent = loop.consumer.progress
        loop.consumer.progressed()
        assert (silent.is_alive, loop.consumer.progress.is_alive) == (False, True)
        loop.gate.set()


async def test_an_offset_is_committed_once() -> None:
    loop = Loop(a_log())
    await write(loop.log, "a1")
    async with loop.running():
        await until(lambda: loop.committed == {P0: 1})
        await asyncio.sleep(0.1)  # several commit intervals
    assert loop.source.commits == [{P0: 1}]


async def test_a_failed_commit_is_no_failure_and_is_made_up_for() -> None:
    loop = Loop(a_log())
    async with loop.running() as task:
        await until(lambda: len(loop.assigned) == 1)
        loop.gate.clear()
        await write(loop.log, "a1")
        await until(lambda: loop.batches)
        loop.log.go_away()
        loop.gate.set()
        await until(lambda: loop.handled)
        await asyncio.sleep(0.1)  # several commit intervals
        assert loop.committed == {}
        await loop.log.come_back()
        await until(lambda: loop.committed == {P0: 1})
        assert not task.done()


async def test_what_was_not_committed_is_delivered_again_and_what_was_is_not() -> None:
    log = a_log()
    first = Loop(log, max_poll_records=1)
    await write(log, "a1", "a2")

    def break_on_second(batch: object) -> None:
        if first.batches[-1] == ("a2",):
            raise ZeroDivisionError

    first.before = break_on_second
    async with first.running() as task:
        await first.end(task)
    second = Loop(log)
    async with second.running():
        await until(lambda: second.committed == {P0: 2})
    assert second.handled == ["a2"]


async def test_a_stop_finishes_the_batch_in_flight_and_commits_it() -> None:
    loop = Loop(a_log())
    loop.gate.clear()
    await write(loop.log, "a1", "a2")
    async with loop.running() as task:
        await until(lambda: loop.batches)
        stop = asyncio.create_task(loop.consumer.stop())
        await asyncio.sleep(0.05)
        assert not stop.done()
        loop.gate.set()
        await stop
        assert task.done()
    assert task.exception() is None
    assert loop.committed == {P0: 2}
    assert loop.revoked == [(P0, P1, P2)]


async def test_a_stop_is_bounded_and_drops_a_batch_that_hangs() -> None:
    loop = Loop(a_log(), settings=but(stop_seconds=0.1))
    loop.gate.clear()
    await write(loop.log, "a1")
    async with loop.running() as task:
        await until(lambda: loop.batches)
        begun = time.monotonic()
        await loop.consumer.stop()
        assert time.monotonic() - begun < 20
    assert task.exception() is None
    assert loop.handled == []
    assert loop.committed == {}


async def test_a_stop_does_not_wait_out_an_outage() -> None:
    loop = Loop(a_log(), settings=but(retry_first_seconds=60, retry_most_seconds=60))
    await write(loop.log, "a1")

    def away(_: object) -> None:
        raise Away("mongodb")

    loop.before = away
    async with loop.running() as task:
        await until(lambda: loop.batches)
        begun = time.monotonic()
        await loop.consumer.stop()
        assert time.monotonic() - begun < 30
    assert task.exception() is None
    assert loop.committed == {}


async def test_a_stop_before_the_run_is_harmless() -> None:
    loop = Loop(a_log())
    await loop.consumer.stop()
    await asyncio.wait_for(loop.consumer.run(), 30)
    assert loop.source.owned == frozenset()


async def test_a_cancelled_run_leaves_the_group() -> None:
    loop = Loop(a_log())
    async with loop.running() as task:
        await until(lambda: loop.assigned)
        task.cancel()
        await asyncio.wait({task}, timeout=30)
        assert task.cancelled()
    assert loop.source.owned == frozenset()


async def test_a_rebalance_waits_for_the_batch_in_flight_and_commits_it() -> None:
    log = a_log()
    first, second = Loop(log, settings=but(commit_interval_seconds=3600)), Loop(log)
    first.gate.clear()
    await write(log, "a1", "a2")
    await write(log, "b1", partition=1)
    async with first.running():
        await until(lambda: first.batches)
        async with second.running():
            await asyncio.sleep(0.05)
            assert second.assigned == []
            first.gate.set()
            await until(lambda: second.assigned)
            assert first.source.commits == [{P0: 2, P1: 1}]
            await write(log, "a3")
            await write(log, "b2", partition=1)
            await until(lambda: len(first.handled + second.handled) == 5)
    assert log.group("desk").committed == {P0: 3, P1: 2}
    assert sorted(first.handled + second.handled) == ["a1", "a2", "a3", "b1", "b2"]
    assert first.revoked[0] == (P0, P1, P2)


async def test_a_rebalance_does_not_wait_for_ever_and_the_late_batch_is_not_committed() -> None:
    log = a_log(partitions=2)
    first, second = Loop(log, settings=but(revoke_seconds=0.1)), Loop(log)
    first.gate.clear()
    await write(log, "b1", partition=1)
    async with first.running():
        await until(lambda: first.batches)
        async with second.running():
            await until(lambda: second.source.commits == [{P1: 1}])
            assert second.handled == ["b1"]
            first.gate.set()
            await until(lambda: first.handled == ["b1"])
            await write(log, "a1")
            await until(lambda: first.source.commits)
            assert first.source.commits == [{P0: 1}]


async def test_a_rebalance_in_an_outage_drops_the_batch_at_once() -> None:
    log = a_log()
    first = Loop(log, settings=but(retry_first_seconds=60, retry_most_seconds=60, revoke_seconds=60))
    second = Loop(log)
    await write(log, "a1")

    first.before = away_once(first)
    async with first.running():
        await until(lambda: first.batches)
        begun = time.monotonic()
        async with second.running():
            await until(lambda: second.assigned)
            assert time.monotonic() - begun < 20
            await until(lambda: log.group("desk").committed == {P0: 1})
    assert first.handled + second.handled == ["a1"]


async def test_who_gives_up_a_client_in_an_outage_does_not_wait_for_its_own_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The poll that keeps the group alive may find that the log is away too."""
    loop = Loop(a_log(), settings=but(revoke_seconds=3600))
    await write(loop.log, "a1")
    poll = loop.source.poll

    async def gives_up(timeout_seconds: float) -> Polled:
        if timeout_seconds or loop.revoked:
            return await poll(timeout_seconds)
        await loop.source.lose()
        loop.log.group(GROUP)._rebalance_soon()  # as if it had connected anew
        raise Away("kafka")

    monkeypatch.setattr(loop.source, "poll", gives_up)
    loop.before = away_once(loop)
    async with loop.running():
        await until(lambda: loop.committed == {P0: 1}, seconds=30)
    assert loop.batches == [("a1",), ("a1",)]
    assert loop.handled == ["a1"]


async def test_who_waits_for_a_dependency_does_not_poll_once_a_rebalance_waits_for_its_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The poll might give up the client, and wait for the rebalance."""
    first = Loop(log := a_log(), settings=but(retry_first_seconds=60, retry_most_seconds=60))
    second = Loop(log)
    await write(log, "a1")
    poll, polled_in_a_rebalance = first.source.poll, list[bool]()

    async def looks(timeout_seconds: float) -> Polled:
        if not timeout_seconds:
            polled_in_a_rebalance.append(first.consumer._revoking)
        return await poll(timeout_seconds)

    monkeypatch.setattr(first.source, "poll", looks)
    first.before = away_once(first)
    async with first.running():
        await until(lambda: polled_in_a_rebalance)
        async with second.running():
            await until(lambda: log.group(GROUP).committed == {P0: 1})
    assert not any(polled_in_a_rebalance)


async def test_the_assignment_is_told_before_its_first_record_is_handled() -> None:
    loop = Loop(a_log())
    order: list[str] = []
    loop.before_assigned = lambda: order.append("assigned")
    loop.before = lambda _: order.append("handled")
    await write(loop.log, "a1")
    async with loop.running():
        await until(lambda: loop.handled)
    assert order == ["assigned", "handled"]
    assert loop.assigned == [(P0, P1, P2)]


async def test_an_outage_while_told_of_an_assignment_is_waited_out() -> None:
    loop = Loop(a_log())
    left = [3]

    def away() -> None:
        if left[0]:
            left[0] -= 1
            raise Away("mongodb")

    loop.before_assigned = away
    await write(loop.log, "a1")
    async with loop.running():
        await until(lambda: loop.committed == {P0: 1})
    assert loop.assigned == [(P0, P1, P2)]


async def test_a_bug_while_told_of_an_assignment_ends_the_run() -> None:
    loop = Loop(a_log())

    def bug() -> None:
        raise LookupError("bug")

    loop.before_assigned = bug
    async with loop.running() as task:
        assert isinstance(await loop.end(task), LookupError)


async def test_a_batch_grows_only_under_load() -> None:
    loop = Loop(a_log())
    loop.gate.clear()
    async with loop.running():
        await until(lambda: loop.assigned)
        await write(loop.log, "a1")
        await until(lambda: loop.batches)
        await write(loop.log, "a2", "a3", "a4")
        loop.gate.set()
        await until(lambda: loop.committed == {P0: 4})
    assert loop.batches == [("a1",), ("a2", "a3", "a4")]


async def test_lag_without_progress_is_not_alive() -> None:
    loop = Loop(a_log(), settings=but(alive_seconds=0.1, stop_seconds=0.1))
    loop.gate.clear()
    await write(loop.log, "a1", "a2")
    async with loop.running():
        await until(lambda: loop.batches)
        assert loop.consumer.progress.lag == 2
        await until(lambda: not loop.consumer.progress.is_alive)
        loop.gate.set()
        await until(lambda: loop.consumer.progress.is_alive)
        await until(lambda: loop.consumer.progress.lag == 0)


async def test_an_outage_is_no_lack_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = jumping.of_module(monkeypatch, consumer)
    loop = Loop(a_log(), settings=but(alive_seconds=ALIVE))
    await write(loop.log, "a1")
    alive: list[bool] = []

    def away(_: object) -> None:
        alive.append(loop.consumer.progress.is_alive)
        clock.seconds += ALIVE / 2
        raise Away("mongodb")

    loop.before = away
    async with loop.running():
        await until(lambda: len(alive) >= 10)
        assert all(alive)
        assert loop.consumer.progress.lag == 1


async def test_an_idle_loop_is_alive_however_long_nothing_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = jumping.of_module(monkeypatch, consumer)
    loop = Loop(a_log(), settings=but(alive_seconds=ALIVE))
    async with loop.running():
        await until(lambda: loop.assigned)
        for _ in range(3):
            clock.seconds += ALIVE + 1
            await until(lambda: loop.consumer.progress.seconds_since < ALIVE)
        await write(loop.log, "a1")
        assert loop.consumer.progress.is_alive
        await until(lambda: loop.handled)
