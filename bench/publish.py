"""From a POST to its page and to its notice, beside the bare floor of the same parts.

Publications and walks over the floor take turns on the same servers, so that what slows the machine
slows both, and their ratio means something on any machine.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import uvloop

from bench.articles import a_request, an_article
from bench.floor import Floor
from bench.listener import Listener, listening
from bench.quantiles import counted, curve, of_tail, quantiles, ratios, times
from bench.stack import POLL_SECONDS, Broken, Editor, Newsroom, a_newsroom
from bench.table import Chapter, Goal, Plot, Row, Series, Size, Stand
from faults.stage.environment import SITE_FILE

REST_SECONDS = 0.15
"""After a publication: until its listings are written, too."""
_WARM_UP = 20
_ROUNDS = {Size.SMOKE: (2, 3), Size.TABLE: (3, 60), Size.LONG: (5, 200)}
"""How many rounds, of how many turns."""
_ROUND_SECONDS = 50.0
_HOW = (
    "By turns, one at a time, on one newsroom with nothing else to do: a POST with `Prefer: wait` until its"
    " answer, and until its notice is heard on `/live`, which is open all the while; another POST, whose page"
    f" is asked for over HTTP every {POLL_SECONDS * 1000:g} ms (each time costs the newsroom an error page)"
    " until it is there; and the floor, which is what no way from a POST to a page can do without, one step"
    " after another in one process: an event produced with acks=all, a revision inserted with majority and"
    " journal, an update produced with acks=all, the article's page drawn (not its history), its file"
    " written, flushed and renamed. {rounds}; each round gives one p50 and its ratio to that of its walks"
    f" over the floor; p99 is of the turns of all rounds together. Warm-up: {_WARM_UP} turns."
)


@dataclass(frozen=True)
class Turn:
    """Two publications and a walk over the floor, right after each other.

    Seconds from before the POST of the one until its answer and until its notice was heard; of the other,
    until its page was `fetched`. `moments`: what happened on the way of that, seconds since the POST by the
    system clock (whole milliseconds). `floor`: those of each of its steps.
    """

    answered: float
    noticed: float
    fetched: float
    moments: Mapping[str, float]
    floor: Mapping[str, float]

    @property
    def walked(self) -> float:
        return sum(self.floor.values())


@dataclass(frozen=True)
class Way:
    """One of the ways that are measured: its name, its seconds, and how many times the floor it may take."""

    name: str
    seconds: Callable[[Turn], float]
    p50: Goal | None = None
    p99: Goal | None = None


ANSWER = Way("POST with `Prefer: wait` to its answer", lambda turn: turn.answered, Goal(2), Goal(4))
PAGE = Way("POST to page fetched, by polling", lambda turn: turn.fetched, Goal(2), Goal(4))
NOTICE = Way("POST to notice at an open reader", lambda turn: turn.noticed, Goal(2.5))
FLOOR = Way("the floor", lambda turn: turn.walked)
WAYS = (ANSWER, PAGE, NOTICE)


def measure_publish(stand: Stand) -> Chapter:
    """Raises: Broken, PartFailed, Misconfigured, Away."""
    with a_newsroom(stand.folder / "home", stand.jars, stand.say) as newsroom:
        rounds = uvloop.run(_take(newsroom, stand))
    return chapter(rounds)


async def _take(newsroom: Newsroom, stand: Stand) -> list[list[Turn]]:
    count, turns = _ROUNDS[stand.size]
    editor = Editor(newsroom)
    floor = Floor(newsroom.bootstrap, newsroom.mongo_url, stand.folder / "floor", SITE_FILE)
    try:
        await floor.open()
        async with listening(newsroom.site) as listener:
            turning = _Turning(editor, listener, floor)
            stand.say(f"{_WARM_UP} turns to warm up")
            await turning.round("warm", _WARM_UP)
            rounds = []
            for number in range(count):
                stand.say(f"round {number + 1} of {count}: {turns} turns, {_ROUND_SECONDS:g} s at most")
                rounds.append(await turning.round(str(number), turns))
            return rounds
    finally:
        await editor.close()
        await floor.close()


@dataclass(frozen=True)
class _Turning:
    editor: Editor
    listener: Listener
    floor: Floor

    async def round(self, name: str, count: int) -> list[Turn]:
        """So many turns, one at least, none begun later than the time for a round."""
        deadline = time.monotonic() + _ROUND_SECONDS
        turns: list[Turn] = []
        while len(turns) < count and (not turns or time.monotonic() < deadline):
            turns.append(await self._turn(f"{name}-{len(turns)}"))
        return turns

    async def _turn(self, name: str) -> Turn:
        answered, noticed = await self._wait(f"waited-{name}")
        await asyncio.sleep(REST_SECONDS)
        publication = await self.editor.publish(name)
        await asyncio.sleep(REST_SECONDS)
        walked = await self.floor.run(name)
        await asyncio.sleep(REST_SECONDS / 3)
        return Turn(answered, noticed, publication.page_seconds, publication.moments, walked)

    async def _wait(self, name: str) -> tuple[float, float]:
        """Publish the article called so; the seconds until the answer and until the notice."""
        body = a_request(name, an_article(name))
        begun = time.perf_counter()
        answer = await self.editor.send("/articles", body)
        answered = time.perf_counter()
        if answer["state"] != "rendered":
            raise Broken(f"{name} came to {answer}")
        return answered - begun, await self.listener.notice(name) - begun


def chapter(rounds: Sequence[Sequence[Turn]]) -> Chapter:
    """What the turns of each round tell. Every round has one turn at least."""
    turns = [turn for each in rounds for turn in each]
    return Chapter(
        name="publish",
        title="From a POST to its page and its notice",
        how=_HOW.format(rounds=counted(rounds, "turns")),
        rows=[
            *(row for way in WAYS for row in _ratios(way, rounds)),
            *(row for way in (*WAYS, FLOOR) for row in times(way.name, _found(way, rounds))),
        ],
        details=[*_way_of(turns), "", *_steps_of_floor(turns)],
        plots=[
            Plot(
                name="publish",
                title="From a POST to page and notice, beside the floor",
                x="percentile",
                y="ms",
                series=[Series(way.name, curve(map(way.seconds, turns))) for way in (*WAYS, FLOOR)],
            )
        ],
    )


def _ratios(way: Way, rounds: Sequence[Sequence[Turn]]) -> list[Row]:
    return ratios(way.name, _found(way, rounds), _found(FLOOR, rounds), "x floor", way.p50, way.p99)


def _found(way: Way, rounds: Sequence[Sequence[Turn]]) -> list[list[float]]:
    return [[way.seconds(turn) for turn in turns] for turns in rounds]


def _way_of(turns: Sequence[Turn]) -> list[str]:
    lines = ["The way of a publication (medians)                  since POST        took"]
    return lines + [
        f"  {name:<44}{since:>9.1f} ms{took:>9.1f} ms"
        for name, since, took in steps([turn.moments for turn in turns])
    ]


def _steps_of_floor(turns: Sequence[Turn]) -> list[str]:
    lines = [f"The floor                                                  p50{of_tail(len(turns)):>17}"]
    found = {name: quantiles(turn.floor[name] for turn in turns) for name in turns[0].floor}
    return lines + [f"  {name:<44}{of.p50:>9.1f} ms{of.p99:>14.1f} ms" for name, of in found.items()]


def steps(ways: Sequence[Mapping[str, float]]) -> list[tuple[str, float, float]]:
    """What every way told, in the order of its medians: when it was, and how long it took after the former;
    medians in milliseconds.
    """
    names = set.intersection(*(set(moments) for moments in ways))
    medians = {name: quantiles(moments[name] for moments in ways).p50 for name in names}
    found: list[tuple[str, float, float]] = []
    former = ""
    for name in sorted(names, key=lambda name: (medians[name], name)):
        took = quantiles(moments[name] - moments.get(former, 0.0) for moments in ways).p50
        found.append((name, medians[name], took))
        former = name
    return found
