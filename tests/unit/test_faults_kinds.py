"""Faults that break something for a while: whoever ends one in its middle finds all of it whole again."""

from __future__ import annotations

import asyncio
from random import Random
from typing import cast

import pytest

from faults.catalogue import ALL, named
from faults.stage.arena import Arena

LAST_FOR_A_WHILE = (
    "store-paused", "render-paused", "ingest-paused", "kafka-stopped", "kafka-frozen", "coordinator-lost",
    "mongod-stopped", "mongod-frozen", "primary-killed", "ingest-cut-off", "store-cut-from-log",
    "store-cut-from-documents", "render-cut-from-log", "render-cut-from-documents", "clock-steps",
)  # fmt: skip
LONG_SECONDS = 20.0


class Thing:
    """A server, a way or a clock, and whether it is as it should be."""

    def __init__(self, arena: FakeArena, name: str) -> None:
        self._arena, self._name = arena, name

    def kill(self) -> None:
        self._arena.breaks(self._name)

    pause = cut = stall = stall_coordination = kill

    async def stop(self) -> None:
        self.kill()

    def step(self, _seconds: float) -> None:
        self.kill()

    def resume(self) -> None:
        self._arena.broken.discard(self._name)

    put_right = resume

    async def start(self) -> None:
        self.resume()

    heal = start

    async def primary(self) -> Thing:
        return self


class FakeArena:
    """A newsroom in which nothing runs, and of which is known what is broken."""

    def __init__(self) -> None:
        self.broken: set[str] = set()
        self.is_broken = asyncio.Event()
        self.kafka, self.mongo = Thing(self, "kafka"), Thing(self, "mongo")

    def breaks(self, what: str) -> None:
        self.broken.add(what)
        self.is_broken.set()

    def names(self, service: str) -> list[str]:
        return [f"{service}-1", f"{service}-2"]

    async def scale(self, service: str, count: int) -> None:
        """There are as many as there are."""

    def pause(self, name: str) -> None:
        self.breaks(name)

    def resume(self, name: str) -> None:
        self.broken.discard(name)

    def proxy(self, service: str, target: str) -> Thing:
        return Thing(self, f"{service} to {target}")

    def clock(self, name: str) -> Thing:
        return Thing(self, f"clock of {name}")


@pytest.mark.parametrize("name", LAST_FOR_A_WHILE)
async def test_a_fault_that_is_ended_early_leaves_nothing_broken(name: str) -> None:
    arena = FakeArena()
    running = asyncio.create_task(_injected(name, arena))
    await asyncio.wait_for(arena.is_broken.wait(), LONG_SECONDS)
    assert arena.broken
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert arena.broken == set()


async def _injected(name: str, arena: FakeArena) -> None:
    await named(name).inject(cast(Arena, arena), Random(1))


def test_no_two_faults_have_one_name() -> None:
    """The name repeats a run, and is a row of the table."""
    names = [fault.name for fault in ALL]
    assert len(names) == len(set(names))
