"""Compressed siblings of files that somebody else wrote, made by the functions that render uses."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from bench.machine import cores
from services.render.site import COMPRESSED, ENCODINGS

_AT_ONCE = 50
_START_SECONDS = 0.2
"""As long as each process has something to do at first, the others are started as well."""


@contextmanager
def packers() -> Iterator[Executor]:
    """A process for each core that this one may use, all of them started."""
    count = cores()
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        list(pool.map(_begin, [_START_SECONDS] * count))
        yield pool


def pack(folder: Path, pool: Executor) -> int:
    """Make the siblings of every file that has any, flushing none; how many."""
    places = [str(file) for file in folder.rglob("*") if file.suffix in COMPRESSED]
    parts = [places[start : start + _AT_ONCE] for start in range(0, len(places), _AT_ONCE)]
    return sum(pool.map(_packed, parts))


def _begin(seconds: float) -> None:
    time.sleep(seconds)


def _packed(places: Iterable[str]) -> int:
    made = 0
    for place in places:
        content = Path(place).read_bytes()
        for suffix, encode in ENCODINGS.items():
            Path(place + suffix).write_bytes(encode(content))
            made += 1
    return made
