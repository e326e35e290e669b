"""Readers of the experiment: some go from page to page, some have a page open and listen, one asks the store.

None has a key. What each saw and heard is told to the history.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from random import Random

import httpx

from faults.history import History
from faults.load.addresses import Addresses, Watched
from faults.load.door import Spread
from faults.load.fetching import Fetcher, a_client
from faults.load.streams import StreamReader

PAGE_READERS = 4
STREAM_READERS = 10
SITE_STREAM_READERS = 2
_PAGE_REST_SECONDS = 0.25
_STORE_REST_SECONDS = 0.5
_ARRIVAL_SECONDS = 10.0
_REST_WITHIN_SECONDS = 20.0
_GRACE_SECONDS = 2.0
_GLANCE_SECONDS = 0.1


class Readers:
    """All of them: `start`, then `last_look` when all is calm, then `stop`."""

    def __init__(
        self,
        spread: Spread,
        history: History,
        dice: Random,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`transport` None: the network."""
        self._spread, self._history, self._dice = spread, history, dice
        self._client = a_client(transport)
        self._addresses = Addresses(history)
        self._streams: list[StreamReader] = []
        self.tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Everybody comes, those with a page of their own in the first seconds, one after the other."""
        for number in range(1, PAGE_READERS + 1):
            self._begin(self._go_from_page_to_page(self._fetcher(f"page-reader-{number}")))
        for number in range(1, SITE_STREAM_READERS + 1):
            self._begin(self._open(self._fetcher(f"site-reader-{number}"), Watched("/", None)))
        for number in range(1, STREAM_READERS + 1):
            self._begin(self._arrive(self._fetcher(f"stream-reader-{number}"), number))
        self._begin(self._ask_the_store(self._fetcher("store-reader")))

    async def last_look(self) -> None:
        """Give everybody who listens the time to hear and fetch what they were told.

        What each fetched last is what their page shows; nothing is fetched that was not asked for.
        """
        deadline = self._history.now() + _REST_WITHIN_SECONDS
        await asyncio.sleep(_GRACE_SECONDS)
        while not all(each.is_at_rest for each in self._streams):
            if self._history.now() > deadline:
                break
            await asyncio.sleep(_GLANCE_SECONDS)

    async def stop(self) -> None:
        """Everybody leaves. Raises what went wrong with a reader, not with what they read."""
        for task in self.tasks:
            task.cancel()
        ends = await asyncio.gather(*self.tasks, return_exceptions=True)
        await self._client.aclose()
        for end in ends:
            if isinstance(end, Exception):
                raise end

    def _begin(self, reading: Coroutine[None, None, None]) -> None:
        self.tasks.append(asyncio.create_task(reading))

    def _fetcher(self, reader: str) -> Fetcher:
        return Fetcher(reader, self._spread, self._history, Random(self._dice.random()), self._client)

    async def _go_from_page_to_page(self, fetcher: Fetcher) -> None:
        dice = Random(self._dice.random())
        while True:
            path, article_id = self._addresses.page(dice)
            read, sight = await fetcher.fetch(path, article_id)
            if sight is not None:
                self._addresses.note(read.path, sight)
            await asyncio.sleep(dice.uniform(0.5, 1.5) * _PAGE_REST_SECONDS)

    async def _ask_the_store(self, fetcher: Fetcher) -> None:
        dice = Random(self._dice.random())
        while True:
            await fetcher.fetch(*self._addresses.of_store(dice))
            await asyncio.sleep(dice.uniform(0.5, 1.5) * _STORE_REST_SECONDS)

    async def _arrive(self, fetcher: Fetcher, number: int) -> None:
        """Come some time after the beginning, and open one of the newest articles."""
        dice = Random(self._dice.random())
        await asyncio.sleep(_ARRIVAL_SECONDS * (number - dice.random()) / STREAM_READERS)
        while True:
            known = self._addresses.owned()
            if known:
                return await self._open(fetcher, dice.choice(known[-5:]))
            await asyncio.sleep(_GLANCE_SECONDS)

    async def _open(self, fetcher: Fetcher, watched: Watched) -> None:
        dice = Random(self._dice.random())
        reader = StreamReader(fetcher, watched, self._spread, self._history, dice, self._client)
        self._streams.append(reader)
        await reader.run()
