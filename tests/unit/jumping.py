"""A clock that a test moves, so that what takes long in a test takes no time of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import ModuleType, SimpleNamespace

import pytest


class Ahead:
    """A clock that is that many `seconds` ahead of the true one."""

    def __init__(self, true: Callable[[], float]) -> None:
        self.seconds = 0.0
        self._true = true

    def time(self) -> float:
        return self._true() + self.seconds

    async def goes_by(self, seconds: float) -> None:
        """As if so much time went by, after what is on its way has arrived."""
        await asyncio.sleep(0.05)
        self.seconds += seconds
        await asyncio.sleep(0.05)


def of_the_loop(monkeypatch: pytest.MonkeyPatch) -> Ahead:
    """The running loop's clock."""
    loop = asyncio.get_running_loop()
    clock = Ahead(loop.time)
    monkeypatch.setattr(loop, "time", clock.time)
    return clock


def of_module(monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> Ahead:
    """The monotonic clock of a module that imports `time`, and asks it for nothing else."""
    clock = Ahead(time.monotonic)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=clock.time))
    return clock
