"""A peer: Wagtail on a server for production, beside the newsroom on the same machine, in the same run.

Both get the same JSON from the same clients, by turns, and both are asked for their pages by the same poller.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from operator import attrgetter
from types import MappingProxyType

import aiohttp
import httpx
import orjson
import uvloop

from bench.articles import a_request, an_article, page_path
from bench.finish import standing
from bench.load import worked_off
from bench.peer import THREADS, WORKERS, NoPeer, a_wagtail
from bench.quantiles import ratios, times
from bench.stack import ONE_KEY, PATIENCE_SECONDS, POLL_SECONDS, RENDERS, Broken, Newsroom, a_newsroom
from bench.table import Chapter, Goal, Row, Size, Stand
from newsroom.addresses import slugify
from newsroom.articles import ArticleText
from newsroom.times import now

LATENCY_GOAL, RATE_GOAL = Goal(0.5), Goal(5, is_most=False)
_CLIENTS = 32
_SECTIONS = ("Business", "Culture", "Kazakhstan", "Sport", "World")
_REST_SECONDS = 0.3
_LISTED = ("/", "/kazakhstan/", "/feed.atom")
_PAGE, _HOME = "POST to page fetched", "POST to home naming it"
_FETCHED, _LISTED_TOO = "created and fetched", "created, fetched and listed"
OURS, THEIRS = "newsroom", "Wagtail"
_NAME, _TITLE = "wagtail", "A peer: Wagtail from its package"
_HOW = (
    "By turns, the other at rest: the same JSON is posted and, from the answer on, the page asked for over"
    f" HTTP every {POLL_SECONDS * 1000:g} ms until it is there; after that the home page, until it names the"
    f" article. Then {_CLIENTS} clients for {{seconds:g}} s, each of which posts its next article when it has"
    " fetched the page of its last: the newsroom is asked with `Prefer: wait`, as Wagtail, too, answers when"
    " it has published. A rate counts until the last page is fetched; the other one, which has the goal,"
    " until each listing stands, too: of the newsroom, whose listings come after the answer, until the last"
    " file came to stand, as the file tells once all is worked off; of Wagtail the same as before, as its"
    " lists are right at its answer. {rounds} rounds of {turns} turns and a load of each; each round gives"
    " one value, but what is slowest is told of all of them together. Warm-up: {warm_turns} turns and a load."
    " Both list each article on the home page, in its section and in"
    f" feeds. The newsroom: acks=all, majority and journal, the page flushed; {RENDERS} processes render; the"
    " bound on one key is raised. Wagtail: SQLite, with which it begins every project and which costs no"
    " round trip, with WAL and synchronous=FULL, one commit for a publication, on the disk before the answer."
    " In its favour: no page is written ahead, each is drawn when it is asked for; DEBUG off, templates"
    " compiled once, gunicorn with"
    f" {WORKERS} workers of {THREADS} threads and connections that stay open; no search, no index of"
    " references, no sessions; and a view that creates and publishes without the token, the form and the"
    " permissions of Wagtail's own API."
)


@dataclass(frozen=True)
class Plan:
    """So many rounds of so many turns and a load of so many seconds; before them some turns to warm up."""

    rounds: int
    turns: int
    seconds: float
    warm_turns: int


PLANS = {Size.SMOKE: Plan(1, 2, 1, 2), Size.TABLE: Plan(3, 15, 6, 8), Size.LONG: Plan(5, 60, 20, 15)}


@dataclass(frozen=True)
class Found:
    """What a round found of one side: seconds until each page was fetched and until home named the article,
    and what came of the load.
    """

    pages: Sequence[float]
    homes: Sequence[float]
    load: Load


@dataclass(frozen=True)
class Load:
    """How many articles were created; seconds until the last was `fetched`, and until all were `listed`."""

    count: int
    fetched: float
    listed: float

    @property
    def rate(self) -> float:
        return self.count / self.fetched

    @property
    def listed_rate(self) -> float:
        return self.count / self.listed


@dataclass(frozen=True)
class Side:
    """One of the two. `path`: where the page of an article with that id is to be. `waits`: what a POST says
    that is to be answered with the page there.
    """

    door: aiohttp.ClientSession
    site: aiohttp.ClientSession
    path: Callable[[str, ArticleText], str]
    waits: Mapping[str, str]

    async def publish(self, name: str, headers: Mapping[str, str] = MappingProxyType({})) -> float:
        """Post the article called so; the seconds until its page was fetched. Raises: Broken."""
        article_id, article = f"bench-{name}", an_article(name)
        path, body = self.path(article_id, article), orjson.dumps(a_request(article_id, article))
        begun = time.perf_counter()
        async with self.door.post("/articles", data=body, headers=headers) as answer:
            told = await answer.text()
        if answer.status not in (httpx.codes.CREATED, httpx.codes.ACCEPTED):
            raise Broken(f"POST {answer.url} answered {answer.status}: {told[:300]}")
        await self.shows(path, article.headline)
        return time.perf_counter() - begun

    async def shows(self, path: str, words: str) -> None:
        """Ask for a page until it is there and says so. Raises: Broken."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            async with self.site.get(path) as answer:
                text = await answer.text()
            if answer.status == httpx.codes.OK and words in text:
                return
            if time.monotonic() > deadline:
                raise Broken(f"{answer.url} does not say “{words}” after {PATIENCE_SECONDS:.0f} s")
            await asyncio.sleep(POLL_SECONDS)

    async def turn(self, name: str) -> tuple[float, float]:
        """Publish one; the seconds until its page was fetched, and until home named it."""
        begun = time.perf_counter()
        took = await self.publish(name)
        await self.shows("/", an_article(name).headline)
        return took, time.perf_counter() - begun

    async def load(self, name: str, seconds: float) -> tuple[int, float]:
        """Clients publish for so long; how many articles, and seconds until the last page was fetched."""
        numbers, begun = itertools.count(), time.perf_counter()

        async def client() -> None:
            while time.perf_counter() - begun < seconds:
                await self.publish(f"{name}-{next(numbers)}", self.waits)

        await asyncio.gather(*(client() for _ in range(_CLIENTS)))
        return next(numbers), time.perf_counter() - begun


def measure_wagtail(stand: Stand) -> Chapter:
    """Raises: Broken, PartFailed, Misconfigured, Away."""
    try:
        with (
            a_wagtail(stand.folder / "wagtail", _SECTIONS, stand.say) as (address, versions),
            a_newsroom(
                stand.folder / "home", stand.jars, stand.say, settings=ONE_KEY, renders=RENDERS
            ) as newsroom,
        ):
            rounds = uvloop.run(_take(newsroom, address, stand))
    except NoPeer as error:
        return Chapter(_NAME, _TITLE, "", skipped=f"no Wagtail to compare with: {error}")
    return chapter(rounds, versions, PLANS[stand.size])


async def _take(newsroom: Newsroom, address: str, stand: Stand) -> list[Mapping[str, Found]]:
    plan = PLANS[stand.size]
    async with _ours(newsroom) as ours, _theirs(address) as theirs:
        both = _Both(newsroom, {OURS: ours, THEIRS: theirs})
        stand.say(f"{plan.warm_turns} turns and a load to warm up")
        await both.round(0, plan.warm_turns, plan.seconds / 2)
        await both.are_alike()
        rounds = []
        for number in range(1, plan.rounds + 1):
            stand.say(f"round {number} of {plan.rounds}: {plan.turns} turns and a load of each")
            rounds.append(await both.round(number, plan.turns, plan.seconds))
        return rounds


@dataclass(frozen=True)
class _Both:
    newsroom: Newsroom
    sides: Mapping[str, Side]

    async def round(self, number: int, turns: int, seconds: float) -> Mapping[str, Found]:
        """Neither always comes first."""
        pages: dict[str, list[float]] = {side: [] for side in self.sides}
        homes: dict[str, list[float]] = {side: [] for side in self.sides}
        for turn in range(turns):
            for side in self._in_turn(turn):
                page, home = await self.sides[side].turn(f"{number}-{turn}")
                pages[side].append(page)
                homes[side].append(home)
                await asyncio.sleep(_REST_SECONDS)
        loads = {side: await self._load(side, f"{number}-load", seconds) for side in self._in_turn(number)}
        return {side: Found(pages[side], homes[side], loads[side]) for side in self.sides}

    async def are_alike(self) -> None:
        """An article stands wherever readers look for new ones, on both sides. Raises: Broken."""
        for side in self.sides.values():
            await side.publish("alike")
            for path in _LISTED:
                await side.shows(path, an_article("alike").headline)

    def _in_turn(self, number: int) -> Sequence[str]:
        return (OURS, THEIRS) if number % 2 else (THEIRS, OURS)

    async def _load(self, side: str, name: str, seconds: float) -> Load:
        begun = time.time()
        count, fetched = await self.sides[side].load(name, seconds)
        await worked_off(self.newsroom)
        last_at = standing(self.newsroom.public).last_at if side == OURS else 0.0
        return Load(count, fetched, listed=max(fetched, last_at - begun))


@asynccontextmanager
async def _ours(newsroom: Newsroom) -> AsyncIterator[Side]:
    def path(article_id: str, article: ArticleText) -> str:
        return page_path(article_id, article, now())

    async with (
        _session(newsroom.ingest, {"Authorization": f"Bearer {newsroom.key}"}) as door,
        _session(newsroom.site) as site,
    ):
        yield Side(door, site, path, {"Prefer": f"wait={PATIENCE_SECONDS:.0f}"})


@asynccontextmanager
async def _theirs(address: str) -> AsyncIterator[Side]:
    def path(article_id: str, article: ArticleText) -> str:
        return f"/{slugify(article.section)}/{article_id}/"

    async with _session(address) as both:
        yield Side(both, both, path, {})


def _session(address: str, headers: Mapping[str, str] = MappingProxyType({})) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        address,
        headers={"Content-Type": "application/json", **headers},
        connector=aiohttp.TCPConnector(limit=_CLIENTS),
        timeout=aiohttp.ClientTimeout(total=2 * PATIENCE_SECONDS),
    )


def chapter(rounds: Sequence[Mapping[str, Found]], versions: str, plan: Plan) -> Chapter:
    """What the rounds found, one at least."""
    pages, homes = (
        {side: [part(each[side]) for each in rounds] for side in (OURS, THEIRS)}
        for part in (attrgetter("pages"), attrgetter("homes"))
    )
    fetched, listed = (
        {side: [part(each[side].load) for each in rounds] for side in (OURS, THEIRS)}
        for part in (attrgetter("rate"), attrgetter("listed_rate"))
    )
    rows = [
        *ratios(_PAGE, pages[OURS], pages[THEIRS], "x Wagtail", LATENCY_GOAL),
        Row(_LISTED_TOO, _times(listed), "x Wagtail", RATE_GOAL),
        Row(_FETCHED, _times(fetched), "x Wagtail"),
        *ratios(_HOME, homes[OURS], homes[THEIRS], "x Wagtail"),
    ]
    for side in (OURS, THEIRS):
        rows += [
            *times(f"{side}: {_PAGE}", pages[side]),
            *times(f"{side}: {_HOME}", homes[side]),
            Row(f"{side}: {_LISTED_TOO}", listed[side], "/s"),
            Row(f"{side}: {_FETCHED}", fetched[side], "/s"),
        ]
    return Chapter(_NAME, _TITLE, _HOW.format(**asdict(plan)), rows=rows, details=[f"Beside {versions}."])


def _times(rates: Mapping[str, Sequence[float]]) -> list[float]:
    """Of each round, how many times Wagtail's."""
    return [own / peer for own, peer in zip(rates[OURS], rates[THEIRS], strict=True)]
