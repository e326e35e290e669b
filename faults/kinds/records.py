"""Records that come twice, or late, as a retried produce or a slow instance writes them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from random import Random

from faults.fault import Fault
from faults.kinds.tape import read, write
from faults.stage.arena import Arena
from newsroom import topics
from newsroom.records import Message, Record

_ROUNDS = 4
_REST_SECONDS = 1.5
_AT_A_TIME = 40
_REPEATED = (topics.EVENTS, topics.UPDATES, topics.LISTINGS, topics.OUTCOMES, topics.NOTICES)
"""Not the keys, of which a name's first record counts, nor dead letters, each of which is told by its own."""


async def _duplicates(arena: Arena, dice: Random) -> None:
    for _ in range(_ROUNDS):
        for topic in _REPEATED:
            chosen = picked(await read(arena.bootstrap, topic), _AT_A_TIME, dice)
            await write(arena.bootstrap, [again(record) for record in chosen])
        await asyncio.sleep(_REST_SECONDS)


async def _reordered(arena: Arena, dice: Random) -> None:
    for _ in range(_ROUNDS):
        old = overtaken(await read(arena.bootstrap, topics.UPDATES))
        await write(arena.bootstrap, [again(record) for record in picked(old, 2 * _AT_A_TIME, dice)])
        events = picked(await read(arena.bootstrap, topics.EVENTS), _AT_A_TIME, dice)
        await write(arena.bootstrap, [again(record) for record in across(events, dice)])
        await asyncio.sleep(_REST_SECONDS)


def again(record: Record) -> Message:
    """The record as it was, for the partition that it was in."""
    return Message(record.topic, record.key, record.value, record.headers, record.partition)


def picked(records: Sequence[Record], most: int, dice: Random) -> list[Record]:
    """Some of the records, in the order in which they stand in each partition."""
    chosen = set(dice.sample(range(len(records)), min(most, len(records))))
    return [record for place, record in enumerate(records) if place in chosen]


def overtaken(records: Sequence[Record]) -> list[Record]:
    """Those behind which a newer one of the same key stands in its partition."""
    newest = {(record.partition, record.key): record.offset for record in records}
    return [record for record in records if newest[record.partition, record.key] > record.offset]


def across(records: Sequence[Record], dice: Random) -> list[Record]:
    """The same with those of different keys in any order; of one key they stay in theirs."""
    by_key: dict[bytes | None, list[Record]] = defaultdict(list)
    for record in records:
        by_key[record.key].append(record)
    turns = [record.key for record in records]
    dice.shuffle(turns)
    return [by_key[key].pop(0) for key in turns]


FAULTS = (
    Fault(
        "duplicates",
        "Events, updates, listings, outcomes and notices that stand on the log are written to it again.",
        _duplicates,
    ),
    Fault(
        "reordered",
        "Updates that newer ones have overtaken are written again behind them, and events in another order "
        "of their articles.",
        _reordered,
    ),
)
