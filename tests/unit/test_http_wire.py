"""What comes over the socket, good or bad, is answered as a service answers: with problem details."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from newsroom.http.wire import MAX_ADDRESS_BYTES, MAX_HEAD_BYTES
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
