"""The arena's proxies: bytes pass both ways, are cut, or are held, and Kafka's group requests alone."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest

from desk.parts.ports import LOOPBACK, free_ports
from faults.stage.proxies import Proxy

PRODUCE, HEARTBEAT = 0, 12
LONG_SECONDS = 20.0
"""More than anything here takes that is to come."""
SHORT_SECONDS = 0.2
"""Long enough for bytes to pass that should not."""


@dataclass
class Client:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def says(self, said: bytes) -> None:
        self.writer.write(said)
        await self.writer.drain()

    async def hears(self, count: int) -> bytes:
        return await asyncio.wait_for(self.reader.readexactly(count), LONG_SECONDS)

    async def hears_nothing(self) -> bool:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.reader.read(1), SHORT_SECONDS)
            return False
        return True


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while said := await reader.read(1024):
            writer.write(said)
    writer.close()


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Place:
    """A proxy in front of a server that repeats what it hears, and clients of it."""

    def __init__(self, answer: Answer, *, speaks_kafka: bool) -> None:
        self._answer = answer
        self.port, self._behind = free_ports(2)
        self.proxy = Proxy(self.port, lambda: self._behind, speaks_kafka=speaks_kafka)
        self._clients: list[Client] = []

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._answer, LOOPBACK, self._behind)
        await self.proxy.open()
        try:
            yield
        finally:
            for client in self._clients:
                client.writer.transport.abort()
            self.proxy.close()
            server.close()
            await asyncio.sleep(SHORT_SECONDS)  # for what is closing to be closed

    async def client(self) -> Client:
        client = Client(*await asyncio.open_connection(LOOPBACK, self.port))
        self._clients.append(client)
        return client


@asynccontextmanager
async def a_place(answer: Answer = _echo, *, speaks_kafka: bool = False) -> AsyncIterator[Place]:
    place = Place(answer, speaks_kafka=speaks_kafka)
    async with place.open():
        yield place


def a_request(kind: int, body: bytes = b"") -> bytes:
    """As Kafka frames one: its length, what it asks for, the rest."""
    said = struct.pack(">h", kind) + body
    return struct.pack(">i", len(said)) + said


async def test_bytes_pass_both_ways() -> None:
    async with a_place() as place:
        client = await place.client()
        await client.says(b"hello")
        assert await client.hears(5) == b"hello"


async def test_what_was_said_before_the_end_arrives() -> None:
    """All of it, also when it is more than anybody holds at once and the speaker has hung up."""
    said = bytes(4_000_000)

    async def speak(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        writer.close()

    async with a_place(answer=speak) as place:
        client = await place.client()
        await asyncio.sleep(SHORT_SECONDS)
        assert await client.hears(len(said)) == said


async def test_a_cut_resets_what_is_open_and_refuses_what_comes() -> None:
    async with a_place() as place:
        client = await place.client()
        await client.says(b"hello")
        await client.hears(5)
        place.proxy.cut()
        with pytest.raises(ConnectionResetError):
            await client.hears(1)
        with pytest.raises(ConnectionRefusedError):
            await place.client()


async def test_after_a_cut_the_same_address_serves_again() -> None:
    async with a_place() as place:
        place.proxy.cut()
        await place.proxy.heal()
        client = await place.client()
        await client.says(b"again")
        assert await client.hears(5) == b"again"


async def test_a_stall_takes_everything_and_passes_it_on_when_healed() -> None:
    """Open connections and new ones alike, as on a network that is silent for a while."""
    async with a_place() as place:
        old = await place.client()
        await old.says(b"1")
        await old.hears(1)
        place.proxy.stall()
        new = await place.client()
        for client in (old, new):
            await client.says(b"2")
            assert await client.hears_nothing()
        await place.proxy.heal()
        assert [await client.hears(1) for client in (old, new)] == [b"2", b"2"]


async def test_only_connections_of_a_consumer_group_are_stalled() -> None:
    async with a_place(speaks_kafka=True) as place:
        producer, member = await place.client(), await place.client()
        produce, heartbeat = a_request(PRODUCE, bytes(200_000)), a_request(HEARTBEAT)
        place.proxy.stall_coordination()
        await producer.says(produce)
        await member.says(heartbeat)
        assert await producer.hears(len(produce)) == produce
        assert await member.hears_nothing()
        await place.proxy.heal()
        assert await member.hears(len(heartbeat)) == heartbeat


async def test_who_has_nobody_behind_is_cut_off() -> None:
    """As where no instance of a service is awake."""

    def nobody() -> int:
        raise ConnectionRefusedError("nobody is awake")

    proxy = Proxy(free_ports(1)[0], nobody)
    await proxy.open()
    client = Client(*await asyncio.open_connection(LOOPBACK, proxy.port))
    try:
        with pytest.raises(asyncio.IncompleteReadError):
            await client.hears(1)
    finally:
        proxy.close()
        client.writer.close()
        await client.writer.wait_closed()
