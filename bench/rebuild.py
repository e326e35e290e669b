"""All pages made anew, `newsroom republish --all`, beside Hugo with the same articles and lists."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

import uvloop

from bench.bulk import A_DAY, AUTHORS, TAGS, Paper, Story
from bench.finish import Standing, standing
from bench.hugo import HOW_TO_GET, Build, HugoSite, find_hugo
from bench.press import Press, Printing
from bench.stack import RENDERS, Broken, a_newsroom
from bench.table import Chapter, Goal, Row, Size, Stand
from faults.stage.environment import SITE_FILE
from services.render.looks.sitefile import load_site
from services.render.site import ENCODINGS

GOAL = Goal(1.5, is_most=False)
_NAME, _TITLE = "rebuild", "All pages made anew, beside Hugo"
_HOW = (
    "{articles:,} articles{fewer}, {a_day} a day, under {tags} tags and by {authors} authors, with"
    " fronts, feeds (Atom, RSS, JSON), archives by day and month, the ledger and sitemaps."
    f" {RENDERS} processes render (`NEWSROOM_RENDERS`). {{times}}, by"
    " turns: all pages of the newsroom are moved aside and `POST /republications` asks for them, as `newsroom"
    " republish --all` does. It ends when the last file came to stand, as the file itself tells once the"
    " rebuild is done and every consumer has committed all there is; they must be as many files of the same"
    " sizes at the same paths as before.{hugo} Nothing is deleted between turns, on either side. A page is an"
    " article's page; its history, a page too, is made on both sides and not counted. Warm-up: the newsroom"
    " has printed all of it once, as the events came in{warm}. What both read is in the system's cache, and"
    " what was written before a turn is flushed before it (sync). Not alike: the newsroom reads MongoDB,"
    " flushes each file before it is renamed into place, acknowledges with acks=all and majority, and makes"
    " the compressed siblings ({encodings}). Hugo reads content files and flushes nothing. It makes no"
    " siblings: these are made after it by the functions that render uses, in a process for each core, and"
    " not flushed."
)
_HUGO = (
    " Then Hugo {version} builds the same articles and lists into a new folder, with templates as rich as"
    " ours, while the newsroom is at rest."
)
_HUGO_WARM = ", and Hugo has built all of it once, untimed"


@dataclass(frozen=True)
class Plan:
    """At most so many articles, as many as are printed in `fill_seconds`, and more than `first`.

    At most so many turns, but none that would end after `seconds`; one in any case.
    """

    articles: int
    first: int
    fill_seconds: float
    turns: int
    seconds: float


PLANS = {
    Size.SMOKE: Plan(50, 50, 0, 1, 0),
    Size.TABLE: Plan(20_000, 300, 45, 3, 120),
    Size.LONG: Plan(20_000, 2_000, math.inf, 3, math.inf),
}


@dataclass(frozen=True)
class Turn:
    """The newsroom's printing, and what Hugo built after it, where there is one."""

    ours: Printing
    hugo: Build | None = None


@dataclass(frozen=True)
class Edition:
    """What was printed: how many articles and files, siblings among them.

    `first_rate`: pages a second when they were new. `page_bytes`: of an article's page on the mean, ours and,
    where there is one, Hugo's. `hugo`: its version.
    """

    articles: int
    files: int
    siblings: int
    first_rate: float
    page_bytes: Sequence[float]
    hugo: str | None


def measure_rebuild(stand: Stand) -> Chapter:
    """Raises: Broken, PartFailed, Misconfigured, Away."""
    plan, command = PLANS[stand.size], find_hugo()
    with (
        a_newsroom(stand.folder / "home", stand.jars, stand.say, renders=RENDERS) as newsroom,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        site = load_site(SITE_FILE, newsroom.site)
        press = Press(newsroom, stand.folder / "press", Paper(site.sections))
        first_rate = runner.run(press.fill(plan.first, plan.articles, plan.fill_seconds, stand.say))
        theirs = HugoSite(command, stand.folder / "hugo", site, press.stories()) if command else None
        if theirs:
            stand.say("Hugo builds once to warm up")
            theirs.warm_up()

        def turn() -> Turn:
            return Turn(runner.run(press.again()), theirs.build() if theirs else None)

        turns = in_time(turn, plan.turns, plan.seconds, stand.say)
    return chapter(turns, _edition(press, first_rate, theirs), plan)


def _edition(press: Press, first_rate: float, theirs: HugoSite | None) -> Edition:
    sites = [press.whole, *([standing(theirs.public)] if theirs else [])]
    return Edition(
        articles=press.count,
        files=len(press.whole.sizes),
        siblings=sum(map(press.whole.count, ENCODINGS)),
        first_rate=first_rate,
        page_bytes=[page_bytes(each, press.stories()) for each in sites],
        hugo=theirs.version() if theirs else None,
    )


def in_time(turn: Callable[[], Turn], most: int, seconds: float, say: Callable[[str], None]) -> list[Turn]:
    """As many turns as are to be, but none that would end too late; one in any case."""
    begun, turns = time.monotonic(), list[Turn]()
    while len(turns) < most:
        took = time.monotonic() - begun
        if turns and took + took / len(turns) > seconds:
            break
        say(f"turn {len(turns) + 1} of at most {most}")
        turns.append(turn())
    return turns


def page_bytes(site: Standing, stories: Iterable[Story]) -> float:
    """Of an article's page, on the mean. Raises: Broken when one does not stand."""
    sizes = [site.sizes.get(f"{story.path}index.html", 0) for story in stories]
    if not all(sizes):
        raise Broken(f"{sizes.count(0)} of {len(sizes)} articles have no page")
    return sum(sizes) / len(sizes)


def chapter(turns: Sequence[Turn], edition: Edition, plan: Plan) -> Chapter:
    """What the turns found, one at least."""
    is_fewer = edition.articles < plan.articles
    how = _HOW.format(
        articles=edition.articles,
        fewer=f", not {plan.articles:,}, since the table may not take longer" if is_fewer else "",
        a_day=A_DAY,
        tags=TAGS,
        authors=AUTHORS,
        times=often(len(turns)),
        hugo=_HUGO.format(version=edition.hugo) if edition.hugo else "",
        warm=_HUGO_WARM if edition.hugo else "",
        encodings=", ".join(ENCODINGS),
    )
    return Chapter(
        name=_NAME,
        title=_TITLE,
        how=how,
        rows=_rows(turns, edition),
        details=_details(turns, edition),
        skipped="" if edition.hugo else f"the comparison with Hugo: {HOW_TO_GET}",
    )


def often(times: int) -> str:
    """In words."""
    return {1: "Once", 2: "Twice"}.get(times, f"{times} times")


def _rows(turns: Sequence[Turn], edition: Edition) -> list[Row]:
    ours = [edition.articles / turn.ours.seconds for turn in turns]
    rows = [
        Row("pages of the newsroom", ours, "pages/s"),
        Row("files of the newsroom", [edition.files / turn.ours.seconds for turn in turns], "files/s"),
    ]
    builds = [turn.hugo for turn in turns if turn.hugo]
    if len(builds) < len(turns):
        return rows
    bare = [edition.articles / build.seconds for build in builds]
    whole = [edition.articles / build.whole_seconds for build in builds]
    files = [(build.files + build.siblings) / build.whole_seconds for build in builds]
    return [
        Row("pages made anew", _ratios(ours, whole), "x Hugo with siblings", GOAL),
        Row("pages made anew", _ratios(ours, bare), "x Hugo without siblings"),
        *rows,
        Row("pages of Hugo with siblings", whole, "pages/s"),
        Row("pages of Hugo without siblings", bare, "pages/s"),
        Row("files of Hugo with siblings", files, "files/s"),
    ]


def _ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    return [one / other for one, other in zip(ours, theirs, strict=True)]


def _details(turns: Sequence[Turn], edition: Edition) -> list[str]:
    names = turns[0].ours.cores
    cores = ", ".join(f"{name} {median(turn.ours.cores[name] for turn in turns):.2f}" for name in names)
    lines = [
        f"Files of the newsroom: {edition.files:,}, of which {edition.siblings:,} are compressed siblings;"
        f" an article's page has {edition.page_bytes[0] / 1024:.1f} KiB.",
        f"Printed for the first time, as the events came in: {edition.first_rate:.0f} pages/s at last.",
        f"Cores that each process kept busy during a rebuild (medians): {cores}.",
    ]
    build = turns[-1].hugo
    if build is None:
        return lines
    building = median(turn.hugo.seconds for turn in turns if turn.hugo)
    packing = median(turn.hugo.sibling_seconds for turn in turns if turn.hugo)
    return [
        *lines,
        f"Files of Hugo: {build.files:,}, built in {building:.1f} s, and {build.siblings:,} siblings, made in"
        f" {packing:.1f} s (medians); an article's page has {edition.page_bytes[1] / 1024:.1f} KiB.",
        "The first milestone was 0.5 x Hugo with siblings.",
    ]
