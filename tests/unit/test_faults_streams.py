"""The readers of the experiment who have a page open and listen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random

import httpx

from faults.history import History, Told
from faults.load.addresses import Watched
from faults.load.fetching import Fetcher, a_client
from faults.load.streams import StreamReader
from tests.load_parts import SeveralInstances, a_page, an_answer, seen, until

PATH = "/economy/2026/11/27/story-1-abcdef/"
PAGE, SITE = Watched(PATH, "a-1"), Watched("/", None)


class Stream(httpx.AsyncByteStream):
    """One connection: the site says what the test puts in, until it ends."""

    def __init__(self) -> None:
        self._parts: asyncio.Queue[bytes | None] = asyncio.Queue()

    def say(self, event: str, place: int, **data: object) -> None:
        self._parts.put_nowait(f"id: mark-{place}\nevent: {event}\ndata: {json.dumps(data)}\n\n".encode())

    def end(self) -> None:
        self._parts.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"retry: 2000\n\n"
        while (part := await self._parts.get()) is not None:
            yield part


class Site:
    """One article at a revision, and everybody who listens."""

    def __init__(self) -> None:
        self.revision = 1
        self.status = 200
        self.is_away = self.refuses_streams = False
        self.asked: list[httpx.Request] = []
        self.streams: list[Stream] = []
        self.fetched = 0

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/live"):
            return self._listen(request)
        self.fetched += 1
        if self.is_away:
            raise httpx.ConnectError("", request=request)
        return a_page("a-1", self.revision, status=self.status)

    def _listen(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.refuses_streams:
            return an_answer(503)
        self.streams.append(Stream())
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=self.streams[-1])


@asynccontextmanager
async def a_reader(site: Site, watched: Watched = PAGE) -> AsyncIterator[tuple[StreamReader, History]]:
    """Somebody who listens for as long as the block lasts."""
    history, spread = History(), SeveralInstances()
    async with a_client(httpx.MockTransport(site.answer)) as client:
        fetcher = Fetcher("reader", spread, history, Random(1), client)
        reader = StreamReader(fetcher, watched, spread, history, Random(1), client)
        running = asyncio.create_task(reader.run())
        try:
            yield reader, history
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


def told(history: History) -> list[tuple[str, int | None]]:
    return [(each.what, each.revision) for each in history.of(Told)]


async def test_a_reader_listens_from_the_revision_of_the_page() -> None:
    site = Site()
    site.revision = 4
    async with a_reader(site) as (_, history):
        await seen(history, 1, what="connected", article_id="a-1", revision=4)

    assert site.asked[0].url.path == "/live/a-1"
    assert site.asked[0].url.params["revision"] == "4"


async def test_a_notice_is_told_with_its_place_and_the_page_fetched_again() -> None:
    site = Site()
    async with a_reader(site) as (_, history):
        await seen(history, 1, what="connected")
        site.revision = 2
        site.streams[0].say(
            "notice", 17, article_id="a-1", revision=2, kind="update", note="New zq0123456789 here"
        )
        await seen(history, 1, path=PATH, revision=2)

    (notice,) = (each for each in history.of(Told) if each.what == "notice")
    assert (notice.about, notice.revision, notice.kind, notice.event_id) == ("a-1", 2, "update", "mark-17")
    assert notice.tokens == ("zq0123456789",)


async def test_a_reset_has_the_page_fetched_again_and_a_sign_of_life_does_not() -> None:
    site = Site()
    async with a_reader(site) as (_, history):
        await seen(history, 1, what="connected")
        site.streams[0].say("pulse", 5)
        site.status = 410
        site.streams[0].say("reset", 6, article_id="a-1")
        await seen(history, 1, path=PATH, status=410)

    assert told(history) == [("connected", 1), ("reset", None)]
    assert site.fetched == 2


async def test_a_page_that_does_not_answer_is_asked_for_until_it_does() -> None:
    site = Site()
    async with a_reader(site) as (reader, history):
        await seen(history, 1, what="connected")
        site.is_away, site.revision = True, 2
        site.streams[0].say("notice", 2, article_id="a-1", revision=2)
        await seen(history, 2, path=PATH, status=None)
        assert not reader.is_at_rest
        site.is_away = False
        await seen(history, 1, path=PATH, revision=2)
        await until(lambda: reader.is_at_rest, "rest")


async def test_a_cut_stream_is_taken_up_where_it_was() -> None:
    """By the place of the last event or by the revision that the page shows, so that nothing lies between."""
    site = Site()
    async with a_reader(site) as (_, history):
        for number in range(1, 6):
            await seen(history, number, what="connected")
            site.revision = number + 1
            site.streams[-1].say("notice", 10 * number, article_id="a-1", revision=number + 1)
            await seen(history, 1, path=PATH, revision=number + 1)
            site.streams[-1].end()
            await seen(history, number, what="cut")
        await seen(history, 6, what="connected")

    for number, request in enumerate(site.asked[1:6], start=1):
        place = request.headers.get("last-event-id") or request.url.params.get("after")
        assert place == f"mark-{10 * number}" or request.url.params["revision"] == str(number + 1)
    ways = {"last-event-id" in request.headers for request in site.asked[1:6]}
    assert ways == {True, False}


async def test_a_refused_stream_is_asked_for_again_and_no_connection() -> None:
    site = Site()
    site.refuses_streams = True
    async with a_reader(site) as (reader, history):
        await until(lambda: len(site.asked) > 1, "another try")
        assert not reader.is_at_rest
        assert told(history) == []
        site.refuses_streams = False
        await seen(history, 1, what="connected")


async def test_who_leaves_at_the_end_was_not_cut() -> None:
    site = Site()
    async with a_reader(site) as (_, history):
        await seen(history, 1, what="connected")

    assert told(history) == [("connected", 1)]


async def test_who_finds_no_page_has_nothing_to_listen_for() -> None:
    site = Site()
    site.status = 410
    async with a_reader(site) as (reader, history):
        await seen(history, 1, path=PATH, status=410)
        await until(lambda: reader.is_at_rest, "rest")

    assert site.asked == []


async def test_a_reader_of_the_whole_site_hears_of_every_article() -> None:
    site = Site()
    async with a_reader(site, SITE) as (_, history):
        await seen(history, 1, what="connected", article_id=None, revision=None)
        site.streams[0].say("notice", 3, article_id="b-2", revision=9)
        await seen(history, 1, what="notice", about="b-2", revision=9)
        await seen(history, 2, path="/")

    assert site.asked[0].url.path == "/live"
    assert "revision" not in site.asked[0].url.params
