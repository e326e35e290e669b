"""Wall clocks that are set, forward and back, while everything runs."""

from __future__ import annotations

import asyncio
from random import Random

from faults.fault import Fault
from faults.stage.arena import Arena
from faults.stage.environment import SERVICES

STEPS = 6
_MINUTE, _HOUR = 60.0, 3600.0
_STEPS_SECONDS = (_MINUTE, 5 * _MINUTE, _HOUR, 3 * _HOUR)


async def _clock_steps(arena: Arena, dice: Random) -> None:
    clocks = [arena.clock(name) for service in SERVICES for name in arena.names(service)]
    try:
        for _ in range(STEPS):
            dice.choice(clocks).step(dice.choice((-1, 1)) * dice.choice(_STEPS_SECONDS))
            await asyncio.sleep(dice.uniform(1.0, 4.0))
    finally:
        for clock in clocks:
            clock.put_right()


FAULTS = (
    Fault(
        "clock-steps",
        "The clocks of the services are set forward and back by minutes and hours, and put right.",
        _clock_steps,
        is_clock_true=False,
    ),
)
