"""Consumer groups whose members come and go."""

from __future__ import annotations

import asyncio
from random import Random

from faults.fault import Fault
from faults.stage.arena import Arena

ROUNDS = 3
MANY = 3
_CONSUMERS = ("store", "render")


async def _rebalance_storm(arena: Arena, dice: Random) -> None:
    for _ in range(ROUNDS):
        await asyncio.gather(*(arena.scale(service, MANY) for service in _CONSUMERS))
        await asyncio.sleep(dice.uniform(0.0, 2.0))
        await asyncio.gather(*(_leave_one(arena, service, dice) for service in _CONSUMERS))
        await asyncio.sleep(dice.uniform(0.0, 2.0))


async def _leave_one(arena: Arena, service: str, dice: Random) -> None:
    """Any but one stop in order, one a moment after the other."""
    names = arena.names(service)
    for name in dice.sample(names, len(names) - 1):
        await arena.stop(name)


FAULTS = (
    Fault(
        "rebalance-storm",
        "Store and render go from one instance to three and back, three times.",
        _rebalance_storm,
    ),
)
