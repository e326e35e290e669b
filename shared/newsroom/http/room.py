"""Room for work that takes a while: so much of it at once, so much more that waits, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from newsroom.http.problems import Kind, Refused


class Room:
    """Lets `at_once` in, has up to `most` in all wait for their turn, and sends the others away."""

    def __init__(self, at_once: int, most: int) -> None:
        self._most = most
        self._places = asyncio.Semaphore(at_once)
        self._there = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Held for the length of the work. Raises: Refused at once where too many wait already."""
        if self._there >= self._most:
            raise Refused(Kind.BUSY, "Too much of this is asked for: try again in a moment.")
        self._there += 1
        try:
            async with self._places:
                yield
        finally:
            self._there -= 1
