"""How a reader fetches an address: any instance that is there, in an encoding by dice, told to the history.

An answer that was cut before its end is no answer, as in a browser. One that says "what you have is still
so" (304) shows what the reader had.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

import httpx

from faults.history import History, Read
from faults.load.door import KEPT, Spread
from faults.load.sights import Sight, see

_ENCODINGS = ("identity", "gzip", "br", "gzip, br")
_TIMES = httpx.Timeout(5.0, connect=2.0)
_REVALIDATES = 0.3
_REDIRECTS = 3
STORE = "store:"
"""Goes before paths of the store's API, to tell them from the site's."""


def a_client(transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """For somebody without a key. `transport` None: the network."""
    return httpx.AsyncClient(trust_env=False, limits=KEPT, timeout=_TIMES, transport=transport)


class Fetcher:
    """One reader's way to the pages, with what a browser would have in its cache."""

    def __init__(
        self, reader: str, spread: Spread, history: History, dice: Random, client: httpx.AsyncClient
    ) -> None:
        self.reader = reader
        self._spread, self._history, self._dice, self._client = spread, history, dice, client
        self._cache: dict[str, tuple[str, Sight]] = {}

    async def fetch(self, path: str, article_id: str | None = None) -> tuple[Read, Sight | None]:
        """What stands at a path now, redirects followed. `article_id`: whose page is expected there."""
        for _ in range(_REDIRECTS):
            read, sight, leads_to = await self._once(path, article_id)
            self._history.add(read)
            if leads_to is None:
                break
            path = leads_to
        return read, sight

    async def _once(self, path: str, article_id: str | None) -> tuple[Read, Sight | None, str | None]:
        headers = {"Accept-Encoding": self._dice.choice(_ENCODINGS)}
        cached = self._cache.get(path)
        if cached is not None and self._dice.random() < _REVALIDATES:
            headers["If-None-Match"] = cached[0]
        read = Read(self.reader, path, self._history.now(), 0.0, None, article_id=article_id)
        try:
            response, raw = await self._answer(path, headers)
        except httpx.TransportError:
            return replace(read, ended=self._history.now()), None, None
        read = replace(read, ended=self._history.now(), status=response.status_code)
        if response.has_redirect_location:
            return read, None, httpx.URL(response.headers["location"]).path
        if response.status_code == httpx.codes.NOT_MODIFIED:
            sight: Sight | None = cached[1] if cached else None
        else:
            sight = see(response.headers, raw)
            self._keep(path, response, sight)
        return _read(read, sight), sight, None

    async def _answer(self, path: str, headers: dict[str, str]) -> tuple[httpx.Response, bytes]:
        """The answer and its bytes as they came, packed or not."""
        service, place = ("store", path.removeprefix(STORE)) if path.startswith(STORE) else ("render", path)
        url = self._dice.choice(self._spread.urls(service)) + place
        async with self._client.stream("GET", url, headers=headers) as response:
            return response, b"".join([part async for part in response.aiter_raw()])

    def _keep(self, path: str, response: httpx.Response, sight: Sight) -> None:
        etag = response.headers.get("etag")
        if response.status_code == httpx.codes.OK and etag is not None and not sight.torn:
            self._cache[path] = (etag, sight)


def _read(read: Read, sight: Sight | None) -> Read:
    if sight is None:
        return read
    return replace(
        read,
        encoding=sight.encoding,
        article_id=sight.article_id or read.article_id,
        revision=sight.revision,
        tokens=sight.tokens,
        torn=sight.torn,
    )
