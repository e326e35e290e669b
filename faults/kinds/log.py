"""Kafka away, dead, frozen, or deaf to its consumer groups."""

from __future__ import annotations

import asyncio
from random import Random

from faults.fault import Fault, Plan
from faults.stage.arena import Arena

STOPPED_SECONDS = 60.0
FROZEN_SECONDS = 25.0
DEAF_SECONDS = (14.0, 20.0)
"""Longer than a consumer group waits for a member, 10 s."""


async def _stopped(arena: Arena, _dice: Random) -> None:
    await arena.kafka.stop()
    try:
        await asyncio.sleep(STOPPED_SECONDS)
    finally:
        await arena.kafka.start()


async def _killed(arena: Arena, dice: Random) -> None:
    for _ in range(2):
        arena.kafka.kill()
        await asyncio.sleep(dice.uniform(0.5, 5.0))
        await arena.kafka.start()
        await asyncio.sleep(dice.uniform(0.5, 5.0))


async def _frozen(arena: Arena, _dice: Random) -> None:
    arena.kafka.pause()
    try:
        await asyncio.sleep(FROZEN_SECONDS)
    finally:
        arena.kafka.resume()


async def _coordinator_lost(arena: Arena, dice: Random) -> None:
    proxies = [arena.proxy(service, "kafka") for service in ("store", "render")]
    for proxy in proxies:
        proxy.stall_coordination()
    try:
        await asyncio.sleep(dice.uniform(*DEAF_SECONDS))
    finally:
        for proxy in proxies:
            await proxy.heal()


FAULTS = (
    Fault("kafka-stopped", "Kafka is stopped in order, and is back after 60 s.", _stopped),
    Fault("kafka-killed", "Kafka is killed with SIGKILL and started again, twice.", _killed),
    Fault("kafka-frozen", "Kafka is frozen for 25 s.", _frozen),
    Fault(
        "coordinator-lost",
        "Consumers reach their records, and for 14 to 20 s not the coordinator of their group.",
        _coordinator_lost,
        Plan(is_proxied=True),
    ),
)
