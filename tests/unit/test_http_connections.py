"""No connection keeps a service waiting for ever, and none takes the place of those from elsewhere."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import resource
import socket
import struct
import weakref
from collections.abc import AsyncIterator

import pytest
from uvicorn.server import ServerState

from newsroom.http import bodies
from newsroom.http.connections import OTHER_FILES, Connections, most_connections
from newsroom.http.wire import Patience, ProblemProtocol, protocol
from newsroom.service import _server_config
from newsroom.settings import CommonSettings
from tests import render_parts
from tests.stack import until
from tests.unit import jumping
from tests.unit.jumping import Ahead
from tests.wire_parts import LARGE, OTHER_ADDRESSES, an_app, answer, connect, say, served

BRIEF = Patience(request=1.0, head=1.5, rest=1.0, reading=1.5)
LONG = Patience(request=40.0, head=40.0, rest=40.0, reading=40.0)
ASKS = b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"
OTHER = "127.0.0.2"
PARTS = 16


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Ahead:
    return jumping.of_the_loop(monkeypatch)


@pytest.fixture
async def brief() -> AsyncIterator[int]:
    """The port of a service with little patience."""
    async with served(an_app(), BRIEF) as port:
        yield port


async def end_of(reader: asyncio.StreamReader) -> bytes:
    """Everything up to the end of the connection, however it ends."""
    async with asyncio.timeout(30):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


async def test_a_connection_that_says_nothing_is_closed_without_a_word(brief: int) -> None:
    reader, writer = await connect(brief)
    assert await end_of(reader) == b""
    writer.close()


@pytest.mark.parametrize("begun", [b"G", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: 1"])
async def test_a_head_that_does_not_come_to_its_end_is_told_so(brief: int, begun: bytes) -> None:
    told = await say(brief, begun)
    assert (told.status, told.problem) == (408, "/problems/request-timeout")
    assert told.headers["connection"] == "close"


async def test_a_head_that_comes_drop_by_drop_is_told_so(brief: int) -> None:
    """Each byte is in time, the whole is not."""
    reader, writer = await connect(brief)
    writer.write(b"GET / HTTP/1.1\r\nX-Slow: ")
    told = asyncio.create_task(answer(reader))
    async with asyncio.timeout(30):
        while not told.done():
            writer.write(b"x")
            await asyncio.sleep(0.02)
    assert (await told).status == 408
    writer.close()


async def test_empty_lines_between_requests_keep_no_connection_open(brief: int) -> None:
    reader, writer = await connect(brief)
    writer.write(ASKS)
    assert (await answer(reader)).status == 200
    writer.write(b"\r\n")
    assert await end_of(reader) == b""
    writer.close()


async def test_a_body_that_nobody_reads_keeps_no_connection_open(brief: int) -> None:
    reader, writer = await connect(brief)
    writer.write(b"POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf")
    assert (await answer(reader)).status == 404
    assert await end_of(reader) == b""
    writer.close()


BODY_OF = b"POST /reads HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n%s\r\n\r\n%s"


async def test_a_body_that_does_not_come_to_its_end_is_told_so(
    brief: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection with it, for nobody knows where the next request would begin."""
    monkeypatch.setattr(bodies, "READ_SECONDS", 0.2)
    told = await say(brief, BODY_OF % (b"Content-Length: 100", b'{"name": "a'))
    assert (told.status, told.problem) == (408, "/problems/request-timeout")
    assert told.headers["connection"] == "close"


@pytest.mark.parametrize(
    "coding", [b"Content-Encoding: gzip", b"Content-Encoding: br, gzip", b"Content-Encoding: GZIP"]
)
async def test_a_packed_body_is_not_unpacked(brief: int, coding: bytes) -> None:
    """Of a kilobyte a gigabyte could come."""
    packed = gzip.compress(b" " * 500_000)
    told = await say(brief, BODY_OF % (coding + b"\r\nContent-Length: %d" % len(packed), packed))
    assert (told.status, told.problem) == (415, "/problems/unsupported-media-type")


@pytest.mark.parametrize(
    ("length", "body"),
    [
        (b"Content-Length: 1001", b""),
        (b"Content-Length: 9999999999999999999", b""),
        (b"Transfer-Encoding: chunked", b"3e9\r\n" + b" " * 1001),
    ],
    ids=["told before", "told before, and very large", "in chunks"],
)
async def test_a_body_that_is_too_large_is_refused_as_soon_as_that_is_known(
    brief: int, length: bytes, body: bytes
) -> None:
    told = await say(brief, BODY_OF % (length, body))
    assert (told.status, told.problem) == (413, "/problems/too-large")


async def test_a_connection_is_good_for_many_requests_that_come_one_by_one(clock: Ahead) -> None:
    """Each has the whole time for its head; what went by for another, or between two, does not count."""
    async with served(an_app(), LONG) as port:
        reader, writer = await connect(port)
        for _ in range(3):
            writer.write(ASKS[:10])
            await clock.goes_by(LONG.head / 2)
            writer.write(ASKS[10:])
            assert (await answer(reader)).status == 200
            await clock.goes_by(LONG.head / 2)
        writer.close()


async def test_a_connection_stays_open_between_two_requests(clock: Ahead) -> None:
    """A proxy keeps it for the next caller: what was awaited before the first request is awaited no more."""
    async with served(an_app(), Patience(request=20.0)) as port:
        reader, writer = await connect(port)
        for _ in range(2):
            writer.write(ASKS)
            assert (await answer(reader)).status == 200
            await clock.goes_by(30.0)
        writer.close()


async def test_a_request_that_takes_long_is_waited_for() -> None:
    """Also with the beginning of the next one behind it: the time is ours, not the caller's."""
    app = an_app()
    async with served(app, BRIEF) as port:
        reader, writer = await connect(port)
        writer.write(b"GET /waits HTTP/1.1\r\nHost: a\r\n\r\n" + ASKS[:10])
        await asyncio.sleep(2 * BRIEF.head)
        app.state.go_on.set()
        told = await answer(reader)
        assert (told.status, json.loads(told.body)) == (200, "done")
        assert (await answer(reader)).status == 408
        writer.close()


async def test_who_does_not_read_what_is_sent_is_cut(brief: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", brief, limit=2)
    writer.write(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
    await until(lambda: has_connections(brief, 1), "the connection of who does not read is gone")
    assert len(await end_of(reader)) < len(LARGE)
    writer.close()


async def test_who_reads_slowly_gets_all_of_it(clock: Ahead) -> None:
    """Longer than one who does not read may take."""
    async with served(an_app(), LONG) as port:
        reader, writer = await connect(port)
        writer.write(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(PARTS):
            await reader.readexactly(len(LARGE) // PARTS)
            await clock.goes_by(3 * LONG.reading / PARTS)
        writer.close()


class AlmostRead(asyncio.Transport):
    """Of what was sent last, only little is not read; the kernel takes no more of it."""

    def __init__(self) -> None:
        super().__init__()
        self.left = 100_000
        self.is_cut = asyncio.Event()
        self._is_closing = False

    def get_write_buffer_size(self) -> int:
        return self.left

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        self._is_closing = True

    def abort(self) -> None:
        self.is_cut.set()


async def test_the_last_bytes_of_the_last_answer_are_to_be_read_too() -> None:
    """A transport that is closed sends them first, and would wait for ever."""
    config = _server_config(an_app())
    made = protocol(Connections(10, CommonSettings()), BRIEF)(config, ServerState(), {})
    transport = AlmostRead()
    made.connection_made(transport)
    made.pause_writing()
    transport.close()
    transport.left = 1_000
    made.resume_writing()
    async with asyncio.timeout(30):
        await transport.is_cut.wait()
    made.connection_lost(None)


async def has_connections(port: int, count: int) -> bool:
    """Whether so many are open, the one that asks among them."""
    told = await say(port, b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
    return f"newsroom_connections {count}.0" in told.body.decode()


async def is_let_in(port: int) -> bool:
    return (await say(port, ASKS)).status == 200


def end_of_ours(writer: asyncio.StreamWriter) -> ProblemProtocol:
    """What serves that connection here."""
    address = writer.get_extra_info("sockname")
    # No isinstance: it asks a proxy for the class of what that stands for, which may be gone.
    protocols = [each for each in gc.get_objects() if type(each) is ProblemProtocol]
    return next(each for each in protocols if each.client == address)


async def test_a_connection_that_was_reset_is_not_kept() -> None:
    """Neither for as long as it might have asked for more, nor until the garbage collector comes."""
    app = an_app()
    async with served(app) as port:
        gc.disable()
        try:
            reader, writer = await connect(port)
            writer.write(ASKS)
            await answer(reader)
            kept = weakref.ref(end_of_ours(writer))
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
            await render_parts.until(lambda: kept() is None, "it is freed")
        finally:
            gc.enable()


@OTHER_ADDRESSES
async def test_one_address_has_so_many_connections_and_others_theirs() -> None:
    async with served(an_app(connections_per_address=3)) as port:
        held = [await connect(port) for _ in range(3)]
        told = await say(port, ASKS)
        assert (told.status, told.problem) == (429, "/problems/too-many-requests")
        assert int(told.headers["retry-after"]) >= 1
        assert (await say(port, ASKS, host=OTHER)).status == 200
        for _, writer in held:
            writer.close()
        await until(lambda: is_let_in(port), "a place that was given back")


@OTHER_ADDRESSES
async def test_all_together_have_so_many_connections() -> None:
    async with served(an_app(connections=10)) as port:
        held = [await connect(port, f"127.0.0.{number}") for number in range(2, 12)]
        told = await say(port, ASKS)
        assert (told.status, told.problem) == (503, "/problems/busy")
        assert told.headers["retry-after"]
        for _, writer in held:
            writer.close()


@OTHER_ADDRESSES
async def test_a_trusted_proxy_brings_the_connections_of_all() -> None:
    async with served(an_app(connections_per_address=1, trusted_proxies="127.0.0.2")) as port:
        held = [await connect(port, OTHER) for _ in range(5)]
        assert (await say(port, ASKS, host=OTHER)).status == 200
        for _, writer in held:
            writer.close()


def test_a_place_is_given_back() -> None:
    places = Connections(2, CommonSettings(connections_per_address=1))
    assert places.enter("10.0.0.1")
    assert not places.enter("10.0.0.1")
    assert places.enter("10.0.0.2")
    assert places.is_full
    places.leave("10.0.0.1")
    assert places.enter("10.0.0.1")


def test_there_are_no_more_connections_than_files_may_be_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that the system gives is asked for first."""
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: asked.append(limits))
    assert most_connections(10_000) == 4096 - OTHER_FILES
    assert asked == [(4096, 4096)]
    assert most_connections(100) == 100
