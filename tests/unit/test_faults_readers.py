"""The readers of the experiment who go from page to page, and the addresses that they know."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from random import Random

import httpx
import pytest

from faults.history import Ended, History, Invoked, Read
from faults.load.addresses import Addresses, Watched
from faults.load.fetching import STORE, Fetcher, a_client
from faults.load.readers import Readers
from faults.load.sights import see
from tests.load_parts import Body, SeveralInstances, a_page, an_answer, seen, until

PATH = "/economy/2026/11/27/story-1-abcdef/"
MOVED = "/harbour/2026/11/27/story-1-abcdef/"
KINDS = {"page-reader", "site-reader", "stream-reader", "store"}
NOTICE = b'id: mark-1\nevent: notice\ndata: {"article_id": "a-1", "revision": 1}\n\n'
TOKEN = "zq0123456789"
Handler = Callable[[httpx.Request], httpx.Response]


def a_fetcher(history: History, handler: Handler) -> Fetcher:
    return Fetcher("reader", SeveralInstances(), history, Random(1), a_client(httpx.MockTransport(handler)))


def reads_of(history: History) -> list[Read]:
    return list(history.of(Read))


# --- how a page is fetched


async def test_a_read_tells_what_its_page_says() -> None:
    history = History()
    await a_fetcher(history, lambda _: a_page("a-1", 7, f"Told {TOKEN} here")).fetch(PATH)

    (read,) = reads_of(history)
    assert (read.reader, read.path, read.status, read.torn) == ("reader", PATH, 200, "")
    assert (read.article_id, read.revision, read.tokens) == ("a-1", 7, (TOKEN,))
    assert read.begun <= read.ended


async def test_the_bytes_are_judged_as_they_came() -> None:
    """Not as a library has unpacked them already."""
    history = History()
    half = gzip.compress(b"<html></html>")[:-9]

    await a_fetcher(history, lambda _: an_answer(200, half, content_encoding="gzip")).fetch(PATH)

    assert reads_of(history)[0].torn.startswith("gzip")


async def test_a_connection_that_is_cut_is_no_answer() -> None:
    history = History()

    def cut(request: httpx.Request) -> httpx.Response:
        raise httpx.RemoteProtocolError("", request=request)

    read, sight = await a_fetcher(history, cut).fetch(PATH, "a-1")

    assert (read.status, read.torn, read.article_id, sight) == (None, "", "a-1", None)


async def test_a_redirect_is_told_and_followed() -> None:
    history = History()

    def leads_on(request: httpx.Request) -> httpx.Response:
        if request.url.path == PATH:
            return an_answer(301, location=MOVED)
        return a_page("a-1", 8)

    await a_fetcher(history, leads_on).fetch(PATH, "a-1")

    told = [(read.path, read.status, read.revision, read.article_id) for read in history.of(Read)]
    assert told == [(PATH, 301, None, "a-1"), (MOVED, 200, 8, "a-1")]


async def test_who_is_told_that_nothing_changed_still_sees_what_they_had() -> None:
    history = History()

    def unchanged(request: httpx.Request) -> httpx.Response:
        if request.headers.get("if-none-match") == '"7"':
            return an_answer(304)
        return a_page("a-1", 7, f"Told {TOKEN} here")

    fetcher = a_fetcher(history, unchanged)
    for _ in range(20):
        await fetcher.fetch(PATH)

    reads = reads_of(history)
    assert {read.status for read in reads} == {200, 304}
    assert {(read.revision, read.tokens) for read in reads} == {(7, (TOKEN,))}


async def test_what_is_gone_is_remembered_with_whose_it_was() -> None:
    history = History()
    await a_fetcher(history, lambda _: an_answer(410, b"gone")).fetch(PATH, "a-1")

    assert [(read.status, read.article_id, read.revision) for read in history.of(Read)] == [
        (410, "a-1", None)
    ]


async def test_the_store_is_asked_at_its_own_address() -> None:
    asked: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return an_answer(200, b'{"id":"a-1","revision":2}', content_type="application/json")

    history = History()
    await a_fetcher(history, answer).fetch(f"{STORE}/articles/a-1")

    assert (asked[0].host[:-1], asked[0].path) == ("store-", "/articles/a-1")
    assert [(read.path, read.revision) for read in history.of(Read)] == [("store:/articles/a-1", 2)]


# --- what readers know


def a_history(*, url: str | None = f"http://site{PATH}") -> History:
    """Of one article, which its editor was told the address of."""
    history = History()
    history.add(Invoked("o-1", 1, "editor-1", "published", "a-1", TOKEN, 0.0))
    history.add(Ended("o-1", 1, "ok", 0.1, 201, state="rendered", revision=1, url=url))
    return history


def test_readers_know_what_editors_were_told() -> None:
    addresses = Addresses(a_history())

    assert addresses.owned() == [Watched(PATH, "a-1")]
    assert {addresses.page(Random(seed)) for seed in range(50)} >= {(PATH, "a-1"), (PATH + "history/", "a-1")}


def test_readers_guess_the_id_of_an_article_that_nobody_told_of() -> None:
    addresses = Addresses(a_history(url=None))
    asked = {addresses.of_store(Random(seed)) for seed in range(50)}

    assert ("/preview/a-1", "a-1") in {addresses.page(Random(seed)) for seed in range(300)}
    assert (f"{STORE}/articles/a-1", "a-1") in asked
    assert (f"{STORE}/articles", None) in asked


def test_readers_go_where_pages_lead_but_not_to_what_is_no_page() -> None:
    addresses = Addresses(History())
    links = "".join(
        f'<a href="{path}"></a>' for path in (PATH, MOVED + "history/1-3/", "/assets/x.css", "/live")
    )
    addresses.note("/", see({"content-type": "text/html"}, f"<html>{links}</html>".encode()))

    known = {addresses.page(Random(seed))[0] for seed in range(300)}
    assert {PATH, MOVED, MOVED + "history/1-3/"} <= known
    assert not {path for path in known if path.startswith(("/assets/", "/live"))}


async def test_a_page_tells_whose_its_address_is() -> None:
    addresses = Addresses(History())
    addresses.note("/", see({"content-type": "text/html"}, f'<a href="{PATH}"></a></html>'.encode()))
    page = a_page("a-1", 3)
    addresses.note(PATH, see(page.headers, await page.aread()))

    assert addresses.owned() == [Watched(PATH, "a-1")]


# --- all of them


class Endless(Body):
    """A stream that stays open when it has said its word."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in super().__aiter__():
            yield part
        await asyncio.Event().wait()


async def test_everybody_reads_and_listens_until_they_leave() -> None:
    history = a_history()

    def site(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/live"):
            headers = {"content-type": "text/event-stream"}
            return httpx.Response(200, headers=headers, stream=Endless(NOTICE))
        return a_page("a-1", 1) if request.url.path == PATH else an_answer(200, b"A list.")

    readers = Readers(SeveralInstances(), history, Random(1), transport=httpx.MockTransport(site))
    readers.start()
    await until(lambda: {read.reader.rpartition("-")[0] for read in history.of(Read)} == KINDS, "everybody")
    await seen(history, 1, what="notice", reader="site-reader-1")
    await readers.last_look()
    await readers.stop()

    assert all(task.done() for task in readers.tasks)


async def test_what_goes_wrong_in_a_reader_is_no_finding_but_an_error() -> None:
    def breaks(_: httpx.Request) -> httpx.Response:
        raise ZeroDivisionError

    readers = Readers(SeveralInstances(), History(), Random(1), transport=httpx.MockTransport(breaks))
    readers.start()
    await asyncio.sleep(0)

    with pytest.raises(ZeroDivisionError):
        await readers.stop()
