"""Whether a newsroom is at rest: every consumer has committed to the end of its topic, no rebuild runs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from newsroom import topics
from newsroom.kafka import cluster


@dataclass(frozen=True)
class Reading:
    """A consumer group, its topic, and the offset at which it began in each partition (none: the first)."""

    group: str
    topic: str
    begin: Mapping[int, int]


@dataclass(frozen=True)
class Rest:
    """Looks at one newsroom from outside: at its log, its databases and the folder of its pages."""

    bootstrap: str
    mongo_url: str
    store_database: str
    render_database: str
    pages: Path

    async def what_moves(self) -> str:
        """The first thing that is not at rest, in words; empty when all is. Raises: Away.

        That a rebuild is over, its note beside the pages tells. Topics are looked at from left to right: what
        one consumer has committed, the next one's topic has.
        """
        note = self.pages / "fingerprint.json"
        if not note.exists() or not note.read_bytes():
            return "the pages are being rebuilt"
        readings = await asyncio.to_thread(self._readings)
        if not readings:
            return "a database is new"
        for reading in readings:
            behind = await self._behind(reading)
            if behind:
                return f"{reading.group} has {behind} records of {reading.topic} before it"
        return ""

    async def _behind(self, reading: Reading) -> int:
        ends = await cluster.end_offsets(self.bootstrap, reading.topic)
        committed = await cluster.committed_offsets(self.bootstrap, reading.group, reading.topic)
        read = {**reading.begin, **committed}
        return sum(max(0, end - read.get(place.partition, 0)) for place, end in ends.items())

    def _readings(self) -> list[Reading]:
        """As the databases tell; none as long as one of them is new."""
        with MongoClient[dict[str, Any]](self.mongo_url, serverSelectionTimeoutMS=3000) as client:
            store = client[self.store_database]["identity"].find_one({"_id": "log"})
            render = client[self.render_database]["identity"].find_one({"_id": "identity"})
        if store is None or render is None:
            return []
        updates, listings = (
            {int(number): int(offset) for number, offset in render[name].items()}
            for name in ("updates", "listings")
        )
        database = store["database_id"]
        return [
            Reading(f"store-{database}", topics.EVENTS, {}),
            Reading(f"render-{render['name']}", topics.UPDATES, updates),
            Reading(f"render-listings-{render['name']}", topics.LISTINGS, listings),
            Reading(f"store-outcomes-{database}", topics.OUTCOMES, {}),
            Reading(f"store-dead-letters-{database}", topics.DEAD_LETTERS, {}),
        ]
