"""The memory of each process: at rest, under load, and in a long run whether it grows under load."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from statistics import median

import uvloop

from bench.costs import MEGABYTE, memory
from bench.load import Load, load, work
from bench.stack import ONE_KEY, Broken, Newsroom, a_newsroom
from bench.table import Chapter, Goal, Plot, Row, Series, Size, Stand
from services.ingest.statuses import MAX_REMEMBERED

GOAL = Goal(5)
SOAK_SECONDS = 600.0
_UNIT = "% in 10 min"
_PARTS = 3
_CLIENTS = 32
_HOW = (
    "Memory of each process, shared pages in parts (PSS), looked at every {every_seconds:g} s: at rest in a"
    " newsroom that has just started, for {rest_seconds:g} s, then in an open load of {rate:g} events of"
    " every kind a second for {load_seconds:g} s. Each third of either gives one value, the median of its"
    " looks. The bound on one key is raised. Warm-up: {warm}."
)
_HOW_GROWTH = (
    " Growth is the line through the looks under load (the median of the slopes between any two, which no"
    " peak moves), over ten minutes, as part of the median. Up to {most:g} % counts as none: a garbage"
    " collector and an allocator move a process by a few percent, while a service of 100 MB that kept a"
    " kilobyte of each event would grow by six. What ingest keeps on purpose of the latest {kept:,} events is"
    " full before; what it keeps of the latest {kept:,} articles is half full, as every second event brings a"
    " new one, and grows on. MongoDB's cache and Java's heap may grow up to what they are set to (256 MB"
    " each)."
)


@dataclass(frozen=True)
class Plan:
    """For how long it is watched at rest, warmed up and watched under load; how many events a second; how
    often memory is looked at; how many events come before the warm-up.
    """

    rest_seconds: float
    warm_seconds: float
    load_seconds: float
    rate: float
    every_seconds: float
    filling: int = 0


PLANS = {
    Size.SMOKE: Plan(1, 1, 3, 2, 0.2, filling=20),
    Size.TABLE: Plan(6, 5, 24, 10, 1),
    Size.LONG: Plan(30, 60, SOAK_SECONDS, 10, 5, filling=MAX_REMEMBERED),
}


@dataclass(frozen=True)
class Look:
    """The bytes of each process, so many seconds after the first look."""

    seconds: float
    memory: Mapping[str, int]


@dataclass(frozen=True)
class Found:
    """What was seen at rest and under load, and what came of the load. `missing_before`: of the events of the
    warm-up, how many the public will not see.
    """

    at_rest: Sequence[Look]
    loaded: Sequence[Look]
    load: Load
    missing_before: int = 0


def measure_memory(stand: Stand) -> Chapter:
    """Raises: Broken, PartFailed, Misconfigured, Away; psutil.Error when a process is gone."""
    with a_newsroom(stand.folder / "home", stand.jars, stand.say, settings=ONE_KEY) as newsroom:
        return chapter(uvloop.run(_take(newsroom, stand)), PLANS[stand.size])


async def _take(newsroom: Newsroom, stand: Stand) -> Found:
    plan = PLANS[stand.size]
    stand.say(f"watching memory at rest for {plan.rest_seconds:g} s")
    async with looking(newsroom.pids, plan.every_seconds) as at_rest:
        await asyncio.sleep(plan.rest_seconds)
    missing = 0
    if plan.filling:
        stand.say(f"{plan.filling:,} events, so that what is kept of the latest is full")
        missing = await work(newsroom, plan.filling, _CLIENTS, "filling", stand.say)
    stand.say(f"{plan.warm_seconds:g} s to warm up, then {plan.load_seconds:g} s at {plan.rate:g} a second")
    missing += (await load(newsroom, plan.rate, plan.warm_seconds, "warm")).missing
    async with looking(newsroom.pids, plan.every_seconds) as loaded:
        done = await load(newsroom, plan.rate, plan.load_seconds, "soak")
    return Found(at_rest, loaded, done, missing)


@asynccontextmanager
async def looking(pids: Mapping[str, int], every_seconds: float) -> AsyncIterator[list[Look]]:
    """Look now, and again and again. Raises: psutil.Error when a process is gone."""
    begun = time.monotonic()

    async def look() -> Look:
        found = await asyncio.to_thread(lambda: {name: memory(pid) for name, pid in pids.items()})
        return Look(time.monotonic() - begun, found)

    async def go_on() -> None:
        while True:
            await asyncio.sleep(every_seconds)
            looks.append(await look())

    looks = [await look()]
    task = asyncio.create_task(go_on())
    try:
        yield looks
    finally:
        task.cancel()
        await asyncio.wait([task])
    if not task.cancelled():
        task.result()


def growth(looks: Sequence[Look], name: str) -> float:
    """By how many percent of its memory a process grows in ten minutes: Theil and Sen's line. Needs two looks
    at different times.
    """
    points = [(look.seconds, look.memory[name]) for look in looks]
    slopes = [
        (more - less) / (later - sooner)
        for (sooner, less), (later, more) in itertools.combinations(points, 2)
        if later > sooner
    ]
    level = median(bytes_ for _, bytes_ in points)
    return 100 * SOAK_SECONDS * median(slopes) / level


def chapter(found: Found, plan: Plan) -> Chapter:
    """What the looks tell, one of each kind at least. Growth only of a whole soak.

    Raises: Broken when no event of the load came through.
    """
    if len(found.load.through) <= found.load.lost:
        raise Broken(f"no event was through under load: {_of_load(found.load)}")
    names, is_soak = list(found.loaded[0].memory), plan.load_seconds >= SOAK_SECONDS
    how = _HOW + (_HOW_GROWTH if is_soak else "")
    return Chapter(
        name="memory",
        title="Memory at rest and under load",
        how=how.format(**asdict(plan), warm=_warm(plan), most=GOAL.bound, kept=MAX_REMEMBERED),
        rows=[
            *(_grown(found.loaded, names) if is_soak else ()),
            Row("under load: refused, rejected or lost", [float(found.load.missing)], "events", Goal(0)),
            Row("before it: refused, rejected or lost", [float(found.missing_before)], "events", Goal(0)),
            *_levels(found, names),
        ],
        details=[_peaks(found.loaded, names), _of_load(found.load)],
        plots=[_plot(found.loaded, names)] if is_soak else [],
    )


def _grown(looks: Sequence[Look], names: Sequence[str]) -> Iterator[Row]:
    for name in names:
        yield Row(f"{name}: growth under load", [growth(looks, name)], _UNIT, GOAL)


def _levels(found: Found, names: Sequence[str]) -> Iterator[Row]:
    for what, looks in (("at rest", found.at_rest), ("under load", found.loaded)):
        for name in names:
            yield Row(f"{name} {what}", _thirds([look.memory[name] for look in looks]), "MB")
        yield Row(f"all of them {what}", _thirds([sum(look.memory.values()) for look in looks]), "MB")


def _thirds(memory_bytes: Sequence[int]) -> list[float]:
    """The median of each third, one after the other, in megabytes; of one or two looks, each."""
    edges = [len(memory_bytes) * part // _PARTS for part in range(_PARTS + 1)]
    parts = [memory_bytes[begin:end] for begin, end in itertools.pairwise(edges)]
    return [median(part) / MEGABYTE for part in parts if part]


def _warm(plan: Plan) -> str:
    filling = f"{plan.filling:,} such events as fast as it carries, then " if plan.filling else ""
    return f"{filling}{plan.warm_seconds:g} s of the same load"


def _peaks(looks: Sequence[Look], names: Sequence[str]) -> str:
    peaks = (f"{name} {max(look.memory[name] for look in looks) / MEGABYTE:.0f} MB" for name in names)
    return f"Peaks under load: {', '.join(peaks)}."


def _of_load(done: Load) -> str:
    through = len(done.through) - done.lost
    return f"Under load {through:,} events were through; refused, rejected or lost: {done.missing:,}."


def _plot(looks: Sequence[Look], names: Sequence[str]) -> Plot:
    return Plot(
        name="soak",
        title="Memory of each process under load",
        x="minutes",
        y="MB",
        series=[
            Series(name, [(look.seconds / 60, look.memory[name] / MEGABYTE) for look in looks])
            for name in names
        ],
    )
