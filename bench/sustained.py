"""How many events a second the whole newsroom carries to the page, of every kind, in open load."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import uvloop

from bench.load import Load, load, worked_off
from bench.quantiles import quantiles, times
from bench.stack import ONE_KEY, RENDERS, Newsroom, a_newsroom
from bench.table import Chapter, Goal, Plot, Row, Series, Size, Stand
from bench.traffic import SHARES

RATES = (5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 500.0)
GOAL, MILESTONE = 500, 150
MOST_SECONDS = 1.0
"""In which 99 of 100 events are through where a load is carried, and half where it is kept up with."""
GROWN_TIMES, GROWN_SECONDS = 2.0, 0.25
"""By this factor and by so much the last third's p50 is above the first third's where a backlog grows."""
_HOLDS = 2
"""How many rates are held at most: the whole table has twenty minutes."""
_KINDS = ", ".join(f"{share} {kind}" for kind, share in SHARES.items())
_HOW = (
    "Open loop: each event is sent when it is due, however long those before it take, and its time counts"
    " from then until render tells that the public sees it (of what has no page, until it is stored). Of 100"
    f" events {_KINDS}; {RENDERS} processes render; the driver is on the same machine. Settings as they come,"
    " but for the bound on one key, which is raised."
    f" A rate is carried when p99 is under {MOST_SECONDS:g} s and nothing is refused, rejected or lost; it is"
    " kept up with when that holds for p50, and neither where the backlog grows: where p50 of the last third"
    f" of its events is more than {GROWN_TIMES:g} times that of the first and at least {GROWN_SECONDS:g} s"
    f" above it. Rates go up, {{step:g}} s each, until one is not kept up with; then"
    " by halves between what is carried and what is not. The highest that was carried is held for {hold:g} s,"
    " and where that fails the highest of at most half of it. Of that load each third gives one p50, and p99"
    " is of all of it. Warm-up: the lower rates."
)


@dataclass(frozen=True)
class Plan:
    """Which rates are tried, for how long each, how often the gap is halved, how long the highest is held."""

    rates: Sequence[float]
    step_seconds: float
    halvings: int
    hold_seconds: float


PLANS = {
    Size.SMOKE: Plan((1.0, 2.0), 2, 0, 3),
    Size.TABLE: Plan(RATES, 15, 2, 60),
    Size.LONG: Plan((*RATES, 700.0, 1_000.0), 60, 3, 300),
}


@dataclass(frozen=True)
class Climb:
    """The loads that were tried in order, and those that were then held for longer."""

    tried: Sequence[Load]
    held: Sequence[Load]

    @property
    def carried(self) -> Load | None:
        """The load that was carried over the long time, if any was."""
        return next((load for load in self.held if is_carried(load)), None)


def is_carried(load: Load) -> bool:
    """Whether all of it came through, and in time."""
    return is_kept_up_with(load) and quantiles(load.through).p99 < MOST_SECONDS * 1000


def is_kept_up_with(load: Load) -> bool:
    """Whether all of it came through, half of it in time, and no backlog grows: it does not fall behind."""
    if load.missing or not load.through or is_growing(load.through):
        return False
    return quantiles(load.through).p50 < MOST_SECONDS * 1000


def is_growing(through: Sequence[float]) -> bool:
    """Whether those that were due last waited so much longer than the first that a backlog grows.

    `through`: in the order in which they were due, one at least.
    """
    thirds = _thirds(through)
    first, last = (quantiles(third).p50 / 1000 for third in (thirds[0], thirds[-1]))
    return last > GROWN_TIMES * first and last - first >= GROWN_SECONDS


def measure_sustained(stand: Stand) -> Chapter:
    """Raises: Broken, PartFailed, Misconfigured, Away."""
    plan = PLANS[stand.size]
    with a_newsroom(
        stand.folder / "home", stand.jars, stand.say, settings=ONE_KEY, renders=RENDERS
    ) as newsroom:
        return chapter(uvloop.run(_climb(newsroom, plan, stand.say)), plan)


async def _climb(newsroom: Newsroom, plan: Plan, say: Callable[[str], None]) -> Climb:
    """One rate after another, each when nothing of the former one is left to do."""

    async def step(rate: float, seconds: float, name: str) -> Load:
        say(f"{rate:g} events a second for {seconds:g} s")
        found = await load(newsroom, rate, seconds, name)
        say(_verdict(found))
        await worked_off(newsroom)
        return found

    tried: list[Load] = []
    while (rate := next_rate(tried, plan)) is not None:
        tried.append(await step(rate, plan.step_seconds, f"step-{len(tried)}"))
    held: list[Load] = []
    while (rate := next_held(tried, held)) is not None:
        held.append(await step(rate, plan.hold_seconds, f"held-{len(held)}"))
    return Climb(tried, held)


def next_rate(tried: Sequence[Load], plan: Plan) -> float | None:
    """What to try after these: the next one up; after one that was not kept up with, or the last, halfway
    from what was carried to what was not; None at the end.
    """
    up = tried[: len(plan.rates)]
    behind = next((number for number, each in enumerate(up) if not is_kept_up_with(each)), None)
    if behind is None and len(tried) < len(plan.rates):
        return plan.rates[len(tried)]
    climbed = len(plan.rates) if behind is None else behind + 1
    if len(tried) - climbed >= plan.halvings or all(map(is_carried, tried)):
        return None
    return (_ceiling(tried) + max(candidates(tried), default=0.0)) / 2


def candidates(tried: Sequence[Load]) -> list[float]:
    """The rates that were carried, below the lowest that was not; the highest first."""
    return sorted(
        (each.rate for each in tried if is_carried(each) and each.rate < _ceiling(tried)), reverse=True
    )


def next_held(tried: Sequence[Load], held: Sequence[Load]) -> float | None:
    """Which of the rates that were carried to hold after these: the highest; where it was not carried for
    longer, the highest of at most half of it, for what fails there fails near there, too; None at the end.
    """
    if len(held) == _HOLDS or any(map(is_carried, held)):
        return None
    most = held[-1].rate / 2 if held else math.inf
    return next((rate for rate in candidates(tried) if rate <= most), None)


def _ceiling(tried: Sequence[Load]) -> float:
    return min((each.rate for each in tried if not is_carried(each)), default=math.inf)


def chapter(climb: Climb, plan: Plan) -> Chapter:
    """The highest rate that was held, or none."""
    carried = climb.carried
    rate = carried.rate if carried else 0.0
    return Chapter(
        name="sustained",
        title="Events of every kind in open load",
        how=_HOW.format(step=plan.step_seconds, hold=plan.hold_seconds),
        rows=[
            Row(
                f"carried for {plan.hold_seconds:g} s, all kinds",
                [rate],
                "events/s",
                Goal(GOAL, is_most=False),
            ),
            Row("kept up with, whatever p99", [_kept_up_with(climb)], "events/s"),
            *(_times_of(carried) if carried else ()),
        ],
        details=[
            *_lines(climb),
            f"First milestone, {MILESTONE} events/s: {'reached' if rate >= MILESTONE else 'not reached'}",
        ],
        plots=[_plot(climb)],
    )


def _kept_up_with(climb: Climb) -> float:
    return max((each.rate for each in climb.tried if is_kept_up_with(each)), default=0.0)


def _verdict(load: Load) -> str:
    if is_carried(load):
        return "carried"
    return "kept up with" if is_kept_up_with(load) else "fell behind"


def _times_of(carried: Load) -> list[Row]:
    return [
        *times(f"due to rendered at {carried.rate:g} events/s", _thirds(carried.through)),
        *times(f"due to accepted at {carried.rate:g} events/s", _thirds(carried.accepted)),
    ]


def _thirds(seconds: Sequence[float]) -> list[Sequence[float]]:
    """Of the first third of the events, of those in the middle, of the last."""
    size = math.ceil(len(seconds) / 3)
    return [seconds[begin : begin + size] for begin in range(0, len(seconds), size)]


def _lines(climb: Climb) -> list[str]:
    """A line for each load: what does not keep up shows in its own row."""
    head = "Events of every kind, open load   through      p50         p99    accepted p99  missing"
    return [head, *(line for each in (*climb.tried, *climb.held) for line in _of(each))]


def _of(load: Load) -> list[str]:
    name = f"{load.rate:g} a second, {load.seconds:.0f} s"
    p50, p99 = _told(load.through)
    cores = ", ".join(f"{name} {cores:.2f}" for name, cores in load.cores.items())
    sent = ", ".join(f"{count} {kind}" for kind, count in sorted(load.sent.items()))
    kinds = ", ".join(f"{kind} {_told(times)[1]}" for kind, times in sorted(load.by_kind.items()))
    return [
        f"  {name:<28}{load.throughput:>8.1f} /s{p50:>12}{p99:>12}{_told(load.accepted)[1]:>14}"
        f"{load.missing:>9}  {_verdict(load)}",
        f"    cores: {cores}; driver late p99 {quantiles(load.late_seconds).p99:.1f} ms",
        f"    sent: {sent}",
        f"    p99 by kind: {kinds}",
    ]


def _told(seconds: Sequence[float]) -> tuple[str, str]:
    if not seconds:
        return "–", "–"
    found = quantiles(seconds)
    return f"{found.p50:.0f} ms", f"{found.p99:.0f} ms"


def _plot(climb: Climb) -> Plot:
    loads = sorted((each for each in climb.tried if each.through), key=lambda each: each.rate)
    found = [(each.rate, quantiles(each.through), quantiles(each.accepted)) for each in loads]
    return Plot(
        name="sustained",
        title="From due to rendered, by load",
        x="events a second",
        y="ms",
        series=[
            Series("rendered, p50", [(rate, through.p50) for rate, through, _ in found]),
            Series("rendered, p99", [(rate, through.p99) for rate, through, _ in found]),
            Series("accepted, p99", [(rate, accepted.p99) for rate, _, accepted in found]),
        ],
        is_logarithmic=True,
    )
