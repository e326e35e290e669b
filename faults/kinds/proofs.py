"""Short faults under which the bugs of `faults.bugs.planted` show. They are not of the table: what a newsroom
without bugs does under them is shown by longer ones.
"""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

from faults.fault import Fault, Plan
from faults.kinds import tape
from newsroom import topics
from newsroom.records import Message, Record

if TYPE_CHECKING:
    from faults.stage.arena import Arena

_MOMENT, _WHILE = 1.5, 3.0
_POISON = 5


async def _kill_the_door(arena: Arena, _: Random) -> None:
    """While the log does not answer, so that what was not on it yet is lost with the process."""
    arena.kafka.pause()
    try:
        await asyncio.sleep(_MOMENT)
        arena.kill("ingest-1")
    finally:
        arena.kafka.resume()
    await arena.returns("ingest-1")


async def _freeze_the_documents(arena: Arena, _: Random) -> None:
    arena.mongo.pause()
    try:
        await asyncio.sleep(_WHILE)
    finally:
        arena.mongo.resume()


async def _kill_the_documents(arena: Arena, _: Random) -> None:
    arena.mongo.kill()
    await asyncio.sleep(_MOMENT)
    await arena.mongo.start()


async def _freeze_the_store(arena: Arena, _: Random) -> None:
    """So that it finds several events of an article at once."""
    arena.pause("store-1")
    try:
        await asyncio.sleep(_WHILE)
    finally:
        arena.resume("store-1")


async def _poison(arena: Arena, dice: Random) -> None:
    messages = [Message(topics.EVENTS, b"nobodys", dice.randbytes(20)) for _ in range(_POISON)]
    await tape.write(arena.bootstrap, messages)
    await asyncio.sleep(_MOMENT)


async def _write_events_again(arena: Arena, _: Random) -> None:
    await tape.write(arena.bootstrap, [_again(r) for r in await tape.read(arena.bootstrap, topics.EVENTS)])
    await asyncio.sleep(_MOMENT)


async def _write_updates_again(arena: Arena, _: Random) -> None:
    """Only the first of each article, so that an older one comes last."""
    first: dict[bytes | None, Record] = {}
    for record in await tape.read(arena.bootstrap, topics.UPDATES):
        first.setdefault(record.key, record)
    await tape.write(arena.bootstrap, [_again(record) for record in first.values()])
    await asyncio.sleep(_MOMENT)


async def _let_streams_end(_arena: Arena, _: Random) -> None:
    """They do by themselves, see the plan."""
    await asyncio.sleep(2 * _WHILE)


def _again(record: Record) -> Message:
    return Message(record.topic, record.key, record.value, record.headers, record.partition)


FAULTS = (
    Fault("ingest-killed-in-a-frozen-log", "Kafka is frozen, ingest killed meanwhile.", _kill_the_door),
    Fault("documents-frozen-shortly", "MongoDB is frozen for 3 s.", _freeze_the_documents),
    Fault("documents-killed-shortly", "MongoDB is killed, and started again.", _kill_the_documents),
    Fault("store-frozen-shortly", "The store is frozen for 3 s.", _freeze_the_store),
    Fault("poisoned-shortly", "A few records that are no events are written to the log.", _poison),
    Fault("events-again", "Every event is written to the log once more.", _write_events_again),
    Fault("updates-again", "The first update of each article is written once more.", _write_updates_again),
    Fault(
        "streams-ending",
        "Every stream ends after 2 s.",
        _let_streams_end,
        Plan(settings={"NEWSROOM_LIVE_AGE_SECONDS": "2"}),
    ),
)
