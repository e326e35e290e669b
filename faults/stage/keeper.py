"""Starts again what ended, as `restart: unless-stopped` does in compose, and counts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

WAIT_SECONDS = 1.0
_LOOK_SECONDS = 0.1


class Kept(Protocol):
    """What can be looked after."""

    name: str
    is_wanted: bool

    @property
    def is_alive(self) -> bool: ...


class Keeper:
    """Looks at everything ten times a second; what ended is started a second later."""

    def __init__(self, watched: Callable[[], list[Kept]], start: Callable[[Kept], object]) -> None:
        self.restarts = 0
        self._watched, self._start = watched, start
        self._left_alone: list[str] = []
        self._due: dict[str, float] = {}

    @contextmanager
    def unkept(self, name: str) -> Iterator[None]:
        """Leave that one as it is for the length of the block."""
        self._left_alone.append(name)
        try:
            yield
        finally:
            self._left_alone.remove(name)

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            self.look(time.monotonic())
            await asyncio.sleep(_LOOK_SECONDS)

    def look(self, at: float) -> None:
        """Once."""
        for each in self._watched():
            if each.is_alive or not each.is_wanted or each.name in self._left_alone:
                self._due.pop(each.name, None)
            elif at >= self._due.setdefault(each.name, at + WAIT_SECONDS):
                del self._due[each.name]
                self.restarts += 1
                self._start(each)
