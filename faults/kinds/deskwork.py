"""What an operator does while everybody works: dead letters retried and dropped, pages made again."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import httpx

from faults.fault import Fault
from faults.kinds.badrecords import CONSUMED, not_json, of_unknown_type, scattered
from faults.kinds.tape import lettered, read, write
from faults.stage.arena import Arena
from faults.stage.patience import until
from newsroom import topics

_LETTERS, _RETRIES = 5, 2
_REPUBLICATIONS, _CHOSEN = 4, 20


def a_publisher(arena: Arena) -> httpx.AsyncClient:
    """A client with a publisher's key."""
    return httpx.AsyncClient(headers={"Authorization": f"Bearer {arena.key}"}, trust_env=False, timeout=15)


async def waiting_letters(arena: Arena, client: httpx.AsyncClient) -> list[dict[str, Any]]:
    """The newest letters that nobody has retried or dropped. Raises: httpx.HTTPError."""
    answer = await client.get(f"{arena.url('store')}/dead-letters?state=waiting&limit=100")
    answer.raise_for_status()
    letters: list[dict[str, Any]] = answer.json()["dead_letters"]
    return letters


async def retry(arena: Arena, client: httpx.AsyncClient, letter_id: str) -> None:
    """Raises: httpx.HTTPError."""
    (await client.post(f"{arena.url('store')}/dead-letters/{letter_id}/retry")).raise_for_status()


async def _retries(arena: Arena, dice: Random) -> None:
    """Letters come back as often as they are retried, two at a time too; in the end they are dropped."""
    bad = scattered(not_json, CONSUMED, _LETTERS, dice) + scattered(of_unknown_type, CONSUMED, _LETTERS, dice)
    await lettered(arena.bootstrap, await write(arena.bootstrap, bad))
    async with a_publisher(arena) as client:
        for attempts in range(1, _RETRIES + 1):
            letters = await _of_attempts(arena, client, len(bad), attempts)
            for letter in letters:
                again = [retry(arena, client, letter["id"]) for _ in range(dice.choice([1, 1, 2]))]
                await asyncio.gather(*again)
        for letter in await _of_attempts(arena, client, len(bad), _RETRIES + 1):
            answer = await client.delete(f"{arena.url('store')}/dead-letters/{letter['id']}")
            answer.raise_for_status()


async def _of_attempts(
    arena: Arena, client: httpx.AsyncClient, count: int, attempts: int
) -> list[dict[str, Any]]:
    """So many waiting letters, once each was parked so often. Raises: TimeoutError, httpx.HTTPError."""

    async def are_parked() -> list[dict[str, Any]] | None:
        letters = await waiting_letters(arena, client)
        back = [letter for letter in letters if letter["attempts"] >= attempts]
        return back if len(back) >= count else None

    return await until(are_parked, f"letters of {attempts} attempts")


async def _republished(arena: Arena, dice: Random) -> None:
    """Everything, and selections of it, several at the same time."""
    async with a_publisher(arena) as client:
        for _ in range(_REPUBLICATIONS):
            events = await read(arena.bootstrap, topics.UPDATES)
            ids = sorted({(record.key or b"").decode().partition("/")[0] for record in events})
            chosen = dice.sample(ids, min(_CHOSEN, len(ids)))
            wanted: list[dict[str, Any]] = [{"all": True}, *({"article_ids": chosen} for _ in ids[:1])]
            await asyncio.gather(*(_republish(arena, client, each) for each in wanted))


async def _republish(arena: Arena, client: httpx.AsyncClient, wanted: dict[str, Any]) -> None:
    """Raises: TimeoutError, httpx.HTTPError."""
    answer = await client.post(f"{arena.url('store')}/republications", json=wanted)
    answer.raise_for_status()
    place = f"{arena.url('store')}/republications/{answer.json()['id']}"

    async def is_done() -> bool:
        return bool((await client.get(place)).raise_for_status().json()["state"] == "done")

    await until(is_done, "the republication is done")


FAULTS = (
    Fault(
        "dead-letter-retries",
        f"Bad records are parked, retried {_RETRIES} times, some by two people at once, and dropped.",
        _retries,
    ),
    Fault(
        "republished",
        f"Everything and a selection are announced again, {_REPUBLICATIONS} times, during all other work.",
        _republished,
    ),
)
