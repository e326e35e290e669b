"""Articles that the door takes and no template can draw."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

import httpx

from faults.fault import Fault
from faults.kinds.deskwork import a_publisher, retry, waiting_letters
from faults.stage.arena import Arena
from faults.stage.environment import own_look
from faults.stage.patience import until
from newsroom import topics

_ARTICLES = 3
_WORD = "undrawable"
_TEMPLATE = (
    '{% extends "newsroom/article.html" %}{% block main %}'
    f'{{% if "{_WORD}" in page.headline.text %}}{{{{ page.nothing_of_that_name }}}}{{% endif %}}'
    "{{ super() }}{% endblock %}"
)
"""Fails for a word that the sample, with which a look is tried before it is worn, does not have."""


async def _template(arena: Arena, dice: Random) -> None:
    """A template breaks on some articles; it is taken away, and they are retried."""
    template = own_look(arena.pages) / "templates" / "article.html"
    template.parent.mkdir(parents=True, exist_ok=True)
    worn = _note(arena)
    async with a_publisher(arena) as client:
        try:
            await _change_look(arena, lambda: template.write_text(_TEMPLATE))
            ids = [f"undrawable-{dice.randrange(10**6)}" for _ in range(_ARTICLES)]
            await asyncio.gather(*(_publish(arena, client, article_id) for article_id in ids))
            letters = await _letters_of(arena, client, ids)
        finally:
            await _change_look(arena, lambda: template.unlink(missing_ok=True))
        await _is_worn(arena, worn)
        for letter in letters:
            await retry(arena, client, letter["id"])


async def _change_look(arena: Arena, change: Callable[[], object]) -> None:
    """Change it, and wait until every render has seen that. Raises: TimeoutError."""
    before = {name: _looks_seen(arena, name) for name in arena.names("render") if arena.alive(name)}
    change()

    async def is_seen() -> bool:
        return all(_looks_seen(arena, name) > count for name, count in before.items())

    await until(is_seen, "render sees that its templates changed")


async def _is_worn(arena: Arena, note: bytes) -> None:
    """Wait until everything is built anew in the look that this note beside the pages tells of."""

    async def is_noted() -> bool:
        return _note(arena) == note

    await until(is_noted, "the pages are built anew in the former look")


def _note(arena: Arena) -> bytes:
    note = arena.pages / "fingerprint.json"
    return note.read_bytes() if note.exists() else b""


def _looks_seen(arena: Arena, name: str) -> int:
    return arena.log(name).count('"site_changes"')


async def _publish(arena: Arena, client: httpx.AsyncClient, article_id: str) -> None:
    """Raises: httpx.HTTPError."""
    article = {
        "id": article_id,
        "headline": f"An {_WORD} story",
        "body": "<p>It is like any other.</p>",
        "section": "World",
        "dateline": {"place": "Astana", "timezone": "Asia/Almaty"},
    }
    (await client.post(f"{arena.url('ingest')}/articles", json=article)).raise_for_status()


async def _letters_of(arena: Arena, client: httpx.AsyncClient, ids: list[str]) -> list[dict[str, Any]]:
    async def are_parked() -> list[dict[str, Any]] | None:
        letters = [
            letter
            for letter in await waiting_letters(arena, client)
            if letter["topic"] == topics.UPDATES and letter.get("article_id") in ids
        ]
        return letters if {letter["article_id"] for letter in letters} == set(ids) else None

    return await until(are_parked, "letters of what cannot be drawn")


FAULTS = (
    Fault(
        "poison-template",
        f"A template fails on {_ARTICLES} articles; it is taken away, and they are retried.",
        _template,
    ),
)
