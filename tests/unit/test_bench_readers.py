"""The bench's readers: what they hear on real sockets, and what is made of it."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from bench import readers
from bench.audience import raise_open_files
from bench.crowd import Heard, a_crowd
from bench.fanout import TOGETHER, Found, Plan, Spread, Told, chapter, spread_of, told_of
from bench.openloop import Done
from bench.readers import a_notice, fitting
from bench.stack import Broken
from newsroom.kafka.fake import FakeLog, FakePublisher
from newsroom.notices import decode_notice
from services.render.live import Hub


@dataclass
class Site:
    """Answers as many streams as it has places, and refuses the others."""

    places: int
    address: str = ""
    asked: list[str] = field(default_factory=list)
    open: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head.split()[1].decode())
        if len(self.open) >= self.places:
            writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        self.open.append(writer)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await writer.drain()
        writer.write(b"retry: 2000\n\n")
        await reader.read()
        writer.close()

    def tell(self, wire: bytes) -> None:
        for writer in self.open:
            writer.write(wire)


@asynccontextmanager
async def a_site(places: int) -> AsyncIterator[Site]:
    site = Site(places)
    server = await asyncio.start_server(site.serve, "127.0.0.1", 0)
    async with server:
        site.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield site


async def the_wire(number: int) -> bytes:
    """A notice as render sends it to a reader."""
    log = FakeLog()
    await FakePublisher(log).publish(a_notice("a1", number, number))
    (record,) = log.records("newsroom.notices")
    hub = Hub("http://127.0.0.1:8000")
    subscription = hub.subscribe("a1", 0, None)
    hub.take(record.offset, decode_notice(record))
    return subscription.take()


async def test_every_reader_hears_a_notice_as_render_sends_it() -> None:
    async with a_site(places=5) as site, a_crowd(site.address, 5, "/live/a-{}?revision=1") as crowd:
        hearing = asyncio.create_task(crowd.hear(7, 5, 10))
        site.tell(await the_wire(7))
        heard = await hearing
        assert crowd.readers == 5
    assert sorted(site.asked) == [f"/live/a-{number}?revision=1" for number in range(5)]
    assert sorted((each.reader, each.number) for each in heard) == [(number, 7) for number in range(5)]


async def test_readers_do_not_count_what_was_told_before_nor_signs_of_life() -> None:
    async with a_site(places=2) as site, a_crowd(site.address, 2, "/live") as crowd:
        site.tell(b": still here\n\n" + await the_wire(6))
        site.tell(await the_wire(7) + await the_wire(8))
        heard = await crowd.hear(7, 4, 10)
        assert sorted(each.number for each in heard) == [7, 7, 8, 8]
        assert await crowd.hear(9, 1, 0.1) == []


async def test_a_crowd_of_which_some_are_refused_is_none() -> None:
    async with a_site(places=3) as site:
        with pytest.raises(Broken, match="of 4 readers only 3"):
            async with a_crowd(site.address, 4, "/live"):
                pass


@pytest.mark.parametrize(("open_files", "fits"), [(float("inf"), 10_000), (20_000, 10_000), (4_096, 3_584)])
def test_there_are_as_many_readers_as_files_may_be_open(open_files: float, fits: int) -> None:
    assert fitting(10_000, open_files) == fits


def test_a_notice_is_told_from_its_first_reader_to_its_last() -> None:
    heard = [Heard(0, 5, 10.3), Heard(1, 5, 10.1), Heard(2, 4, 9.9)]
    spread = spread_of(10.0, 5, 3, heard, used=0.2)
    assert spread.seconds == pytest.approx([0.1, 0.3])
    assert spread.across == pytest.approx(0.2)
    assert spread.missed == 1


def test_a_notice_that_nobody_heard_is_no_measurement() -> None:
    with pytest.raises(Broken, match="none of 3 readers"):
        spread_of(10.0, 5, 3, [Heard(2, 4, 9.9)], used=0.2)


def done(turns: int) -> list[Done[None]]:
    return [Done(due=100.0 + turn, began=100.5 + turn, result=None) for turn in range(turns)]


def heard_after(seconds: float, *missing: int) -> list[Heard]:
    """Of two readers and two turns, whose notices have the numbers 10 to 19; some are missing."""
    due = {10 + number: 100.0 + number // TOGETHER for number in range(2 * TOGETHER)}
    return [Heard(number % 2, number, at + seconds) for number, at in due.items() if number not in missing]


def test_a_delay_counts_from_when_a_notice_was_due() -> None:
    found = told_of(done(2), 10, 2, heard_after(0.7), {})
    assert found.delays == pytest.approx([0.7] * 2 * TOGETHER)
    assert found.late == pytest.approx([0.5, 0.5])
    assert (found.unheard, found.lost) == (0, 0)


def test_every_notice_that_nobody_heard_is_counted_and_a_last_one_is_lost() -> None:
    found = told_of(done(2), 10, 2, heard_after(0.7, 11, 12, 19), {})
    assert (found.unheard, found.lost) == (3, 1)


def test_a_load_that_nobody_heard_is_no_measurement() -> None:
    with pytest.raises(Broken, match="of its own"):
        told_of(done(2), 10, 2, [Heard(0, 9, 99.0)], {})


def a_load(*, first: float = 0.01, last: float = 0.01, lost: int = 0, unheard: int = 0) -> Told:
    delays = [first] * 50 + [last] * 50
    return Told(seconds=4.0, delays=delays, late=[0.001], unheard=unheard, lost=lost, cores={"render": 0.5})


def test_a_newsroom_that_falls_behind_gains_delay() -> None:
    assert a_load(first=0.01, last=0.31).gained == pytest.approx(0.1)
    assert a_load(first=0.31, last=0.01).gained == pytest.approx(-0.1)


def found(
    *,
    readers: int = 100,
    own: int = 10,
    across: float = 0.2,
    missed: int = 0,
    kib: float = 14,
    load: Told | None = None,
) -> Found:
    return Found(
        plan=Plan(everybody=100, notices=1, own=10, rate=10, loads=1, seconds=4.0),
        readers=readers,
        own=own,
        open_seconds=1.0,
        reader_bytes=kib * 1024,
        spreads=[Spread([0.1, 0.1 + across], missed, used=0.002)],
        loads=[load or a_load()],
    )


@pytest.mark.parametrize(
    ("told", "missed"),
    [
        (found(), ""),
        (found(across=0.26), "from the first to the last"),
        (found(missed=1), "who did not hear it"),
        (found(kib=16), "memory of render"),
        (found(load=a_load(last=0.1)), "delay gained"),
        (found(load=a_load(lost=1)), "who lost the last"),
        (found(load=a_load(unheard=1)), "not heard (superseded or lost)"),
    ],
)
def test_each_goal_of_the_readers_can_be_missed(told: Found, missed: str) -> None:
    missing = [row.what for row in chapter(told).rows if row.is_met is False]
    assert len(missing) == bool(missed)
    assert all(missed in what for what in missing)


def test_it_is_told_that_notices_go_out_in_bursts() -> None:
    assert "10 notices a second in all, which go out as 2 bursts of 5" in chapter(found()).how


def test_fewer_readers_than_wanted_are_told_and_not_judged() -> None:
    few = chapter(found(readers=50, across=9, kib=99))
    assert all(row.is_met is not False for row in few.rows)
    assert "100 readers were wanted" in few.details[0]
    assert "50" in few.details[0]
    assert "wanted" not in chapter(replace(found())).details[0]
    few = chapter(found(own=5, load=a_load(unheard=9)))
    assert all(row.is_met is not False for row in few.rows)
    assert "10 readers were wanted" in few.details[0]


@dataclass
class System:
    """Has a limit of open files, and refuses more than `most`, whatever the limit says."""

    most: int
    limits: tuple[int, int]

    def getrlimit(self, _: int) -> tuple[int, int]:
        return self.limits

    def setrlimit(self, _: int, limits: tuple[int, int]) -> None:
        if limits[0] == resource.RLIM_INFINITY or limits[0] > self.most:
            raise ValueError("current limit exceeds maximum limit")
        self.limits = limits


@pytest.mark.parametrize(
    ("limits", "most", "obtained"),
    [
        ((256, resource.RLIM_INFINITY), 245_760, 131_072),
        ((256, resource.RLIM_INFINITY), 10_240, 8_192),
        ((256, resource.RLIM_INFINITY), 256, 256),
        ((1_024, 20_000), 20_000, 20_000),
        ((20_000, 20_000), 20_000, 20_000),
    ],
)
def test_as_many_files_are_opened_as_the_system_really_lets(
    limits: tuple[int, int], most: int, obtained: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = System(most, limits)
    monkeypatch.setattr("resource.getrlimit", system.getrlimit)
    monkeypatch.setattr("resource.setrlimit", system.setrlimit)
    assert readers._open_files() == obtained
    assert system.limits == limits
    assert raise_open_files() == obtained
    assert system.limits == (obtained, limits[1])
