"""A service on a socket of its own, and a client that says byte for byte what it wants to."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import pytest
from fastapi import FastAPI, Request, Response

from newsroom.articles import Contract
from newsroom.http.app import create_app
from newsroom.http.bodies import read
from newsroom.http.connections import Connections
from newsroom.http.health import Health
from newsroom.http.wire import PATIENCE, Patience, protocol
from newsroom.service import _listen, _Server, _server_config
from newsroom.settings import CommonSettings

OTHER_ADDRESSES = pytest.mark.skipif(
    sys.platform != "linux",
    reason="needs more addresses of the loopback, as Linux has: sudo ifconfig lo0 alias 127.0.0.2, …",
)
LARGE = b"x" * (32 * 1024 * 1024)
"""More than the buffers of a socket take."""


MOST_BYTES = 1_000


class Named(Contract):
    """A body that is read as bodies are."""

    name: str


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


def an_app(**settings: Any) -> FastAPI:
    """With addresses that read their body or do not, one that waits, and one of much to read."""
    app = create_app(
        title="Test", description="", version="1", health=Health("test"), settings=CommonSettings(**settings)
    )
    app.state.go_on = asyncio.Event()

    @app.post("/echo")
    async def echo(request: Request) -> int:
        return len(await request.body())

    @app.post("/reads")
    async def reads(request: Request) -> str:
        return (await read(request, Named, MOST_BYTES)).content.name

    @app.post("/deaf")
    async def deaf() -> None:
        pass

    @app.get("/waits")
    async def waits() -> str:
        await app.state.go_on.wait()
        return "done"

    @app.get("/large")
    async def large() -> Response:
        return Response(LARGE)

    return app


def our_http() -> type[asyncio.Protocol]:
    """What a service has for HTTP, for a server that a test sets up itself: without it, no stream is told."""
    return cast("type[asyncio.Protocol]", protocol(Connections(1_000, CommonSettings())))


@asynccontextmanager
async def served(app: FastAPI, patience: Patience = PATIENCE) -> AsyncIterator[int]:
    """As a service serves it, on every address of this machine; the port."""
    listener = _listen("0.0.0.0", 0)
    server = _Server(_server_config(app, patience))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await serving
        listener.close()


async def say(port: int, *chunks: bytes, host: str = "127.0.0.1") -> Told:
    """Send the bytes from that address of this machine, and read one answer."""
    reader, writer = await connect(port, host)
    try:
        async with asyncio.timeout(30):
            for chunk in chunks:
                writer.write(chunk)
                await writer.drain()
                await asyncio.sleep(0)
            return await answer(reader)
    finally:
        writer.close()


async def connect(port: int, host: str = "127.0.0.1") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection from that address of this machine."""
    return await asyncio.open_connection("127.0.0.1", port, local_addr=(host, 0))


async def answer(reader: asyncio.StreamReader) -> Told:
    """The next answer off the socket."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers["content-length"]))
    return Told(int(head[0].split()[1]), headers, body)
