"""What comes over the socket, good or bad, is answered as a service answers: with problem details."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from fastapi import FastAPI, Request

from newsroom.http.app import create_app
from newsroom.http.health import Health
from newsroom.http.wire import MAX_HEAD_BYTES
from newsroom.service import _listen, _Server, _server_config
from newsroom.settings import CommonSettings


@dataclass(frozen=True)
class Told:
    """An answer off the socket."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> str:
        assert self.headers["content-type"] == "application/problem+json"
        kind: str = json.loads(self.body)["type"]
        return kind


def an_app() -> FastAPI:
    app = create_app(
        title="Test", description="", version="1", health=Health("test"), settings=CommonSettings()
    )

    @app.post("/echo")
    async def echo(request: Request) -> int:
        return len(await request.body())

    return app


@pytest.fixture
async def port() -> AsyncIterator[int]:
    listener = _listen("127.0.0.1", 0)
    server = _Server(_server_config(an_app()))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await serving
        listener.close()


async def say(port: int, *chunks: bytes) -> Told:
    """Send the bytes, and read one answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(5):
            for chunk in chunks:
                writer.write(chunk)
                await writer.drain()
                await asyncio.sleep(0)
            return await _answer(reader)
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> Told:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers["content-length"]))
    return Told(int(head[0].split()[1]), headers, body)


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
    ],
    ids=["nonsense", "method", "version", "path", "tls", "header", "length"],
)
async def test_what_is_no_http_is_told_as_a_problem(port: int, sent: bytes) -> None:
    told = await say(port, sent)
    assert (told.status, told.problem) == (400, "/problems/malformed-request")
    assert told.headers["connection"] == "close"


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nX-Large: " + b"x" * (MAX_HEAD_BYTES + 1) + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X-Many: 1\r\n" * MAX_HEAD_BYTES + b"\r\n",
        b"GET /" + b"x" * (MAX_HEAD_BYTES + 1) + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
    ids=["one header", "many headers", "address"],
)
async def test_a_head_that_is_too_large_is_told_as_a_problem(port: int, head: bytes) -> None:
    told = await say(port, head)
    assert (told.status, told.problem) == (431, "/problems/head-too-large")


async def test_a_header_that_never_ends_is_cut(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nX-Endless: ")
    sent = 0
    try:
        async with asyncio.timeout(10):
            while sent < 64 * 1024 * 1024 and not reader.at_eof():
                writer.write(b"x" * 4096)
                sent += 4096
                await writer.drain()
                await asyncio.sleep(0)
                if reader._buffer:  # type: ignore[attr-defined]
                    break
            told = await _answer(reader)
    finally:
        writer.close()
    assert told.status == 431
    assert sent < 8 * 1024 * 1024


async def test_a_head_within_the_bound_is_read(port: int) -> None:
    told = await say(port, b"GET / HTTP/1.1\r\nX-Large: " + b"x" * (MAX_HEAD_BYTES - 100) + b"\r\n\r\n")
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
        async with asyncio.timeout(5):
            writer.write(head + body + b"GET /health/live HTTP/1.1\r\nHo")
            assert (await _answer(reader)).status == 200
            writer.write(b"st: a\r\n\r\n")
            assert (await _answer(reader)).status == 200
    finally:
        writer.close()
