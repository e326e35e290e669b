"""The network between a service and what it stands on: cut, or dead without a word."""

from __future__ import annotations

import asyncio
from random import Random

from faults.fault import Fault, Plan
from faults.stage.arena import Arena
from faults.stage.network import Target

AWAY_SECONDS = (5.0, 25.0)


def _cut(name: str, service: str, target: Target, what: str) -> Fault:
    async def inject(arena: Arena, dice: Random) -> None:
        proxy = arena.proxy(service, target)
        dice.choice((proxy.cut, proxy.stall))()
        try:
            await asyncio.sleep(dice.uniform(*AWAY_SECONDS))
        finally:
            await proxy.heal()

    return Fault(name, f"{what} is cut or passes nothing for 5 to 25 s.", inject, Plan(is_proxied=True))


FAULTS = (
    _cut("ingest-cut-off", "ingest", "kafka", "The way from ingest to Kafka"),
    _cut("store-cut-from-log", "store", "kafka", "The way from the store to Kafka"),
    _cut("store-cut-from-documents", "store", "mongo", "The way from the store to MongoDB"),
    _cut("render-cut-from-log", "render", "kafka", "The way from render to Kafka"),
    _cut("render-cut-from-documents", "render", "mongo", "The way from render to MongoDB"),
)
