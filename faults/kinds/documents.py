"""MongoDB away, dead, frozen, or changing who leads it."""

from __future__ import annotations

import asyncio
from random import Random

from faults.fault import Fault, Plan
from faults.stage.arena import Arena

FROZEN_SECONDS = 25.0
STEPPED_DOWN_SECONDS = 10
MEMBERS = 3


async def _stopped(arena: Arena, dice: Random) -> None:
    await arena.mongo.stop()
    try:
        await asyncio.sleep(dice.uniform(15.0, 25.0))
    finally:
        await arena.mongo.start()


async def _killed(arena: Arena, dice: Random) -> None:
    for _ in range(2):
        arena.mongo.kill()
        await asyncio.sleep(dice.uniform(0.5, 5.0))
        await arena.mongo.start()
        await asyncio.sleep(dice.uniform(0.5, 5.0))


async def _frozen(arena: Arena, _dice: Random) -> None:
    arena.mongo.pause()
    try:
        await asyncio.sleep(FROZEN_SECONDS)
    finally:
        arena.mongo.resume()


async def _primary_stepped_down(arena: Arena, dice: Random) -> None:
    for _ in range(2):
        await arena.mongo.step_down(STEPPED_DOWN_SECONDS)
        await asyncio.sleep(dice.uniform(3.0, 8.0))


async def _primary_killed(arena: Arena, dice: Random) -> None:
    """For longer than the others take to choose a new one."""
    primary = await arena.mongo.primary()
    primary.kill()
    try:
        await asyncio.sleep(dice.uniform(12.0, 20.0))
    finally:
        await primary.start()


FAULTS = (
    Fault("mongod-stopped", "MongoDB is stopped in order, and is back after 15 to 25 s.", _stopped),
    Fault("mongod-killed", "MongoDB is killed with SIGKILL and started again, twice.", _killed),
    Fault("mongod-frozen", "MongoDB is frozen for 25 s.", _frozen),
    Fault(
        "primary-stepped-down",
        "The primary of three members steps down, twice.",
        _primary_stepped_down,
        Plan(mongo_members=MEMBERS),
    ),
    Fault(
        "primary-killed",
        "The primary of three members is killed, and is back after 12 to 20 s.",
        _primary_killed,
        Plan(mongo_members=MEMBERS),
    ),
)
