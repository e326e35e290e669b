"""Many readers with a page open, in a process of their own (`bench.audience`), and what they hear."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from bench.audience import OPEN_SECONDS
from bench.stack import PATIENCE_SECONDS, Broken
from desk.parts.home import SOURCE

_LINE_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True)
class Heard:
    """One reader heard the notice of that number; seconds since the epoch."""

    reader: int
    number: int
    at: float


class Crowd:
    """The readers in the other process. `readers`: so many have a stream open."""

    def __init__(self, process: Process, readers: int) -> None:
        self._process, self.readers = process, readers

    async def hear(self, first: int, count: int, seconds: float) -> list[Heard]:
        """Wait for so many notices from that number on, or so long. Raises: Broken."""
        assert self._process.stdin is not None  # noqa: S101  (it was started with one)
        self._process.stdin.write(f"hear {first} {count} {seconds}\n".encode())
        told = await _line(self._process, seconds + PATIENCE_SECONDS)
        return [Heard(*each) for each in json.loads(told)]


@asynccontextmanager
async def a_crowd(site: str, count: int, path: str) -> AsyncIterator[Crowd]:
    """So many readers of that path, in which {} stands for a reader's number; gone at the end.

    Raises: Broken when not all of them come.
    """
    where = urlsplit(site)
    arguments = [str(where.hostname), str(where.port), str(count), path]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.audience",
        *arguments,
        cwd=SOURCE,
        stdin=PIPE,
        stdout=PIPE,
        limit=_LINE_BYTES,
    )
    try:
        opened = int((await _line(process, OPEN_SECONDS + PATIENCE_SECONDS)).split()[1])
        if opened < count:
            raise Broken(f"of {count:,} readers only {opened:,} have the live stream open")
        yield Crowd(process, opened)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _line(process: Process, seconds: float) -> bytes:
    assert process.stdout is not None  # noqa: S101  (it was started with one)
    try:
        line = await asyncio.wait_for(process.stdout.readline(), seconds)
    except TimeoutError as error:
        raise Broken(f"the readers say nothing for {seconds:.0f} s") from error
    if not line:
        raise Broken("the process of the readers has ended")
    return line
