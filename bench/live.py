"""What a new entry costs in a live article that has many, beside the first entry of another one.

Both are posted by turns on the same servers, so that their ratio means something on any machine.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import uvloop

from bench.articles import a_request, an_article
from bench.quantiles import counted, ratios, times
from bench.stack import Broken, Editor, Newsroom, a_newsroom
from bench.table import Chapter, Goal, Size, Stand

REST_SECONDS = 0.15
"""Between two entries: until the listings of the former are written, too."""
_AT_ONCE = 20
_WARM_UP = 3
_SENTENCE = "Two more people have left the building; the police say that the talks go on. "
_HOW = (
    "One live article has {entries:,} entries. Then, by turns that change, one at a time: a further entry for"
    " it, and the first entry of another, new live article; each a POST with `Prefer: wait` until its answer"
    " that it is rendered. {rounds}; each gives one p50; what is slowest is told of all rounds together."
    f" Warm-up: the entries that fill the long article, {_AT_ONCE} people at once, and {_WARM_UP} pairs."
)


@dataclass(frozen=True)
class Plan:
    """How many entries the long article has, how many rounds of how many pairs, how long a round may take."""

    entries: int
    rounds: int
    pairs: int
    round_seconds: float


PLANS = {
    Size.SMOKE: Plan(20, 2, 2, 10),
    Size.TABLE: Plan(1_000, 3, 20, 15),
    Size.LONG: Plan(1_000, 5, 100, 90),
}


@dataclass(frozen=True)
class LivePair:
    """The first entry of a live article and a further one of the long one, posted right after each other.

    Seconds from before the POST until the answer that it is rendered.
    """

    first_seconds: float
    further_seconds: float


def measure_live(stand: Stand) -> Chapter:
    """Raises: Broken, PartFailed, Misconfigured, Away."""
    plan = PLANS[stand.size]
    with a_newsroom(stand.folder / "home", stand.jars, stand.say) as newsroom:
        return chapter(plan.entries, uvloop.run(_take(newsroom, plan, stand)))


async def _take(newsroom: Newsroom, plan: Plan, stand: Stand) -> list[list[LivePair]]:
    editor = Editor(newsroom)
    try:
        stand.say(f"a live article takes {plan.entries} entries")
        await _publish(editor, "long")
        await _fill(editor, "long", plan.entries)
        await _round(editor, "warm", _WARM_UP, plan.round_seconds)
        rounds = []
        for number in range(plan.rounds):
            stand.say(f"round {number + 1} of {plan.rounds}: {plan.pairs} pairs of entries")
            rounds.append(await _round(editor, str(number), plan.pairs, plan.round_seconds))
        return rounds
    finally:
        await editor.close()


async def _round(editor: Editor, name: str, count: int, seconds: float) -> list[LivePair]:
    """So many pairs, one at least, none begun later than after `seconds`."""
    pairs: list[LivePair] = []
    deadline = time.monotonic() + seconds
    while len(pairs) < count and (not pairs or time.monotonic() < deadline):
        pairs.append(await _pair(editor, name, len(pairs)))
    return pairs


async def _pair(editor: Editor, prefix: str, number: int) -> LivePair:
    """One of each, whose turns change: neither always comes first."""
    short = f"short-{prefix}-{number}"
    await _publish(editor, short)
    took: dict[str, float] = {}
    for name in (short, "long") if number % 2 else ("long", short):
        await asyncio.sleep(REST_SECONDS)
        took[name] = await _post(editor, name, f"pair-{prefix}-{number}")
    return LivePair(first_seconds=took[short], further_seconds=took["long"])


async def _publish(editor: Editor, name: str) -> None:
    article = an_article(name).model_copy(update={"live": True})
    await editor.send("/articles", a_request(_id_of(name), article))


async def _fill(editor: Editor, name: str, count: int) -> None:
    """Several people post at once, until the article has so many entries."""
    waiting = iter(range(count))

    async def somebody() -> None:
        for number in waiting:
            await _post(editor, name, str(number))

    await asyncio.gather(*(somebody() for _ in range(_AT_ONCE)))


async def _post(editor: Editor, name: str, entry: str) -> float:
    """Post an entry and wait until it is rendered; the seconds that took."""
    begun = time.perf_counter()
    answer = await editor.send(f"/articles/{_id_of(name)}/entries", an_entry(entry))
    took = time.perf_counter() - begun
    if answer.get("state") != "rendered":
        raise Broken(f"entry {entry} of the {name} live article came to {answer}")
    return took


def an_entry(name: str) -> dict[str, Any]:
    """The body of the `POST` that adds it: about as long as such posts are."""
    return {"id": name, "headline": f"Post {name}", "body": f"<p>{_SENTENCE * 3}</p>"}


def _id_of(name: str) -> str:
    return f"bench-live-{name}"


def chapter(entries: int, rounds: Sequence[Sequence[LivePair]]) -> Chapter:
    """What the pairs of each round tell, behind so many entries. Every round has one pair at least."""
    first = [[pair.first_seconds for pair in each] for each in rounds]
    further = [[pair.further_seconds for pair in each] for each in rounds]
    behind = f"an entry behind {entries:,} others"
    return Chapter(
        name="live",
        title="A new entry in a long live article",
        how=_HOW.format(entries=entries, rounds=counted(rounds, "pairs")),
        rows=[
            *ratios(behind, further, first, "x first", Goal(2)),
            *times(behind, further),
            *times("the first entry", first),
        ],
    )
