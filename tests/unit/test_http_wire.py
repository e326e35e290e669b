"""What comes over the socket, good or bad, is answered as a service answers: with problem details."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import pytest
from fastapi import Request

from newsroom.http.wire import MAX_ADDRESS_BYTES, MAX_HEAD_BYTES, MAX_QUEUED
from tests.wire_parts import an_app, answer, connect, say, served


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with served(an_app()) as port:
        yield port


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 60,
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: a\rY: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    ],
    ids=[
        "nonsense",
        "method",
        "version",
        "path",
        "tls",
        "header",
        "length",
        "NUL in the address",
        "NUL in a header",
        "a line's end in a header",
        "a folded header",
        "a header's name with a space",
    ],
)
async def test_what_is_no_http_is_told_as_a_problem(port: int, sent: bytes) -> None:
    told = await say(port, sent)
    assert (told.status, told.problem) == (400, "/problems/malformed-request")
    assert told.headers["connection"] == "close"


@pytest.mark.parametrize(
    "length",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Transfer-Encoding: chunked, identity",
        b"Transfer-Encoding: gzip",
    ],
)
async def test_a_body_of_doubtful_length_is_refused(port: int, length: bytes) -> None:
    """A proxy might read another request out of it than we do."""
    told = await say(port, b"POST /deaf HTTP/1.1\r\nHost: a\r\n" + length + b"\r\n\r\n0\r\n\r\n")
    assert (told.status, told.problem) == (400, "/problems/malformed-request")
    assert told.headers["connection"] == "close"


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nX-Large: " + b"x" * (MAX_HEAD_BYTES + 1) + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X-Many: 1\r\n" * MAX_HEAD_BYTES + b"\r\n",
    ],
    ids=["one header", "many headers"],
)
async def test_a_head_that_is_too_large_is_told_as_a_problem(port: int, head: bytes) -> None:
    told = await say(port, head)
    assert (told.status, told.problem) == (431, "/problems/head-too-large")


@pytest.mark.parametrize("length", [MAX_ADDRESS_BYTES + 1, MAX_HEAD_BYTES + 1, 1024 * 1024])
async def test_an_address_that_is_too_long_is_told_as_a_problem(port: int, length: int) -> None:
    told = await say(port, b"GET /" + b"x" * length + b" HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (told.status, told.problem) == (414, "/problems/address-too-long")


async def test_an_address_within_the_bound_is_read(port: int) -> None:
    told = await say(port, b"GET /" + b"x" * (MAX_ADDRESS_BYTES - 1) + b" HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (told.status, told.problem) == (404, "/problems/not-found")


async def test_a_header_that_never_ends_is_cut(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nX-Endless: ")
    sent = 0
    try:
        async with asyncio.timeout(30):
            while sent < 64 * 1024 * 1024 and not reader.at_eof():
                writer.write(b"x" * 4096)
                sent += 4096
                await writer.drain()
                await asyncio.sleep(0)
                if reader._buffer:  # type: ignore[attr-defined]
                    break
            told = await answer(reader)
    finally:
        writer.close()
    assert told.status == 431
    assert sent < 8 * 1024 * 1024


@pytest.mark.parametrize("pieces", [1, 3, 30])
async def test_a_head_within_the_bound_is_read(port: int, pieces: int) -> None:
    """In however many pieces it comes."""
    header = b"X-Part: " + b"x" * 900 + b"\r\n"
    head = b"GET / HTTP/1.1\r\nHost: a\r\n" + header * ((MAX_HEAD_BYTES - 500) // len(header)) + b"\r\n"
    length = -(-len(head) // pieces)
    reader, writer = await connect(port)
    for start in range(0, len(head), length):
        writer.write(head[start : start + length])
        await writer.drain()
        await asyncio.sleep(0.01)
    told = await answer(reader)
    writer.close()
    assert (told.status, told.problem) == (404, "/problems/not-found")


async def test_a_large_body_is_no_large_head(port: int) -> None:
    body = b"x" * (40 * MAX_HEAD_BYTES)
    head = f"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    told = await say(port, head + body)
    assert (told.status, json.loads(told.body)) == (200, len(body))


async def test_a_head_that_comes_in_pieces_after_a_large_body_is_read(port: int) -> None:
    body = b"x" * (10 * MAX_HEAD_BYTES)
    head = f"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(30):
            writer.write(head + body + b"GET /health/live HTTP/1.1\r\nHo")
            assert (await answer(reader)).status == 200
            writer.write(b"st: a\r\n\r\n")
            assert (await answer(reader)).status == 200
    finally:
        writer.close()


OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
"""As clients send it that would rather speak HTTP/2."""


@pytest.mark.parametrize("pieces", [1, 2, 40])
@pytest.mark.parametrize("protocol", [b"h2c", b"websocket"])
async def test_an_offer_of_another_protocol_is_passed_over(port: int, protocol: bytes, pieces: int) -> None:
    """What follows the head is the body and no request, however it comes."""
    body = b"\r\n" * 60 + b"POST /deaf HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
    head = b"POST /echo HTTP/1.1\r\nHost: a\r\n" + OFFER.replace(b"h2c", protocol)
    whole = (
        head
        + b"Content-Length: %d\r\n\r\n" % len(body)
        + body
        + b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"
    )
    length = -(-len(whole) // pieces)
    reader, writer = await connect(port)
    async with asyncio.timeout(30):
        for start in range(0, len(whole), length):
            writer.write(whole[start : start + length])
            await writer.drain()
            await asyncio.sleep(0.01)
        first, second = await answer(reader), await answer(reader)
    writer.close()
    assert (first.status, json.loads(first.body)) == (200, len(body))
    assert (second.status, json.loads(second.body)["service"]) == (200, "test")


async def test_an_offer_may_come_with_each_of_many_requests(port: int) -> None:
    one = (
        b"POST /echo HTTP/1.1\r\nHost: a\r\n"
        + OFFER
        + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    )
    reader, writer = await connect(port)
    async with asyncio.timeout(30):
        writer.write(one * 10)
        told = [await answer(reader) for _ in range(10)]
    writer.close()
    assert [json.loads(each.body) for each in told] == [3] * 10


async def test_nobody_is_connected_through_us(port: int) -> None:
    told = await say(port, b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n")
    assert (told.status, told.problem) == (400, "/problems/malformed-request")


async def test_what_comes_behind_a_body_says_nothing_of_its_request() -> None:
    app = an_app()

    @app.post("/headers")
    async def headers(request: Request) -> list[str]:
        await request.body()
        return sorted(request.headers)

    chunked = b"Transfer-Encoding: chunked\r\nTrailer: Authorization\r\n\r\n2\r\nab\r\n0\r\n"
    async with served(app) as port:
        told = await say(
            port, b"POST /headers HTTP/1.1\r\nHost: a\r\n" + chunked + b"Authorization: Bearer x\r\n\r\n"
        )
    assert json.loads(told.body) == ["host", "trailer", "transfer-encoding"]


@pytest.mark.parametrize(
    "begun", [b"2\r\nab\r\n0\r\nX-Endless: ", b"2;endless="], ids=["trailer", "extension"]
)
async def test_a_line_behind_a_body_that_never_ends_is_cut(port: int, begun: bytes) -> None:
    reader, writer = await connect(port)
    writer.write(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + begun)
    told = await _flooded(reader, writer)
    assert told.startswith(b"HTTP/1.1 431 ")


async def test_a_line_that_never_ends_behind_a_request_that_waits_is_not_kept() -> None:
    app = an_app()
    async with served(app) as port:
        reader, writer = await connect(port)
        writer.write(b"GET /waits HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Endless: ")
        told = await _flooded(reader, writer)
        app.state.go_on.set()
    assert told.startswith(b"HTTP/1.1 431 ")


async def _flooded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """What is answered to a line of 64 MB, once that is not read any more."""
    sent = 0
    async with asyncio.timeout(30):
        while sent < 64 * 1024 * 1024 and not writer.transport.is_closing() and not reader.at_eof():
            writer.write(b"x" * 4096)
            sent += 4096
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            await asyncio.sleep(0)
            if reader._buffer:  # type: ignore[attr-defined]
                break
        told = await reader.readline()
    writer.close()
    assert sent < 8 * 1024 * 1024
    return told


async def test_so_many_requests_wait_on_one_connection_and_no_more() -> None:
    """Those that do are answered in order, and then why it ends."""
    app = an_app()
    one = b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"
    async with served(app) as port:
        reader, writer = await connect(port)
        writer.write(b"GET /waits HTTP/1.1\r\nHost: a\r\n\r\n" + one * (MAX_QUEUED + 1_000))
        await asyncio.sleep(0.1)
        app.state.go_on.set()
        async with asyncio.timeout(30):
            told = [await answer(reader) for _ in range(MAX_QUEUED + 2)]
            assert await reader.read() == b""
        writer.close()
    assert [each.status for each in told] == [200] * (MAX_QUEUED + 1) + [429]
    assert told[-1].headers["connection"] == "close"


async def test_as_many_as_may_wait_are_answered_again_and_again(port: int) -> None:
    reader, writer = await connect(port)
    async with asyncio.timeout(30):
        for _ in range(5):
            writer.write(b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n" * MAX_QUEUED)
            assert {(await answer(reader)).status for _ in range(MAX_QUEUED)} == {200}
    writer.close()


async def test_a_request_is_answered_before_what_is_wrong_behind_it(port: int) -> None:
    """Or its sender would take it for refused, and send it again."""
    reader, writer = await connect(port)
    writer.write(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab" + b"xx\0\r\n\r\n")
    async with asyncio.timeout(30):
        first, second = await answer(reader), await answer(reader)
        assert await reader.read() == b""
    writer.close()
    assert (first.status, second.status, second.problem) == (200, 400, "/problems/malformed-request")


async def test_what_is_wrong_in_a_request_that_waits_takes_no_other_with_it() -> None:
    app = an_app()
    good = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab"
    broken = b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n"
    async with served(app) as port:
        reader, writer = await connect(port)
        writer.write(b"GET /waits HTTP/1.1\r\nHost: a\r\n\r\n" + good + broken)
        await asyncio.sleep(0.1)
        app.state.go_on.set()
        async with asyncio.timeout(30):
            told = [await answer(reader) for _ in range(3)]
            assert await reader.read() == b""
        writer.close()
    assert [each.status for each in told] == [200, 200, 400]
    assert json.loads(told[1].body) == 2
