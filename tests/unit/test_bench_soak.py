"""The benchmark's memory: how growth is told from noise."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace

import psutil
import pytest

from bench.load import Load
from bench.soak import PLANS, Found, Look, chapter, growth, looking
from bench.stack import Broken
from bench.table import Row, Size

MB = 1024 * 1024
NOTHING = Load(10, 1, [0.1], [0.01], [0.0], refused=0, rejected=0, lost=0)


def looks(*megabytes: float, every: float = 5) -> list[Look]:
    """Of one process."""
    return [Look(number * every, {"store": round(each * MB)}) for number, each in enumerate(megabytes)]


def a_line(begin: float, end: float, count: int = 121) -> list[float]:
    return [begin + (end - begin) * number / (count - 1) for number in range(count)]


def rows(size: Size, loaded: Sequence[Look]) -> dict[str, Row]:
    found = chapter(Found(looks(50, 51, 52), loaded, NOTHING), PLANS[size])
    return {row.what: row for row in found.rows}


def test_growth_is_that_of_ten_minutes() -> None:
    assert growth(looks(*a_line(95, 105)), "store") == pytest.approx(10, abs=0.1)
    assert growth(looks(*a_line(95, 105, 61)), "store") == pytest.approx(20, abs=0.1)


def test_a_peak_is_no_growth() -> None:
    level = [100.0] * 100 + [180.0] * 15 + [100.0] * 6
    assert growth(looks(*level), "store") == pytest.approx(0, abs=0.1)


def test_what_moves_up_and_down_does_not_grow() -> None:
    assert growth(looks(*[100, 103, 98, 101] * 30), "store") == pytest.approx(0, abs=0.5)


@pytest.mark.parametrize(("end", "is_met"), [(104, True), (106, False), (90, True)])
def test_five_percent_count_as_none(end: float, is_met: bool) -> None:
    assert rows(Size.LONG, looks(*a_line(100, end)))["store: growth under load"].is_met is is_met


def test_a_short_load_tells_no_growth() -> None:
    assert list(rows(Size.TABLE, looks(*a_line(90, 110)))) == [
        "under load: refused, rejected or lost",
        "before it: refused, rejected or lost",
        "store at rest",
        "all of them at rest",
        "store under load",
        "all of them under load",
    ]


def test_events_that_went_missing_are_told_and_none_may() -> None:
    load = replace(NOTHING, through=[0.1] * 5, refused=1, rejected=2, lost=3)
    found = {row.what: row for row in chapter(Found(looks(50), looks(60), load, 4), PLANS[Size.TABLE]).rows}
    under, before = (found[f"{when}: refused, rejected or lost"] for when in ("under load", "before it"))
    assert (under.value, under.is_met) == (6, False)
    assert (before.value, before.is_met) == (4, False)
    assert rows(Size.TABLE, looks(60))["under load: refused, rejected or lost"].is_met


def test_memory_under_a_load_that_did_not_come_through_is_no_measurement() -> None:
    lost = replace(NOTHING, through=[60.0] * 3, refused=4, lost=3)
    with pytest.raises(Broken, match="no event was through under load"):
        chapter(Found(looks(50), looks(60), lost), PLANS[Size.TABLE])


def test_a_watch_is_told_in_thirds() -> None:
    found = rows(Size.TABLE, looks(60, 60, 80, 90, 90, 70))
    assert list(found["store at rest"].values) == [50, 51, 52]
    assert list(found["store under load"].values) == [60, 85, 80]


@pytest.mark.parametrize("count", [1, 2])
def test_fewer_looks_than_thirds_are_told_one_by_one(count: int) -> None:
    assert list(rows(Size.SMOKE, looks(*[60] * count))["store under load"].values) == [60] * count


async def test_looks_are_taken_until_the_end() -> None:
    async with looking({"this": os.getpid()}, 0.01) as found:
        await asyncio.sleep(0.2)
    count = len(found)
    assert count > 1
    assert found[0].memory["this"] > MB
    assert found[-1].seconds > found[0].seconds
    await asyncio.sleep(0.05)
    assert len(found) == count


@pytest.mark.parametrize("ends", ["before", "meanwhile"])
async def test_a_process_that_is_gone_is_told(ends: str) -> None:
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=subprocess.PIPE)
    if ends == "before":
        await child.communicate(b"\n")

    async def look() -> None:
        async with looking({"gone": child.pid}, 0.01):
            await child.communicate(b"\n")
            await asyncio.sleep(0.2)

    with pytest.raises(psutil.NoSuchProcess):
        await look()
