"""A newsroom that prints: many articles for the first time, and all of them again."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.bulk import Paper, Story, publication, put_on_log
from bench.costs import processor_seconds
from bench.finish import Standing, aside, finished
from bench.stack import Broken, Newsroom

_PATIENCE_SECONDS = 3600.0
_ASK_SECONDS = 0.5


@dataclass(frozen=True)
class Printing:
    """All pages made once: the seconds, and of each process its processor time over them."""

    seconds: float
    cores: Mapping[str, float]


class Press:
    """`count`: how many articles it has printed. `whole`: all files that belong to them.

    `folder` is to hold the pages that stand without any article, and those of former turns.
    """

    def __init__(self, newsroom: Newsroom, folder: Path, paper: Paper) -> None:
        self._newsroom, self._folder, self._paper = newsroom, folder, paper
        self._blank, self._turns = folder / "blank", itertools.count(1)
        self.count = 0
        self.whole = Standing({}, 0)

    def stories(self) -> Iterable[Story]:
        """Those that were printed."""
        return map(self._paper.story, range(self.count))

    async def fill(self, first: int, most: int, seconds: float, say: Callable[[str], None]) -> float:
        """Put articles on the log and have them printed: the first ones, then as many as there are again and
        again, while that lasts. How many a second the last time. Raises: Broken.
        """
        await finished(self._newsroom, _PATIENCE_SECONDS)
        shutil.copytree(self._newsroom.public, self._blank)
        deadline, rate = time.monotonic() + seconds, 0.0
        while more := _more(self.count, first, most, (deadline - time.monotonic()) * rate):
            say(f"{more:,} articles for the first time")
            rate = more / await self._add(more)
        return rate

    async def _add(self, more: int) -> float:
        """So many new articles; the seconds until the last of their files stands."""
        begun = time.time()
        stories = map(self._paper.story, range(self.count, self.count + more))
        self.count += await put_on_log(self._newsroom.bootstrap, map(publication, stories))
        self.whole = await finished(self._newsroom, _PATIENCE_SECONDS)
        return self.whole.last_at - begun

    async def again(self) -> Printing:
        """Move all pages aside and have them made anew. Raises: Broken, also when paths or sizes differ."""
        public, pids = self._newsroom.public, self._newsroom.pids
        aside(public, self._folder / f"former-{next(self._turns)}")
        shutil.copytree(self._blank, public, dirs_exist_ok=True)
        os.sync()
        before, begun = processor_seconds(pids), time.time()
        await self._republish()
        found = await finished(self._newsroom, _PATIENCE_SECONDS)
        after, seconds = processor_seconds(pids), found.last_at - begun
        if found.sizes != self.whole.sizes:
            raise Broken(f"a rebuild did not make the same files: {_difference(found, self.whole)}")
        return Printing(seconds, {name: (after[name] - before[name]) / seconds for name in pids})

    async def _republish(self) -> None:
        """Ask for all pages, and wait until the store has announced all articles. Raises: Broken."""
        headers = {"Authorization": f"Bearer {self._newsroom.key}"}
        deadline = time.monotonic() + _PATIENCE_SECONDS
        async with httpx.AsyncClient(base_url=self._newsroom.store, headers=headers, timeout=60) as store:
            answer = await store.post("/republications", json={"all": True})
            while answer.is_success and answer.json()["state"] == "running" and time.monotonic() < deadline:
                await asyncio.sleep(_ASK_SECONDS)
                answer = await store.get(f"/republications/{answer.json()['id']}")
        if not answer.is_success or answer.json()["state"] != "done":
            raise Broken(f"the store does not announce all: {answer.status_code} {answer.text[:300]}")


def _more(count: int, first: int, most: int, in_time: float) -> int:
    """How many to print next, where so many would be done in time; 0: enough."""
    if not count:
        return min(first, most)
    more = int(min(count, most - count, in_time))
    return more if more >= min(first, most - count) else 0


def _difference(found: Standing, whole: Standing) -> str:
    differing = sorted(path for path, _ in found.sizes.items() ^ whole.sizes.items())
    return f"{len(set(differing)):,} differ, {differing[0]} for one"
