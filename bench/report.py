"""From what was measured to what is printed: medians, p99, ratios, and whether the goals are met."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.idle import Cost
from bench.live import LIVE_ENTRIES, LivePair
from bench.sustained import Load

RATIO_GOAL = 3.0
LIVE_RATIO_GOAL = 2.0
MEMORY_GOAL_MB = 1024
SERVICES_MEMORY_GOAL_MB = 250
CPU_GOAL_CORES = 0.05
SERVICES = ("ingest", "store", "render")
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Pair:
    """One publication and one walk over the floor, measured right after each other.

    `page_seconds`: from before the POST until the page was fetched. `moments`: what happened on the way,
    seconds since the POST by the system clock (whole milliseconds). `floor`: those of each of its steps.
    """

    page_seconds: float
    moments: Mapping[str, float]
    floor: Mapping[str, float]


@dataclass(frozen=True)
class Quantiles:
    """Median and 99th percentile, milliseconds."""

    p50: float
    p99: float


@dataclass(frozen=True)
class Goal:
    """Something the newsroom promises, and whether this run kept it."""

    what: str
    is_met: bool


@dataclass(frozen=True)
class Step:
    """A part of the way: how far from the POST it ended, and how long it took, medians in milliseconds."""

    name: str
    since_post: float
    took: float


@dataclass(frozen=True)
class Live:
    """What a live article's first entry took, and a further one where there are many."""

    pairs: int
    first: Quantiles
    further: Quantiles

    @property
    def ratio(self) -> Quantiles:
        """How many times the first entry a further one takes."""
        return Quantiles(self.further.p50 / self.first.p50, self.further.p99 / self.first.p99)


@dataclass(frozen=True)
class LoadRow:
    """A load of `rate` events a second: how many were carried, and how long after they were due.

    None where there was none. `missing`: refused, rejected or lost; those that were lost count among
    `through` with the time after which they were given up. `cores`: of each process, processor time over wall
    time.
    `sent`: of each kind, how many.
    """

    rate: float
    carried: float
    accepted: Quantiles | None
    through: Quantiles | None
    late: Quantiles
    missing: int
    cores: Mapping[str, float]
    sent: Mapping[str, int]


@dataclass(frozen=True)
class Report:
    """Everything one run found out. `steps` are in the order in which they happened."""

    pairs: int
    page: Quantiles
    floor: Quantiles
    floor_steps: Mapping[str, Quantiles]
    steps: Sequence[Step]
    idle: Mapping[str, Cost] = field(default_factory=dict)
    live: Live | None = None
    loads: Sequence[LoadRow] = ()

    @property
    def ratio(self) -> Quantiles:
        """How many times the floor a page takes."""
        return Quantiles(self.page.p50 / self.floor.p50, self.page.p99 / self.floor.p99)

    @property
    def memory_mb(self) -> float:
        return sum(cost.memory_bytes for cost in self.idle.values()) / _MEGABYTE

    @property
    def services_memory_mb(self) -> float:
        return sum(self.idle[name].memory_bytes for name in SERVICES if name in self.idle) / _MEGABYTE

    @property
    def cores(self) -> float:
        return sum(cost.cores for cost in self.idle.values())

    def goals(self) -> list[Goal]:
        """The promises of which this run has a figure."""
        goals = [Goal(f"page p50 at most {RATIO_GOAL:g} x the floor", self.ratio.p50 <= RATIO_GOAL)]
        if self.live:
            what = f"an entry p50 behind {LIVE_ENTRIES:,} others at most {LIVE_RATIO_GOAL:g} x the first"
            goals.append(Goal(what, self.live.ratio.p50 <= LIVE_RATIO_GOAL))
        if self.idle:
            goals += [
                Goal(f"idle memory under {MEMORY_GOAL_MB} MB", self.memory_mb < MEMORY_GOAL_MB),
                Goal(
                    f"idle memory of the three services under {SERVICES_MEMORY_GOAL_MB} MB",
                    self.services_memory_mb < SERVICES_MEMORY_GOAL_MB,
                ),
                Goal(f"idle under {CPU_GOAL_CORES:.0%} of a core", self.cores < CPU_GOAL_CORES),
            ]
        return goals


def report(
    pairs: Sequence[Pair],
    idle: Mapping[str, Cost],
    live_pairs: Sequence[LivePair] = (),
    loads: Sequence[Load] = (),
) -> Report:
    """Sum up a run. Needs one pair at least; of live entries only what was measured is told."""
    floor_names = list(pairs[0].floor)
    return Report(
        pairs=len(pairs),
        page=quantiles(pair.page_seconds for pair in pairs),
        floor=quantiles(sum(pair.floor.values()) for pair in pairs),
        floor_steps={name: quantiles(pair.floor[name] for pair in pairs) for name in floor_names},
        steps=steps(pairs),
        idle=idle,
        live=_live_of(live_pairs) if live_pairs else None,
        loads=[_load_of(load) for load in loads],
    )


def _load_of(load: Load) -> LoadRow:
    return LoadRow(
        rate=load.rate,
        carried=load.carried,
        accepted=quantiles(load.accepted) if load.accepted else None,
        through=quantiles(load.through) if load.through else None,
        late=quantiles(load.late_seconds),
        missing=load.refused + load.rejected + load.lost,
        cores=load.cores,
        sent=load.sent,
    )


def _live_of(pairs: Sequence[LivePair]) -> Live:
    return Live(
        pairs=len(pairs),
        first=quantiles(pair.first_seconds for pair in pairs),
        further=quantiles(pair.further_seconds for pair in pairs),
    )


def quantiles(seconds: Iterable[float]) -> Quantiles:
    """Of seconds, in milliseconds. By nearest rank: each is a value that was measured."""
    ordered = sorted(seconds)
    return Quantiles(p50=_rank(ordered, 0.50) * 1000, p99=_rank(ordered, 0.99) * 1000)


def _rank(ordered: Sequence[float], share: float) -> float:
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def steps(pairs: Sequence[Pair]) -> list[Step]:
    """What every pair told, in the order of its medians; each took as long as it ended behind the former."""
    names = set.intersection(*(set(pair.moments) for pair in pairs))
    medians = {name: quantiles(pair.moments[name] for pair in pairs).p50 for name in names}
    ordered = sorted(names, key=lambda name: (medians[name], name))
    found: list[Step] = []
    former = ""
    for name in ordered:
        took = (pair.moments[name] - pair.moments.get(former, 0.0) for pair in pairs)
        found.append(Step(name, medians[name], quantiles(took).p50))
        former = name
    return found


def as_json(found: Report) -> dict[str, Any]:
    """The same for machines. Times in milliseconds."""
    return {
        **asdict(found),
        "ratio": asdict(found.ratio),
        "live_ratio": asdict(found.live.ratio) if found.live else None,
        "memory_mb": round(found.memory_mb, 1),
        "services_memory_mb": round(found.services_memory_mb, 1),
        "cores": round(found.cores, 4),
        "goals": [asdict(goal) for goal in found.goals()],
    }


def as_text(found: Report) -> str:
    """The same for people."""
    parts = [
        _speed(found),
        _way(found),
        _floor(found),
        _live(found),
        _loads(found),
        _idle(found),
        _goals(found),
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def _speed(found: Report) -> list[str]:
    return [
        f"{found.pairs} publications and {found.pairs} walks over the floor, by turns        p50         p99",
        _row("POST -> page fetched", found.page),
        _row("floor: the same parts, one after another", found.floor),
        f"  {'ratio':<44}{found.ratio.p50:>9.2f} x {found.ratio.p99:>9.2f} x",
    ]


def _way(found: Report) -> list[str]:
    lines = ["The way of a publication (medians)                  since POST        took"]
    return lines + [f"  {s.name:<44}{s.since_post:>9.1f} ms{s.took:>9.1f} ms" for s in found.steps]


def _floor(found: Report) -> list[str]:
    lines = ["The floor                                                  p50         p99"]
    return lines + [_row(name, of) for name, of in found.floor_steps.items()]


def _live(found: Report) -> list[str]:
    if found.live is None:
        return []
    ratio = found.live.ratio
    return [
        f"{found.live.pairs} pairs of entries in live articles, by turns                p50         p99",
        _row("POST -> rendered, the first entry", found.live.first),
        _row(f"POST -> rendered, behind {LIVE_ENTRIES:,} others", found.live.further),
        f"  {'ratio':<44}{ratio.p50:>9.2f} x {ratio.p99:>9.2f} x",
    ]


def _loads(found: Report) -> list[str]:
    """A line for each load: what does not keep up shows in its own row."""
    if not found.loads:
        return []
    lines = ["Events of every kind, open load    carried through p50         p99    accepted p99  missing"]
    for load in found.loads:
        through = (
            [f"{each:.0f} ms" for each in (load.through.p50, load.through.p99)] if load.through else ["–"] * 2
        )
        lines.append(
            f"  {f'{load.rate:g} a second':<28}{load.carried:>8.0f} /s{through[0]:>12}{through[1]:>12}"
            f"{f'{load.accepted.p99:.1f} ms' if load.accepted else '–':>16}{load.missing:>9}"
        )
        cores = ", ".join(f"{name} {cores:.2f}" for name, cores in load.cores.items())
        sent = ", ".join(f"{count} {kind}" for kind, count in sorted(load.sent.items()))
        lines += [f"    cores: {cores}; driver late p99 {load.late.p99:.1f} ms", f"    sent: {sent}"]
    return lines


def _row(name: str, of: Quantiles) -> str:
    return f"  {name:<44}{of.p50:>9.1f} ms{of.p99:>9.1f} ms"


def _idle(found: Report) -> list[str]:
    if not found.idle:
        return []
    lines = ["At rest                                                 memory     of a core"]
    lines += [
        f"  {name:<44}{cost.memory_bytes / _MEGABYTE:>9.0f} MB{cost.cores:>11.1%}"
        for name, cost in found.idle.items()
    ]
    return [
        *lines,
        f"  {'the three services':<44}{found.services_memory_mb:>9.0f} MB",
        f"  {'all':<44}{found.memory_mb:>9.0f} MB{found.cores:>11.1%}",
    ]


def _goals(found: Report) -> list[str]:
    return [f"  {'met   ' if goal.is_met else 'MISSED'}  {goal.what}" for goal in found.goals()]
