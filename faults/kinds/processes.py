"""Processes of the services that end at any moment, or stop and wake up when others have gone on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from random import Random

from faults.fault import Fault, Plan
from faults.stage.arena import Arena
from newsroom.steps import POINTS

PAUSE_SECONDS = (13.0, 16.0)
"""Longer than a consumer group waits for a member, 10 s."""
AT_ONCE = 3
_POINT_SECONDS = 20.0
"""A group first waits for the members that died, 10 s; then a rare point has to be reached."""
_SPRING_SECONDS = 10.0

Inject = Callable[[Arena, Random], Awaitable[None]]


def _killed(service: str) -> Inject:
    async def inject(arena: Arena, dice: Random) -> None:
        for _ in range(dice.randint(3, 5)):
            await asyncio.sleep(dice.uniform(0.3, 4.0))
            name = dice.choice(arena.names(service))
            arena.kill(name)
            await arena.returns(name)

    return inject


def _killed_at_every_point(service: str) -> Inject:
    async def inject(arena: Arena, dice: Random) -> None:
        before = len(arena.names(service))
        points = dice.sample(POINTS[service], len(POINTS[service]))
        await arena.scale(service, AT_ONCE)
        names = arena.names(service)
        with ExitStack() as stack:
            for name in names:
                stack.enter_context(arena.unkept(name))
            await _die_at(arena, service, names, [f"{point}=kill@{dice.randint(1, 3)}" for point in points])
            missed = [point for point in points if point not in arena.died_at]
            await _die_at(arena, service, names, [f"{point}=kill@1" for point in missed])
        for name in names:
            await arena.returns(name)
        await arena.scale(service, before)

    return inject


async def _die_at(arena: Arena, service: str, names: Sequence[str], traps: Sequence[str]) -> None:
    """A few at once, each in a trap of its own."""
    for begin in range(0, len(traps), AT_ONCE):
        pairs = zip(names, traps[begin : begin + AT_ONCE], strict=False)
        await asyncio.gather(*(_die_in_trap(arena, service, *pair) for pair in pairs))


async def _die_in_trap(arena: Arena, service: str, name: str, trap: str) -> None:
    """A new process in the old one's place. Where the point is not reached in time it is killed anyway, and
    the run's count of points tells.
    """
    arena.kill(name)
    await arena.spawn(service, name, trap)
    if await arena.gone(name, _POINT_SECONDS):
        arena.died_at.add(trap.partition("=")[0])
    arena.kill(name)


async def _everything_killed(arena: Arena, dice: Random) -> None:
    arena.cut_power()
    await asyncio.sleep(dice.uniform(0.5, 3.0))
    await asyncio.gather(arena.kafka.start(), arena.mongo.start())


def _paused(service: str) -> Inject:
    """One is stopped at any moment; where it has named points, one more in the middle of its work."""

    async def inject(arena: Arena, dice: Random) -> None:
        before = len(arena.names(service))
        await arena.scale(service, max(2, before))
        name = dice.choice(arena.names(service))
        await asyncio.sleep(dice.uniform(0.0, 1.0))
        await _asleep(arena, name, dice)
        if service in POINTS:
            await _stop_in_trap(arena, service, name, dice)
            await _asleep(arena, name, dice)
        await arena.scale(service, before)

    return inject


async def _stop_in_trap(arena: Arena, service: str, name: str, dice: Random) -> None:
    """A new process in the old one's place. One that does not come by the point in time has no trap
    afterwards: it would stop when nobody wakes it any more.
    """
    await arena.stop(name)
    await arena.spawn(service, name, f"{dice.choice(POINTS[service])}=stop@{dice.randint(1, 3)}")
    try:
        await arena.springs(name, _SPRING_SECONDS)
    except TimeoutError:
        arena.kill(name)
        await arena.returns(name)


async def _asleep(arena: Arena, name: str, dice: Random) -> None:
    arena.pause(name)
    try:
        await asyncio.sleep(dice.uniform(*PAUSE_SECONDS))
    finally:
        arena.resume(name)


FAULTS = (
    Fault("ingest-killed", "Ingest is killed with SIGKILL, three to five times.", _killed("ingest")),
    Fault("store-killed", "The store is killed with SIGKILL, three to five times.", _killed("store")),
    Fault("render-killed", "Render is killed with SIGKILL, three to five times.", _killed("render")),
    Fault(
        "store-killed-at-every-point",
        "Stores are killed between any two steps of their work.",
        _killed_at_every_point("store"),
    ),
    Fault(
        "render-killed-at-every-point",
        "Renders are killed between any two steps of their work.",
        _killed_at_every_point("render"),
    ),
    Fault(
        "everything-killed",
        "The power goes: services, Kafka and MongoDB are killed at once, and start again.",
        _everything_killed,
    ),
    Fault("ingest-paused", "One of two ingests is frozen for 13 to 16 s, and wakes.", _paused("ingest")),
    Fault(
        "store-paused",
        "One of two stores is frozen until the other has taken over, and wakes.",
        _paused("store"),
        Plan(stores=2),
    ),
    Fault(
        "render-paused",
        "One of two renders is frozen until the other has taken over, and wakes.",
        _paused("render"),
        Plan(renders=2),
    ),
)
