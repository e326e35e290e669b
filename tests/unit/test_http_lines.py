"""Answers that outlast their requests, over a socket: what goes through, and every way in which they end."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from fastapi import FastAPI, Request, Response
from starlette.types import Receive, Scope, Send
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from newsroom.http.streams import ServerSentEvents, Stream, StreamSettings
from tests.render_parts import until
from tests.wire_parts import LARGE, an_app, answer, connect, served

TRACE = "0af7651916cd43dd8448eb211c80319c"
ASKS = b"GET /lasts HTTP/1.1\r\nHost: a\r\ntraceparent: 00-%s-b7ad6b7169203331-01\r\n\r\n" % TRACE.encode()
QUIET = StreamSettings(heartbeat_seconds=60, write_seconds=60)


async def said(reader: asyncio.StreamReader, part: bytes) -> None:
    """Nothing but this part of a body comes next; the empty one ends it."""
    chunk = b"%x\r\n%b\r\n" % (len(part), part)
    async with asyncio.timeout(30):
        assert await reader.readexactly(len(chunk)) == chunk


class Told(Stream):
    """A stream of what a test tells. `left`: how often it was over."""

    def __init__(self) -> None:
        super().__init__(QUIET)
        self.left = 0
        self._pending = b""

    def tell(self, part: bytes) -> None:
        self._pending += part
        self.news()

    def take(self) -> bytes:
        part, self._pending = self._pending, b""
        return part

    def leave(self) -> None:
        self.left += 1


class Lasts(ServerSentEvents):
    def __init__(self, told: Told, may_begin: asyncio.Event) -> None:
        super().__init__({})
        self._told, self._may_begin = told, may_begin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await self._may_begin.wait()
        await self._told.begin(self, scope, send)


class Mark:
    """In what is kept of a request."""


class Site:
    """One stream after another at `/lasts`; `requests`: those of them that are still in memory."""

    def __init__(self, app: FastAPI) -> None:
        self.streams: list[Told] = []
        self.requests = weakref.WeakSet[Mark]()
        self.may_begin = asyncio.Event()
        self.may_begin.set()

        @app.get("/lasts")
        async def lasts(request: Request) -> Response:
            request.scope["mark"] = mark = Mark()
            self.requests.add(mark)
            self.streams.append(Told())
            return Lasts(self.streams[-1], self.may_begin)

    async def opened(self, port: int) -> tuple[Told, asyncio.StreamReader, asyncio.StreamWriter]:
        """A stream whose head has come."""
        reader, writer = await connect(port)
        writer.write(ASKS)
        async with asyncio.timeout(30):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            assert b"transfer-encoding: chunked\r\n" in head
            await said(reader, b"retry: 2000\n\n")
        return self.streams[-1], reader, writer


@asynccontextmanager
async def a_site() -> AsyncIterator[tuple[Site, int]]:
    app = an_app()
    site = Site(app)
    async with served(app) as port:
        try:
            yield site, port
        finally:
            for stream in site.streams:
                stream.end("stopping")


async def test_what_is_told_comes_as_chunks_and_the_end_in_order() -> None:
    """The connection then takes the next request, as after any answer."""
    async with a_site() as (site, port):
        told, reader, writer = await site.opened(port)
        for part in (b"one", b"and another one"):
            told.tell(part)
            await said(reader, part)
        told.tell(b"last")
        told.end("age")
        await said(reader, b"last")
        assert await reader.readexactly(5) == b"0\r\n\r\n"
        writer.write(b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await answer(reader)).status == 200
        assert told.left == 1
        writer.close()


async def test_a_request_behind_a_stream_is_answered_behind_it() -> None:
    """Also where it came at once, or half of it."""
    async with a_site() as (site, port):
        site.may_begin.clear()
        reader, writer = await connect(port)
        writer.write(ASKS + b"GET /health/live HTTP/1.1\r\nHo")
        await until(lambda: bool(site.streams), "the stream")
        site.may_begin.set()
        await reader.readuntil(b"retry: 2000\n\n\r\n")
        writer.write(b"st: a\r\n\r\n" + ASKS)
        site.streams[0].tell(b"news")
        await said(reader, b"news")
        site.streams[0].end("age")
        assert await reader.readexactly(5) == b"0\r\n\r\n"
        assert (await answer(reader)).status == 200
        await reader.readuntil(b"retry: 2000\n\n\r\n")
        writer.close()
        await until(lambda: [stream.left for stream in site.streams] == [1, 1], "the reader is gone")


async def test_a_body_that_nobody_reads_is_not_kept() -> None:
    """A stream outlasts it, and the reader's leaving is noticed behind it."""
    async with a_site() as (site, port):
        site.may_begin.clear()
        reader, writer = await connect(port)
        head = ASKS.replace(b"\r\n\r\n", b"\r\nContent-Length: %d\r\n\r\n" % (2 * len(LARGE)))
        writer.write(head + LARGE)
        await until(lambda: bool(site.streams), "the stream")
        site.may_begin.set()
        await reader.readuntil(b"retry: 2000\n\n\r\n")
        writer.write(LARGE)
        async with asyncio.timeout(30):
            await writer.drain()
        gc.collect()  # what other tests left
        cycles = [each for each in gc.get_objects() if type(each) is RequestResponseCycle]  # no proxy
        assert [len(cycle.body) for cycle in cycles] == [0] * len(cycles)
        site.streams[0].end("age")
        assert await reader.readexactly(5) == b"0\r\n\r\n"
        writer.write(ASKS)
        await reader.readuntil(b"retry: 2000\n\n\r\n")
        writer.close()
        await until(lambda: site.streams[1].left == 1, "the reader is gone")


async def test_who_asks_for_one_answer_only_is_left_after_it() -> None:
    async with a_site() as (site, port):
        reader, writer = await connect(port)
        writer.write(ASKS.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        await reader.readuntil(b"retry: 2000\n\n\r\n")
        site.streams[0].end("age")
        async with asyncio.timeout(30):
            assert await reader.read() == b"0\r\n\r\n"
        writer.close()


async def test_of_an_open_stream_its_request_is_not_kept() -> None:
    """It would be most of what a reader costs; and nothing waits for the garbage collector."""
    async with a_site() as (site, port):
        gc.disable()
        try:
            _, _, writer = await site.opened(port)
            await until(lambda: len(site.requests) == 0, "the request is freed")
            writer.close()
        finally:
            gc.enable()


@pytest.mark.parametrize("is_ended", [True, False], ids=["it ends", "the reader leaves"])
async def test_a_stream_that_is_over_is_not_kept(is_ended: bool) -> None:
    """Not even until the garbage collector comes, which is rarely."""
    async with a_site() as (site, port):
        gc.disable()
        try:
            told, _, writer = await site.opened(port)
            left = weakref.ref(told)
            if is_ended:
                told.end("age")
            else:
                writer.close()
            del told
            await until(lambda: site.streams[0].left == 1, "it is over")
            site.streams.clear()
            await until(lambda: left() is None, "it is freed")
            writer.close()
        finally:
            gc.enable()


async def test_the_line_of_a_request_is_told_when_its_stream_is_over() -> None:
    """In the trace of the request, with the time that it took in all."""
    with capture_logs(processors=[merge_contextvars]) as lines:
        async with a_site() as (site, port):
            told, _, writer = await site.opened(port)
            await until(lambda: len(site.requests) == 0, "the request is over")
            assert [line for line in lines if line["event"] == "request"] == []
            await asyncio.sleep(0.05)
            told.end("age")
            (line,) = [line for line in lines if line["event"] == "request"]
            writer.close()
    assert (line["method"], line["route"], line["status"], line["trace_id"]) == ("GET", "/lasts", 200, TRACE)
    assert line["duration_ms"] >= 50


async def test_a_reader_that_leaves_is_noticed() -> None:
    async with a_site() as (site, port):
        told, _, writer = await site.opened(port)
        writer.close()
        await until(lambda: told.left == 1, "it is noticed")
        told.tell(b"too late")
        told.end("age")
        assert told.left == 1


async def test_a_reader_that_left_before_its_stream_began_is_noticed() -> None:
    async with a_site() as (site, port):
        site.may_begin.clear()
        _, writer = await connect(port)
        writer.write(ASKS)
        await until(lambda: bool(site.streams), "the request")
        writer.close()
        await asyncio.sleep(0.05)
        site.may_begin.set()
        await until(lambda: site.streams[0].left == 1, "it is noticed")


async def test_who_does_not_read_is_held_back_from_until_it_does() -> None:
    """All that was written before still reaches it, and then the newest."""
    async with a_site() as (site, port):
        told, reader, writer = await site.opened(port)
        told.tell(LARGE)
        told.tell(b"held back")
        assert told._pending == b"held back"
        await said(reader, LARGE)
        await said(reader, b"held back")
        writer.close()


async def test_a_reader_may_be_cut() -> None:
    """With all that it has not read."""
    async with a_site() as (site, port):
        told, reader, writer = await site.opened(port)
        told.tell(LARGE)
        told._cut()
        assert told.left == 1
        with suppress(ConnectionError):
            assert len(await reader.read()) < len(LARGE)
        writer.close()
