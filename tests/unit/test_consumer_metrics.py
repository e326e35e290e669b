"""What a consumer tells on `/metrics` while it waits, is given partitions, and meets bad records."""

from __future__ import annotations

from collections.abc import Callable

from newsroom.errors import Away
from newsroom.kafka.pause import Uncommitted
from newsroom.telemetry import metrics
from tests.unit.loops import P0, Loop, a_log, until, write

CONSUMER = "test"


def told(name: str, **labels: str) -> float:
    """A metric of the loop's; 0 before it was ever told."""
    return metrics.registry.get_sample_value(f"newsroom_{name}", {"consumer": CONSUMER, **labels}) or 0.0


def away_until(is_there: Callable[[], bool]) -> Callable[..., None]:
    def disturb(*_: object) -> None:
        if not is_there():
            raise Away("mongodb", "gone")

    return disturb


async def test_a_pause_is_told_while_it_lasts_and_its_length_afterwards() -> None:
    is_there = False
    loop = Loop(a_log())
    loop.before = away_until(lambda: is_there)
    tries, seconds = told("retries_total"), told("paused_seconds_total")
    await write(loop.log, "a1")
    async with loop.running():
        await until(lambda: told("paused", dependency="mongodb") == 1)
        await until(lambda: told("retries_total") >= tries + 2)
        is_there = True
        await until(lambda: loop.committed == {P0: 1})
    assert told("paused", dependency="mongodb") == 0
    assert told("paused_seconds_total") > seconds


def test_the_time_without_a_commit_is_told_until_one_goes_through() -> None:
    uncommitted = Uncommitted(CONSUMER)
    uncommitted.begins()
    uncommitted.tell()
    first = told("uncommitted_seconds")
    assert first > 0
    uncommitted.begins()
    uncommitted.tell()
    assert told("uncommitted_seconds") >= first
    uncommitted.ends()
    uncommitted.tell()
    assert told("uncommitted_seconds") == 0


async def test_partitions_and_assignments_are_counted() -> None:
    loop = Loop(a_log())
    before = told("assignments_total")
    async with loop.running():
        await until(lambda: told("consumer_partitions") == 3)
    assert told("assignments_total") == before + 1


async def test_a_row_of_bad_records_is_told_until_a_good_one_comes() -> None:
    loop = Loop(a_log(), max_poll_records=2)
    await write(loop.log, "bad 1", "bad 2")
    async with loop.running():
        await until(lambda: told("bad_records_in_row") == 2)
        await write(loop.log, "a1")
        await until(lambda: told("bad_records_in_row") == 0)
