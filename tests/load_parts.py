"""Stand-ins for a newsroom, as the editors and readers of the experiment meet it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from faults.history import History
from faults.load.stories import Act
from newsroom.articles import Contract
from newsroom.keys import new_secret
from services.ingest.calls import CHANGES, Call
from services.ingest.requests import NewArticle, NewEntry, SentEntry

DEADLINE_SECONDS = 60.0
_GLANCE_SECONDS = 0.01


@dataclass
class SeveralInstances:
    """Two of each service, by addresses that lead nowhere but to a transport of the test."""

    key: str = field(default_factory=new_secret)

    def urls(self, service: str) -> list[str]:
        return [f"http://{service}-1", f"http://{service}-2"]


async def until(condition: Callable[[], object], what: str) -> None:
    """Raises: TimeoutError that names what was waited for."""
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not condition():  # noqa: ASYNC110  (nothing tells of it)
                await asyncio.sleep(_GLANCE_SECONDS)
    except TimeoutError as error:
        raise TimeoutError(f"waited in vain for {what}") from error


async def seen(history: History, count: int, **facts: object) -> None:
    """Wait until so many entries with these attributes are in the history."""

    def are_there() -> bool:
        return count <= sum(
            all(getattr(entry, name, None) == value for name, value in facts.items())
            for entry in history.entries
        )

    await until(are_there, f"{count} of {facts}")


class Body(httpx.AsyncByteStream):
    """The bytes of an answer as the network brings them."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content


def an_answer(status: int, body: bytes = b"", **headers: str) -> httpx.Response:
    """Not read yet, as one that comes from the network."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=named, stream=Body(body))


def call_of(act: Act) -> Call[Any]:
    """How the door names a change of an article that stands."""
    (call,) = (each for each in CHANGES if each.path.rpartition("/")[2] == act.path.rpartition("/")[2])
    assert call.method == act.method
    return call


def body_of(act: Act) -> type[Contract]:
    """The body that the door reads at the address of an act."""
    if act.path == "/articles":
        return NewArticle
    if act.entry:
        return NewEntry if act.method == "POST" else SentEntry
    return call_of(act).body


def a_page(article_id: str, revision: int, words: str = "", status: int = 200) -> httpx.Response:
    """An article's page as the site answers it."""
    html = (
        f'<!doctype html><html><body data-page="article" data-article="{article_id}" '
        f'data-revision="{revision}"><p>{words}</p></body></html>'
    )
    return an_answer(status, html.encode(), content_type="text/html", etag=f'"{revision}"')
