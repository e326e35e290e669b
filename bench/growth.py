"""What a publication costs where many articles are, beside one where few are.

Two newsrooms take turns, so that what slows the machine slows both. One stays as it is, the other grows.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

import uvloop
from pymongo import MongoClient

from bench.articles import a_request, an_article
from bench.costs import processor_seconds
from bench.past import PER_DAY, RENDER_DATABASE, TODAY, Past
from bench.quantiles import P50, rank
from bench.stack import PATIENCE_SECONDS, Broken, Editor, Newsroom, a_newsroom
from bench.table import Chapter, Goal, Plot, Row, Series, Size, Stand
from bench.written import Written, on_servers, on_site
from newsroom.ids import new_article_id
from services.render.site import NOTE

GOAL = Goal(1.2)
_WARM_UP = 4
_LOOK_SECONDS = 0.004
_REST_SECONDS = 0.3
"""After the last listing: until compressed siblings stand and what was done is committed."""
_HOW = (
    "Two newsrooms on this machine take turns, one publication at a time: an article of 3 KB, posted with"
    " `Prefer: wait` until the answer that it is rendered, then until the file of each of its listings is"
    " renewed. One has {least:,} articles, the other {sizes}, and both what was published on the way. They"
    " stand in MongoDB as store and render write them, with texts of 0.7 KB, {per_day} a day back from a"
    " fixed day, so that the newest {least:,} are alike in both and their listings show as many. None of them"
    " is on the log, and no page of them on the disk, as nothing here looks for these. Bytes: of records on"
    " the log, of MongoDB's journal and, up to a checkpoint after each round, of its data, and of all files"
    " of the site but the sitemaps, which are told apart. {rounds} rounds of {turns} turns with each size;"
    f" times are a round's median. Warm-up: {_WARM_UP} turns. By how much the ratio of {{least:,}} to"
    " {least:,} is off 1 is chance."
)


@dataclass(frozen=True)
class Plan:
    """How many articles there are, the fewest first; with each so many rounds of so many turns."""

    sizes: Sequence[int]
    rounds: int
    turns: int


PLANS = {
    Size.SMOKE: Plan((50, 200), 1, 2),
    Size.TABLE: Plan((1_000, 10_000), 3, 5),
    Size.LONG: Plan((1_000, 10_000, 100_000, 1_000_000), 3, 15),
}


@dataclass(frozen=True)
class Cost:
    """What a publication cost: seconds from the POST until it was rendered, and until its listings stood;
    bytes; seconds of the processors, of all processes together.
    """

    rendered: float
    listed: float
    written: Written
    processor: float


@dataclass(frozen=True)
class Round:
    """What a publication cost in a round, in either newsroom; the large one had so many articles."""

    articles: int
    small: Cost
    large: Cost


def measure_growth(stand: Stand) -> Chapter:
    """Raises: Broken, PartFailed, Misconfigured, Away; psutil.Error when a process is gone."""
    small, large = stand.folder / "small", stand.folder / "large"
    with (
        a_newsroom(small, stand.jars, stand.say) as one,
        a_newsroom(large, stand.jars, stand.say) as other,
    ):
        return chapter(uvloop.run(_take(stand, (one, small), (other, large))), PLANS[stand.size])


async def _take(stand: Stand, small: tuple[Newsroom, Path], large: tuple[Newsroom, Path]) -> list[Round]:
    plan = PLANS[stand.size]
    rounds: list[Round] = []
    async with _grown(*small, stand.say) as one, _grown(*large, stand.say) as other:
        one.past.grow(plan.sizes[0])
        for size in plan.sizes:
            other.past.grow(size)
            stand.say(f"{size:,} articles: {plan.rounds} rounds of {plan.turns} turns")
            await _round(one, other, _WARM_UP)
            found = [await _round(one, other, plan.turns) for _ in range(plan.rounds)]
            rounds += [Round(size, *costs) for costs in found]
    return rounds


async def _round(small: Grown, large: Grown, turns: int) -> tuple[Cost, Cost]:
    """Neither always comes first."""
    small.begin()
    large.begin()
    for number in range(turns):
        for grown in (small, large) if number % 2 else (large, small):
            await grown.publish()
    return small.end(), large.end()


class Grown:
    """A newsroom with a past. `begin`, `publish` some, `end`."""

    def __init__(self, newsroom: Newsroom, home: Path, past: Past, editor: Editor) -> None:
        self._newsroom, self._home = newsroom, home
        self.past, self._editor = past, editor
        self._documents: MongoClient[dict[str, Any]] = MongoClient(newsroom.mongo_url)
        self._published = 0
        self._rendered: list[float] = []
        self._listed: list[float] = []
        self._site = Written()
        self._before, self._worked = Written(), 0.0

    def close(self) -> None:
        self._documents.close()

    def begin(self) -> None:
        """Count from now on."""
        self._rendered, self._listed, self._site = [], [], Written()
        self._before, self._worked = on_servers(self._newsroom, self._home), self._processor()

    def end(self) -> Cost:
        """What a publication cost since then."""
        count = len(self._rendered)
        worked = self._processor() - self._worked
        on_disk = on_servers(self._newsroom, self._home).since(self._before, count)
        return Cost(
            rendered=rank(sorted(self._rendered), P50),
            listed=rank(sorted(self._listed), P50),
            written=on_disk + self._site.since(Written(), count),
            processor=worked / count,
        )

    def _processor(self) -> float:
        return sum(processor_seconds(self._newsroom.pids).values())

    async def publish(self) -> None:
        """Publish one, newer than all others by its own account. Raises: Broken."""
        self._published += 1
        article_id, time_of_it = new_article_id(), TODAY + timedelta(hours=6, seconds=self._published)
        article = an_article(article_id).model_copy(update={"published_at": time_of_it})
        since, begun = time.time_ns(), time.perf_counter()
        await self._editor.send("/articles", a_request(article_id, article))
        self._rendered.append(time.perf_counter() - begun)
        await self._stand(self._files(article_id), since)
        self._listed.append(time.perf_counter() - begun)
        await asyncio.sleep(_REST_SECONDS)
        self._site += on_site(self._newsroom.public, since)

    def _files(self, article_id: str) -> list[Path]:
        """The page of each listing that the article stands in, or the sitemap."""
        found = self._documents[RENDER_DATABASE]["articles"].find_one({"_id": article_id}, {"listings": 1})
        if found is None:
            raise Broken(f"render told of article {article_id} and does not know it")
        return [
            self._newsroom.public / (f"{path}index.html" if path.endswith("/") else path).lstrip("/")
            for path in found["listings"]
        ]

    async def _stand(self, files: Sequence[Path], since_ns: int) -> None:
        """Wait until each was written anew."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        waiting = list(files)
        while waiting := [file for file in waiting if not _is_written(file, since_ns)]:
            if time.monotonic() > deadline:
                raise Broken(f"{waiting[0]} is not written anew after {PATIENCE_SECONDS:.0f} s")
            await asyncio.sleep(_LOOK_SECONDS)


@asynccontextmanager
async def _grown(newsroom: Newsroom, home: Path, say: Callable[[str], None]) -> AsyncIterator[Grown]:
    """With the few articles that its past is cast of. Before, the first rebuild has to be over: it would
    announce them all.
    """
    past, editor = Past(newsroom, say), Editor(newsroom)
    grown = Grown(newsroom, home, past, editor)
    try:
        await _rebuilt(newsroom.public.parent / NOTE)
        await past.begin()
        yield grown
    finally:
        grown.close()
        past.close()
        await editor.close()


async def _rebuilt(note: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _is_written(note):
        if time.monotonic() > deadline:
            raise Broken(f"a new newsroom has not built its site after {PATIENCE_SECONDS:.0f} s")
        await asyncio.sleep(_LOOK_SECONDS)


def _is_written(file: Path, since_ns: int = 0) -> bool:
    """Whether it was written since then, and has anything in it."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return False
    return found.st_size > 0 and found.st_mtime_ns >= since_ns


_MEASURES: Mapping[str, tuple[Callable[[Cost], float], Goal | None]] = {
    "POST to rendered": (lambda cost: cost.rendered, GOAL),
    "POST to every listing": (lambda cost: cost.listed, GOAL),
    "bytes written": (lambda cost: cost.written.total, GOAL),
    "bytes of MongoDB's data": (lambda cost: cost.written.documents, None),
    "processor time": (lambda cost: cost.processor, None),
    "bytes of sitemaps": (lambda cost: cost.written.sitemaps, None),
}
"""What is compared, and how many times that of the fewest articles it may be."""
_KINDS = [each.name for each in fields(Written)]


def chapter(rounds: Sequence[Round], plan: Plan) -> Chapter:
    """What the rounds tell, one at least of each size."""
    least = plan.sizes[0]
    by_size = {size: [each for each in rounds if each.articles == size] for size in plan.sizes}
    unit = f"x {least:,} articles"
    rows = [
        Row(f"{what}, {size:,} articles", _ratios(by_size[size], of), unit, goal if size > least else None)
        for what, (of, goal) in _MEASURES.items()
        for size in plan.sizes
    ]
    lines = [
        Series(what, [(size, median(_ratios(by_size[size], of))) for size in plan.sizes])
        for what, (of, _) in _MEASURES.items()
    ]
    return Chapter(
        name="growth",
        title="One publication, with many articles present",
        how=_HOW.format(
            least=least,
            sizes=", then ".join(f"{size:,}" for size in plan.sizes),
            per_day=PER_DAY,
            rounds=plan.rounds,
            turns=plan.turns,
        ),
        rows=[*rows, *(row for size in plan.sizes for row in _plain(size, by_size[size]))],
        details=_bytes(by_size, least),
        plots=[
            Plot(
                "growth", "One publication, by articles present", "articles", unit, lines, is_logarithmic=True
            )
        ],
    )


def _ratios(rounds: Sequence[Round], of: Callable[[Cost], float]) -> list[float]:
    return [of(each.large) / of(each.small) for each in rounds]


def _plain(size: int, rounds: Sequence[Round]) -> list[Row]:
    """What it took, in the newsroom with so many."""
    costs = [each.large for each in rounds]
    return [
        Row(f"POST to rendered, {size:,} articles, p50", [cost.rendered * 1000 for cost in costs], "ms"),
        Row(f"POST to every listing, {size:,} articles, p50", [cost.listed * 1000 for cost in costs], "ms"),
        Row(f"bytes written, {size:,} articles", [cost.written.total / 1024 for cost in costs], "KiB"),
    ]


def _bytes(by_size: Mapping[int, Sequence[Round]], least: int) -> list[str]:
    """Of both newsrooms, as what was published on the way shows in both."""
    lines = ["KiB of a publication (medians)         " + "".join(f"{name:>10}" for name in _KINDS)]
    for size, rounds in by_size.items():
        lines += [
            _figures(f"{size:,} articles", [each.large.written for each in rounds]),
            _figures(f"  beside {least:,}", [each.small.written for each in rounds]),
        ]
    return lines


def _figures(what: str, found: Sequence[Written]) -> str:
    figures = [median(getattr(each, kind) for each in found) / 1024 for kind in _KINDS]
    return f"  {what:<37}" + "".join(f"{figure:>10.1f}" for figure in figures)
