"""What was found of notices on their way to many open pages, and what the table tells of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.crowd import Heard
from bench.openloop import Done
from bench.quantiles import curve, quantiles
from bench.stack import Broken
from bench.table import Chapter, Goal, Plot, Row, Series

TOGETHER = 5
"""Notices that are due at one moment: published together, they cost the driver less."""
_KIB = 1024
_HOW = (
    "One render process with Kafka and mongod, no ingest and no store; bounds of connections and of open"
    " files raised. {all:,} readers in another process have one article's stream open, as its page would have"
    " it. {notices} notices, one after another: times from when the first reader could read it to when the"
    " last one could, and from before it was published (acks=all). Memory of a reader: what the process takes"
    " up (PSS, where the system tells it) with all of them over what it took before, after {warm} readers had"
    " come and gone; once. Then {own:,} readers, each with an article of its own, and open load: {rate:,}"
    " notices a second in all, which go out as {bursts:,.10g} bursts of {together}, {loads} times for"
    " {seconds:g} s; delays count from when a notice was due. Warm-up: {warm_seconds:g} s of the same."
)


@dataclass(frozen=True)
class Plan:
    """How much is done: `everybody` hears so many `notices`; then there are `loads` of so many `seconds`, of
    `rate` notices a second, to `own` readers.
    """

    everybody: int
    notices: int
    own: int
    rate: int
    loads: int
    seconds: float
    warm_readers: int = 50
    warm_seconds: float = 2.0


@dataclass(frozen=True)
class Spread:
    """A notice on its way to everybody: seconds since it was given to the log until each reader had it, from
    the first reader on. `used`: processor seconds of render meanwhile.
    """

    seconds: Sequence[float]
    missed: int
    used: float

    @property
    def across(self) -> float:
        return self.seconds[-1] - self.seconds[0]


@dataclass(frozen=True)
class Told:
    """An open load of notices. `delays`: seconds from when each was due until its reader had it, in the order
    in which they were due. `unheard`: notices that nobody heard, superseded by a later one of the same
    article or lost. `lost`: readers who did not hear the last one. `cores`: of each process.
    """

    seconds: float
    delays: Sequence[float]
    late: Sequence[float]
    unheard: int
    lost: int
    cores: dict[str, float]

    @property
    def gained(self) -> float:
        """Seconds of delay that came on with each second of load: the last quarter beside the first."""
        quarter = max(1, len(self.delays) // 4)
        return (median(self.delays[-quarter:]) - median(self.delays[:quarter])) / (0.75 * self.seconds)


@dataclass(frozen=True)
class Found:
    """Everything that was measured. `readers`: so many had the stream of one article open; `own`: so many had
    one each.
    """

    plan: Plan
    readers: int
    own: int
    open_seconds: float
    reader_bytes: float
    spreads: Sequence[Spread]
    loads: Sequence[Told]


def spread_of(published: float, number: int, readers: int, heard: Iterable[Heard], used: float) -> Spread:
    """Of one notice. Raises: Broken when nobody heard it."""
    seconds = sorted(each.at - published for each in heard if each.number == number)
    if not seconds:
        raise Broken(f"none of {readers:,} readers heard a notice")
    return Spread(seconds, readers - len(seconds), used)


def told_of(
    done: Sequence[Done[None]],
    first: int,
    readers: int,
    heard: Iterable[Heard],
    cores: dict[str, float],
) -> Told:
    """Of a load whose notices have the numbers from `first` on, some due with each task that was `done`.

    Raises: Broken when nobody heard one.
    """
    due = {first + number: done[number // TOGETHER].due for number in range(len(done) * TOGETHER)}
    came = {each.number: each.at for each in heard if each.number in due}
    if not came:
        raise Broken(f"none of {readers:,} readers heard a notice of its own")
    last = {number % readers: number for number in due}
    lost = sum(number not in came for number in last.values())
    return Told(
        seconds=done[-1].due - done[0].due,
        delays=[came[number] - due[number] for number in sorted(came)],
        late=[each.began - each.due for each in done],
        unheard=len(due) - len(came),
        lost=lost,
        cores=cores,
    )


def chapter(found: Found) -> Chapter:
    """What was found, as rows."""
    plan = found.plan
    return Chapter(
        name="fan-out",
        title="Notices to many open pages",
        how=_HOW.format(
            all=found.readers,
            notices=len(found.spreads),
            warm=plan.warm_readers,
            own=found.own,
            rate=plan.rate,
            bursts=plan.rate / TOGETHER,
            together=TOGETHER,
            loads=len(found.loads),
            seconds=plan.seconds,
            warm_seconds=plan.warm_seconds,
        ),
        rows=[*_rows_of_one(found), *_rows_of_many(found)],
        details=_details(found),
        plots=_plots(found),
    )


def _rows_of_one(found: Found) -> list[Row]:
    """One notice to everybody. Nothing is promised for fewer readers than were wanted."""
    row = _rower(is_whole=found.readers >= found.plan.everybody)
    who = f"one notice to {found.readers:,} readers"
    return [
        row(f"{who}, from the first to the last", [1000 * s.across for s in found.spreads], "ms", 250),
        row(f"{who}, from publishing to the first", [1000 * s.seconds[0] for s in found.spreads], "ms"),
        row(f"{who}, from publishing to the last", [1000 * s.seconds[-1] for s in found.spreads], "ms"),
        row(f"{who}, who did not hear it", [float(s.missed) for s in found.spreads], "readers", 0),
        row(
            "processor time of render for it, each reader",
            [_each(s.used, found) for s in found.spreads],
            "us",
        ),
        row("memory of render for each reader", [found.reader_bytes / _KIB], "KiB", 15),
    ]


def _rower(*, is_whole: bool) -> Callable[..., Row]:
    """Makes rows that have their goals, or that have none."""

    def row(what: str, values: Sequence[float], unit: str, most: float | None = None) -> Row:
        return Row(what, values, unit, Goal(most) if most is not None and is_whole else None)

    return row


def _each(processor_seconds: float, found: Found) -> float:
    """Microseconds for a reader, of what all of them took."""
    return processor_seconds / found.readers * 1e6


def _rows_of_many(found: Found) -> list[Row]:
    row = _rower(is_whole=found.own >= found.plan.own)
    who = f"{found.plan.rate:,} notices a second to {found.own:,} readers"
    delays = [quantiles(load.delays) for load in found.loads]
    return [
        row(f"{who}, p50", [each.p50 for each in delays], "ms"),
        row(f"{who}, p99", [each.p99 for each in delays], "ms"),
        row(f"{who}, delay gained", [1000 * load.gained for load in found.loads], "ms each second", 5),
        row(f"{who}, who lost the last", [float(load.lost) for load in found.loads], "readers", 0),
        row(
            f"{who}, not heard (superseded or lost)",
            [float(load.unheard) for load in found.loads],
            "notices",
            0,
        ),
    ]


def _details(found: Found) -> list[str]:
    late = quantiles(each for load in found.loads for each in load.late)
    lines = [
        f"{found.readers:,} streams opened in {found.open_seconds:.1f} s,"
        f" {found.readers / found.open_seconds:,.0f} a second",
        f"Notices published late by the driver: p50 {late.p50:.1f} ms, p99 {late.p99:.1f} ms",
    ]
    for wanted, had in ((found.plan.own, found.own), (found.plan.everybody, found.readers)):
        if had < wanted:
            lines.insert(
                0,
                f"{wanted:,} readers were wanted: this system lets a process have fewer files open"
                f" (ulimit -Hn), so there were {had:,}, and what is promised for all is not judged",
            )
    for number, load in enumerate(found.loads, 1):
        cores = ", ".join(f"{name} {cores:.2f}" for name, cores in load.cores.items())
        lines.append(f"Cores while notices were published, load {number}: {cores}")
    return lines


def _plots(found: Found) -> list[Plot]:
    return [
        Plot(
            name="fan-out",
            title=f"One notice to {found.readers:,} readers: who has it, since the first had",
            x="percentile of readers",
            y="ms",
            series=[
                Series(f"notice {number}", curve(each - spread.seconds[0] for each in spread.seconds))
                for number, spread in enumerate(found.spreads, 1)
            ],
        ),
        Plot(
            name="fan-out-load",
            title=f"{found.plan.rate:,} notices a second to {found.own:,} readers: delay",
            x="percentile",
            y="ms",
            series=[
                Series(f"load {number}", curve(load.delays)) for number, load in enumerate(found.loads, 1)
            ],
        ),
    ]
