"""When a newsroom has finished what it was given, seen from outside: by log, databases and files."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.stack import Broken, Newsroom
from faults.stage.arena import RENDER_DATABASE, STORE_DATABASE
from faults.stage.rest import Rest
from newsroom.errors import Away

_ASK_SECONDS = (0.5, 5.0)
"""At first and at last. Seldom, since each question costs the processors something; files tell the end."""
_SHARE = 0.05


@dataclass(frozen=True)
class Standing:
    """What stands below a folder: the size of each file by its path, and when the last one came to stand."""

    sizes: Mapping[str, int]
    last_at: float

    def count(self, ending: str) -> int:
        """How many of the files have a path that ends so."""
        return sum(path.endswith(ending) for path in self.sizes)


async def finished(newsroom: Newsroom, seconds: float) -> Standing:
    """Wait until no rebuild runs and every consumer has committed all there is; what stands then.

    Raises: Broken when that takes longer.
    """
    rest = Rest(
        newsroom.bootstrap, newsroom.mongo_url, STORE_DATABASE, RENDER_DATABASE, newsroom.public.parent
    )
    begun, (least, most) = time.monotonic(), _ASK_SECONDS
    while moving := await _what_moves(rest):
        took = time.monotonic() - begun
        if took > seconds:
            raise Broken(f"the newsroom has not finished after {seconds:.0f} s: {moving}")
        await asyncio.sleep(min(max(least, took * _SHARE), most))
    return standing(newsroom.public)


async def _what_moves(rest: Rest) -> str:
    try:
        return await rest.what_moves()
    except Away as error:
        return str(error)


def standing(folder: Path) -> Standing:
    """All that stands there now. `last_at`: seconds since the epoch, of the last that was put in place."""
    root, sizes, last_at = str(folder), dict[str, int](), 0.0
    for entry in _files(root):
        found = entry.stat()
        sizes[entry.path.removeprefix(root)] = found.st_size
        last_at = max(last_at, found.st_ctime)
    return Standing(sizes, last_at)


def aside(folder: Path, place: Path) -> None:
    """Move what is in it to a new folder on the same file system. Nothing is deleted: on some file systems
    new files come slowly for minutes after that.
    """
    place.mkdir(parents=True)
    for path in folder.iterdir():
        path.rename(place / path.name)


def _files(folder: str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _files(entry.path)
            else:
                yield entry
