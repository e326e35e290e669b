"""What a new entry costs in a live article that has many, beside the first entry of another one.

Both are posted by turns on the same servers, so that their ratio means something on any machine.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.articles import a_request, an_article
from bench.stack import Broken, Editor

LIVE_ENTRIES = 1_000
_AT_ONCE = 20
_SENTENCE = "Two more people have left the building; the police say that the talks go on. "


@dataclass(frozen=True)
class LivePair:
    """The first entry of a live article and a further one of the long one, posted right after each other.

    Seconds from before the POST until the answer that it is rendered.
    """

    first_seconds: float
    further_seconds: float


async def take_live_pairs(
    editor: Editor, count: int, seconds: float, rest_seconds: float, say: Callable[[str], None]
) -> list[LivePair]:
    """Fill a live article, then measure so many pairs, none begun later than after `seconds`.

    Raises: Broken.
    """
    say(f"a live article takes {LIVE_ENTRIES} entries")
    await _publish(editor, "long")
    await _fill(editor, "long")
    say(f"measuring {count} pairs of entries, {seconds:g} s at most")
    pairs: list[LivePair] = []
    deadline = time.monotonic() + seconds
    while len(pairs) < count and (not pairs or time.monotonic() < deadline):
        pairs.append(await _pair(editor, len(pairs), rest_seconds))
    return pairs


async def _pair(editor: Editor, number: int, rest_seconds: float) -> LivePair:
    """One of each, whose turns change: neither always comes first."""
    short = f"short-{number}"
    await _publish(editor, short)
    took: dict[str, float] = {}
    for name in (short, "long") if number % 2 else ("long", short):
        await asyncio.sleep(rest_seconds)
        took[name] = await _post(editor, name, f"pair-{number}")
    return LivePair(first_seconds=took[short], further_seconds=took["long"])


async def _publish(editor: Editor, name: str) -> None:
    article = an_article(name).model_copy(update={"live": True})
    await editor.send("/articles", a_request(_id_of(name), article))


async def _fill(editor: Editor, name: str) -> None:
    """Several people post at once, until the article has so many entries."""
    waiting = iter(range(LIVE_ENTRIES))

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
