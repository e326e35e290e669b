"""What the store says of every article and event when it is asked, with a publisher's key."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from faults.history import Revised

PATIENCE_SECONDS = 30.0
_AT_ONCE = 8
_REST_SECONDS = 0.5
_BUSY = frozenset({429, 503})
T = TypeVar("T")
R = TypeVar("R")


class Store:
    """Its API at `url`. All calls raise TimeoutError where it stays away or busy, httpx.HTTPStatusError where
    it refuses.
    """

    def __init__(self, url: str, key: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=20, trust_env=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def revisions(self) -> tuple[Revised, ...]:
        """Every revision of every article, by article and number."""
        histories = await _each(sorted(await self._article_ids()), self._history)
        return tuple(revised for history in histories for revised in history)

    async def statuses(self, event_ids: Collection[str]) -> Mapping[str, Mapping[str, Any]]:
        """What became of these events; nothing of one that the store does not know."""
        ids = sorted(event_ids)
        return dict(zip(ids, await _each(ids, self._status), strict=True))

    async def _article_ids(self) -> set[str]:
        found: set[str] = set()
        after: str | None = ""
        while after is not None:
            part = (await self._get("/announcements", after=after, limit="50")).json()
            found |= {update["article_id"] for update in part["updates"]}
            after = part.get("next")
        return found

    async def _history(self, article_id: str) -> list[Revised]:
        told = (await self._get(f"/articles/{article_id}/revisions")).json()
        return [
            Revised(article_id, each["revision"], each["event_id"], each["kind"])
            for each in told["revisions"]
        ]

    async def _status(self, event_id: str) -> Mapping[str, Any]:
        answer = await self._get(f"/events/{event_id}")
        return {} if answer.status_code == 404 else answer.json()

    async def _get(self, path: str, **query: str) -> httpx.Response:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (answer := await self._answer(path, query)) is None or answer.status_code in _BUSY:
            if time.monotonic() > deadline:
                told = f"{answer.status_code}: {answer.text[:200]}" if answer is not None else "nothing"
                raise TimeoutError(f"the store answers {path} with {told}")
            await asyncio.sleep(_REST_SECONDS)
        if answer.status_code != 404:
            answer.raise_for_status()
        return answer

    async def _answer(self, path: str, query: Mapping[str, str]) -> httpx.Response | None:
        """None where the connection was cut, as an idle one may be at any moment."""
        try:
            return await self._client.get(path, params=query)
        except httpx.TransportError:
            return None


async def _each(items: Collection[T], ask: Callable[[T], Awaitable[R]]) -> list[R]:
    """The answers, in the order of the items."""
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(item: T) -> R:
        async with room:
            return await ask(item)

    return await asyncio.gather(*map(one, items))
