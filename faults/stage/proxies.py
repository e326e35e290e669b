"""A stretch of network between a service and what it stands on, which may be cut or go dead.

A proxy passes bytes both ways. Of Kafka's protocol it knows where a request begins and what kind it is, so
that the connections of a consumer group can be stalled alone.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from desk.parts.ports import LOOPBACK

GROUP_REQUESTS = frozenset(
    {
        8,  # OffsetCommit
        9,  # OffsetFetch
        11,  # JoinGroup
        12,  # Heartbeat
        13,  # LeaveGroup
        14,  # SyncGroup
    }
)
_PIECE_BYTES = 64 * 1024
_NEVER_LINGER = struct.pack("ii", 1, 0)


class Connection:
    """A client's, and the one that was opened for it."""

    def __init__(self, client: asyncio.StreamWriter) -> None:
        self.ends = [client]
        self.is_of_a_group = False
        """Whether a consumer group's request ever came by it."""

    def close(self) -> None:
        """In order: what came is delivered first."""
        for end in self.ends:
            end.close()

    def reset(self) -> None:
        """Both ends hear that it is broken, at once."""
        for end in self.ends:
            raw = end.get_extra_info("socket")
            with suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NEVER_LINGER)
            end.transport.abort()


class Proxy:
    """Listens on a port of this machine and passes on to another, asked for at each connection."""

    def __init__(self, port: int, upstream: Callable[[], int], *, speaks_kafka: bool = False) -> None:
        self.port = port
        self._upstream, self._speaks_kafka = upstream, speaks_kafka
        self._passes, self._groups_pass = asyncio.Event(), asyncio.Event()
        self._connections: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._placeholder: socket.socket | None = None

    async def open(self) -> None:
        """Listen, and pass everything."""
        self._passes.set()
        self._groups_pass.set()
        self._leave_place()
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, LOOPBACK, self.port)

    async def heal(self) -> None:
        """As before it was cut or stalled."""
        await self.open()

    def cut(self) -> None:
        """Reset what is open, refuse what comes."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self._hold_place()
        self._passes.set()
        for connection in tuple(self._connections):
            connection.reset()

    def stall(self) -> None:
        """Take connections and requests, and pass nothing on; held, it is passed on when healed."""
        self._passes.clear()

    def stall_coordination(self) -> None:
        """The same for connections that carry requests of a consumer group; all others pass."""
        self._groups_pass.clear()

    def close(self) -> None:
        """For good."""
        self.cut()
        self._leave_place()
        for task in self._tasks:
            task.cancel()

    def _hold_place(self) -> None:
        """Bound and not listening, the port refuses and nobody else gets it."""
        self._placeholder = socket.socket()
        self._placeholder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            self._placeholder.bind((LOOPBACK, self.port))

    def _leave_place(self) -> None:
        if self._placeholder is not None:
            self._placeholder.close()
            self._placeholder = None

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(writer)
        self._connections.add(connection)
        try:
            await self._passes.wait()
            further, on = await asyncio.open_connection(LOOPBACK, self._upstream())
            connection.ends.append(on)
            asking = self._requests if self._speaks_kafka else self._bytes
            await _first_of(asking(connection, reader, on), self._bytes(connection, further, writer))
        except OSError:
            pass
        finally:
            connection.close()
            self._connections.discard(connection)

    async def _bytes(
        self, connection: Connection, source: asyncio.StreamReader, target: asyncio.StreamWriter
    ) -> None:
        while piece := await source.read(_PIECE_BYTES):
            await self._pass_on(connection, target, piece)

    async def _requests(
        self, connection: Connection, source: asyncio.StreamReader, target: asyncio.StreamWriter
    ) -> None:
        with suppress(asyncio.IncompleteReadError):
            while True:
                size = await source.readexactly(4)
                request = await source.readexactly(struct.unpack(">i", size)[0])
                if struct.unpack_from(">h", request)[0] in GROUP_REQUESTS:
                    connection.is_of_a_group = True
                await self._pass_on(connection, target, size + request)

    async def _pass_on(self, connection: Connection, target: asyncio.StreamWriter, piece: bytes) -> None:
        await self._passes.wait()
        if connection.is_of_a_group:
            await self._groups_pass.wait()
        target.write(piece)
        await target.drain()


async def _first_of(*ways: Coroutine[Any, Any, None]) -> None:
    """Until one way is over, which ends the other."""
    tasks = [asyncio.create_task(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
