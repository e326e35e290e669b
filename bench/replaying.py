"""Pages and MongoDB deleted, the log read again: how many events a second until all of it stands."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import uvloop

from bench.bulk import put_on_log
from bench.chronicle import Chronicle
from bench.costs import processor_seconds
from bench.finish import Standing, aside, finished
from bench.rebuild import often
from bench.stack import RENDERS, Broken, Newsroom, a_newsroom
from bench.table import Chapter, Goal, Row, Size, Stand
from desk.parts.service import ask_health
from faults.stage.arena import DATABASES
from faults.stage.written import drop

GOAL = Goal(2000, is_most=False)
_NAME, _TITLE = "replay", "Pages and MongoDB deleted, the log read again"
_PATIENCE_SECONDS = 3600.0
_ASK_SECONDS = 0.2
_GROWTH = 4
_HISTORY = "/history/index.html"
_HOW = (
    "{events:,} events of every kind{fewer} lie on the log, of {articles:,} articles, put there past the"
    " door. {times} the services are stopped, both databases dropped and the pages moved aside, as deleting"
    " many files would slow what comes next. Then the services are started, and the time runs from there,"
    " their own start included. The store is ready when all events are folded and every article is announced."
    " All is done when the last file came to stand, pages, listings and compressed siblings, as the file"
    " itself tells once no rebuild runs any more and every consumer has committed all there is; as many"
    " articles must have pages then as the events say, and as many files of the same sizes at the same paths"
    " must stand each time. Durability as always: acks=all, majority and"
    f" journal, each file flushed; {RENDERS} processes render."
    " Warm-up: the same with fewer events at first ({warm_ups})."
)


@dataclass(frozen=True)
class Plan:
    """At most so many events, as many as are replayed in `seconds`, and `first` to begin with; so often."""

    events: int
    first: int
    seconds: float
    times: int


PLANS = {
    Size.SMOKE: Plan(60, 60, 0, 1),
    Size.TABLE: Plan(20_000, 500, 20, 3),
    Size.LONG: Plan(20_000, 2_000, 1200, 3),
}


@dataclass(frozen=True)
class Replay:
    """One: seconds from the start of the services until the store was ready, and until all files stood.

    `cores`: of each process, its processor time over all of them.
    """

    events: int
    store_seconds: float
    seconds: float
    cores: Mapping[str, float]
    standing: Standing


def measure_replay(stand: Stand) -> Chapter:
    """Raises: Broken, PartFailed, Misconfigured, Away."""
    plan = PLANS[stand.size]
    with (
        a_newsroom(stand.folder / "home", stand.jars, stand.say, renders=RENDERS) as newsroom,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        stage = Stage(newsroom, stand.folder / "former")

        def replay() -> Replay:
            stand.say(f"{stage.chronicle.told.total():,} events are read again")
            return runner.run(stage.replay())

        def add(events: int) -> None:
            runner.run(stage.add(events))

        warm_ups = grown(plan, add, replay)
        replays = [replay() for _ in range(plan.times)]
    check(replays, len(stage.chronicle.standing))
    return chapter(warm_ups, replays, stage.chronicle, plan)


def grown(plan: Plan, add: Callable[[int], None], replay: Callable[[], Replay]) -> list[Replay]:
    """Put events on the log until there are about as many as are to be read; what was replayed on the way."""
    replays, more = list[Replay](), min(plan.first, plan.events)
    while more:
        add(more)
        replays.append(replay())
        more = _more(plan, replays[-1])
    return replays


def _more(plan: Plan, last: Replay) -> int:
    """How many events are still to come; 0 where that are too few to try again."""
    in_time = int(last.events * plan.seconds / last.seconds)
    more = min(plan.events, last.events * _GROWTH, in_time) - last.events
    return more if more >= min(last.events / 2, plan.events - last.events) else 0


class Stage:
    """A newsroom that forgets everything but its log, and begins anew. Its former pages go to `former`."""

    def __init__(self, newsroom: Newsroom, former: Path) -> None:
        self._newsroom, self._former = newsroom, former
        self._turns = itertools.count(1)
        self.chronicle = Chronicle()

    async def add(self, events: int) -> None:
        """So many more on the log, while nobody reads it."""
        self._stop()
        await put_on_log(self._newsroom.bootstrap, self.chronicle.events(events))

    async def replay(self) -> Replay:
        """Forget, start, and wait until all stands. Raises: Broken."""
        self._forget()
        begun, services = time.time(), self._newsroom.services
        try:
            for service in services:
                service.start()
            pids = {**self._newsroom.pids, **{each.name: each.pid for each in services if each.pid}}
            before = processor_seconds(pids)
            ready_at = await self._store_ready()
            found = await finished(self._newsroom, _PATIENCE_SECONDS)
            after, seconds = processor_seconds(pids), found.last_at - begun
        finally:
            self._stop()
        cores = {name: (after[name] - before[name]) / seconds for name in pids}
        return Replay(self.chronicle.told.total(), ready_at - begun, seconds, cores, found)

    def _forget(self) -> None:
        """Nothing is left but the log."""
        self._stop()
        drop(self._newsroom.mongo_url, DATABASES)
        aside(self._newsroom.public.parent, self._former / str(next(self._turns)))
        os.sync()

    def _stop(self) -> None:
        for service in self._newsroom.services:
            service.stop()

    async def _store_ready(self) -> float:
        """When the store said so, seconds since the epoch. Raises: Broken."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not ask_health(self._newsroom.store, "ready").is_good:
            if time.monotonic() > deadline:
                raise Broken(f"the store is not ready after {_PATIENCE_SECONDS:.0f} s")
            await asyncio.sleep(_ASK_SECONDS)
        return time.time()


def check(replays: Sequence[Replay], articles: int) -> None:
    """Raises: Broken when not all of it stands, or files or their sizes differ from time to time."""
    for replay in replays:
        stands = replay.standing.count(_HISTORY)
        if stands != articles:
            raise Broken(f"{articles:,} articles are to have pages after a replay, and {stands:,} have")
        if replay.standing.sizes != replays[0].standing.sizes:
            raise Broken("a replay did not make files of the same paths and sizes as the one before")


def chapter(
    warm_ups: Sequence[Replay], replays: Sequence[Replay], chronicle: Chronicle, plan: Plan
) -> Chapter:
    """What the replays found, one at least."""
    events = replays[0].events
    how = _HOW.format(
        events=events,
        fewer=f" (not {plan.events:,}, since the table may not take longer)" if events < plan.events else "",
        articles=len(chronicle.standing),
        times=often(len(replays)),
        warm_ups=", ".join(f"{each.events:,}" for each in warm_ups),
    )
    return Chapter(
        name=_NAME,
        title=_TITLE,
        how=how,
        rows=[
            Row("until all pages stand", [events / each.seconds for each in replays], "events/s", GOAL),
            Row("until the store is ready", [events / each.store_seconds for each in replays], "events/s"),
            Row(
                "files that then stand",
                [len(each.standing.sizes) / each.seconds for each in replays],
                "files/s",
            ),
        ],
        details=_details(replays, chronicle),
    )


def _details(replays: Sequence[Replay], chronicle: Chronicle) -> list[str]:
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in chronicle.told.most_common())
    names = replays[0].cores
    cores = ", ".join(f"{name} {median(each.cores[name] for each in replays):.2f}" for name in names)
    ready, all_of_it = (
        median(each.store_seconds for each in replays),
        median(each.seconds for each in replays),
    )
    return [
        f"Events: {kinds}.",
        f"The store was ready after {ready:.1f} s, all files stood after {all_of_it:.1f} s (medians).",
        f"Cores that each process kept busy until then (medians): {cores}.",
    ]
