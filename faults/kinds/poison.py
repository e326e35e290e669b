"""Bad records on every topic: one by one, and nothing else for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from random import Random

from faults.fault import Fault
from faults.kinds.badrecords import CONSUMED, TYPES, in_parts, not_json, of_unknown_type, oversize, scattered
from faults.kinds.tape import lettered, write
from faults.stage.arena import Arena
from faults.stage.patience import until
from newsroom import topics
from newsroom.records import Message

_FED = (topics.EVENTS, topics.UPDATES, topics.LISTINGS)
_FEW = 4
_EACH = 20
"""Of each topic in a run: so few that they stay below the limit even where nothing good comes between."""
_LARGE = 2
_BELOW, _ABOVE = 45, 200
LIMIT = "NEWSROOM_DEAD_LETTERS_IN_ROW"
_PARKING = ("store", "render")
_RAISED, _USUAL = "1000", "50"
_KINDS = (not_json, of_unknown_type)


async def _scatter(arena: Arena, messages: list[Message]) -> None:
    """A few at a time; returns when what can have a letter has one."""
    places = []
    for part in in_parts(messages, _FEW):
        places += await write(arena.bootstrap, part)
        await asyncio.sleep(0.2)
    consumed = [place for place in places if place.topic in CONSUMED]
    await lettered(arena.bootstrap, consumed)


async def _json(arena: Arena, dice: Random) -> None:
    await _scatter(arena, scattered(not_json, tuple(TYPES), _EACH, dice))


async def _types(arena: Arena, dice: Random) -> None:
    await _scatter(arena, scattered(of_unknown_type, tuple(TYPES), _EACH, dice))


async def _large(arena: Arena, dice: Random) -> None:
    await _scatter(arena, scattered(oversize, CONSUMED, _LARGE, dice))


async def _only(arena: Arena, dice: Random) -> None:
    """Below the limit it passes by itself. Above it store and render stop, and an operator lets them park."""
    await _stretch(arena, _BELOW, dice.choice(_KINDS), dice)
    before = {name: _stops(arena, name) for service in _PARKING for name in arena.names(service)}
    places = await write(
        arena.bootstrap, _in_one_row(scattered(dice.choice(_KINDS), _FED, _ABOVE, dice), dice)
    )

    async def have_stopped() -> bool:
        return all(_stops(arena, name) > count for name, count in before.items())

    await until(have_stopped, "store and render stop")
    for name in before:
        await _start_with(arena, name, _RAISED)
    await lettered(arena.bootstrap, places)
    for name in before:
        await _start_with(arena, name, _USUAL)


def _in_one_row(messages: list[Message], dice: Random) -> list[Message]:
    """All of them in one partition of their topic, where no editor's record comes between."""
    partition = dice.randrange(12)
    return sorted((replace(each, partition=partition) for each in messages), key=lambda each: each.topic)


async def _stretch(arena: Arena, each: int, make: Callable[[str, Random], Message], dice: Random) -> None:
    places = await write(arena.bootstrap, scattered(make, _FED, each, dice))
    await lettered(arena.bootstrap, places)


def _stops(arena: Arena, name: str) -> int:
    """How often an instance stopped of bad records, by its log."""
    return arena.log(name).count(LIMIT)


async def _start_with(arena: Arena, name: str, limit: str) -> None:
    """As an operator does it: stop it, and start it with another limit."""
    with arena.unkept(name):
        await arena.stop(name)
        await arena.spawn(name.rpartition("-")[0], name, **{LIMIT: limit})
    await arena.ready(name)


FAULTS = (
    Fault(
        "poison-json",
        f"{_EACH} records on each topic that are no JSON, or JSON of something else.",
        _json,
    ),
    Fault(
        "poison-type",
        f"{_EACH} records on each topic whose headers are those of nothing that is known.",
        _types,
    ),
    Fault("poison-oversize", "Records of 12 MiB, packed so that the log takes them.", _large),
    Fault(
        "poison-only",
        f"Nothing but bad records on events, updates, listings: {_BELOW} in a row, then {_ABOVE}, at which "
        "store and render stop until an operator raises their limit for a while.",
        _only,
    ),
)
