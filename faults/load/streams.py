"""A reader with a page open: hears the live stream, fetches the page again when told, connects anew when
cut.

As a browser does it: what was fetched last is what is shown, the id of the last event is sent when the stream
is taken up again, the wait between tries grows, and a stream that says nothing for long is given up.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from random import Random
from typing import Literal

import httpx
from httpx_sse import ServerSentEvent, SSEError, aconnect_sse

from faults.history import History, Told
from faults.load.addresses import Watched
from faults.load.door import Spread
from faults.load.fetching import Fetcher
from faults.load.words import find

_SILENCE_SECONDS = 40.0
_TIMES = httpx.Timeout(_SILENCE_SECONDS, connect=2.0)
_FIRST_REST, _MOST_REST = 0.3, 3.0


class StreamReader:
    """One reader, from the opening of the page to the end of the run."""

    def __init__(
        self,
        fetcher: Fetcher,
        watched: Watched,
        spread: Spread,
        history: History,
        dice: Random,
        client: httpx.AsyncClient,
    ) -> None:
        self._fetcher, self._watched = fetcher, watched
        self._spread, self._history, self._dice, self._client = spread, history, dice, client
        self._revision: int | None = None
        self._asked_from: int | None = None
        self._place = ""
        self._ways = {"pulse": "1"} if dice.random() < 0.5 else {}
        self._is_connected = False
        self._is_stale = asyncio.Event()
        self._is_looking = False
        self._is_open = asyncio.Event()

    @property
    def is_at_rest(self) -> bool:
        """Whether the page was fetched since it was last told to, and the stream is open, if the page ever
        was.
        """
        is_told = self._is_connected or not self._is_open.is_set()
        return is_told and not self._is_stale.is_set() and not self._is_looking

    async def run(self) -> None:
        """Open the page, then listen until cancelled."""
        self._is_stale.set()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look())
            group.create_task(self._listen())

    async def _look(self) -> None:
        """Fetch the page whenever it is stale; where no answer comes, again and again."""
        rest = _FIRST_REST
        while True:
            await self._is_stale.wait()
            self._is_looking = True
            self._is_stale.clear()
            read, sight = await self._fetcher.fetch(self._watched.path, self._watched.article_id)
            if read.status is None or read.status >= 500:
                self._is_stale.set()
                await asyncio.sleep(rest * self._dice.uniform(0.5, 1))
                rest = min(2 * rest, _MOST_REST)
            else:
                rest = _FIRST_REST
                if sight is not None and read.status < 400:
                    self._revision = sight.revision if self._watched.article_id else None
                    self._is_open.set()
            self._is_looking = False

    async def _listen(self) -> None:
        """Keep a stream open, once the page is."""
        rest = _FIRST_REST
        await self._is_open.wait()
        while True:
            with suppress(httpx.HTTPError, SSEError):
                await self._connect()
            rest = _FIRST_REST if self._is_connected else min(2 * rest, _MOST_REST)
            self._cut()
            await asyncio.sleep(rest * self._dice.uniform(0.5, 1))

    async def _connect(self) -> None:
        """One connection, until it is cut."""
        query, headers = self._question()
        place = headers.get("Last-Event-ID") or query.get("after")
        path = f"/live/{self._watched.article_id}" if self._watched.article_id else "/live"
        url = self._dice.choice(self._spread.urls("render")) + path
        async with aconnect_sse(
            self._client, "GET", url, params=query, headers=headers, timeout=_TIMES
        ) as source:
            source.response.raise_for_status()
            self._is_connected = True
            self._tell("connected", revision=self._asked_from, event_id=place)
            async for event in source.aiter_sse():
                self._hear(event)

    def _question(self) -> tuple[dict[str, str], dict[str, str]]:
        """Query and headers: as the browser takes the same stream up again, or as the page's script opens
        another one, which goes on from what the page shows now.
        """
        query, headers = dict(self._ways), {}
        if self._place and self._dice.random() < 0.7:
            headers["Last-Event-ID"] = self._place
        else:
            self._asked_from = self._revision
            if self._place and self._dice.random() < 0.5:
                query["after"] = self._place
        if self._asked_from is not None:
            query["revision"] = str(self._asked_from)
        return query, headers

    def _hear(self, event: ServerSentEvent) -> None:
        self._place = event.id or self._place
        if event.event not in ("notice", "reset"):
            return
        data = event.json()
        self._tell(
            "notice" if event.event == "notice" else "reset",
            revision=data.get("revision"),
            about=data.get("article_id"),
            kind=data.get("kind"),
            event_id=event.id or None,
            tokens=find(event.data),
        )
        self._is_stale.set()

    def _cut(self) -> None:
        if self._is_connected:
            self._is_connected = False
            self._tell("cut")

    def _tell(
        self,
        what: Literal["connected", "notice", "reset", "cut"],
        *,
        revision: int | None = None,
        about: str | None = None,
        kind: str | None = None,
        event_id: str | None = None,
        tokens: tuple[str, ...] = (),
    ) -> None:
        reader, at, watched = self._fetcher.reader, self._history.now(), self._watched.article_id
        self._history.add(Told(reader, at, what, watched, about, revision, kind, event_id, tokens))
