"""A loop's clock that a test moves, so that what takes long in a test takes no time of it."""

from __future__ import annotations

import asyncio

import pytest


class Ahead:
    """The running loop's clock, that many `seconds` ahead of the true one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 0.0
        loop = asyncio.get_running_loop()
        true = loop.time
        monkeypatch.setattr(loop, "time", lambda: true() + self.seconds)

    async def goes_by(self, seconds: float) -> None:
        """As if so much time went by, after what is on its way has arrived."""
        await asyncio.sleep(0.05)
        self.seconds += seconds
        await asyncio.sleep(0.05)
