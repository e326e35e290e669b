"""Readers who do not read, who come back all at once, or with ids of another world."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random
from urllib.parse import urlsplit

from faults.fault import Fault
from faults.stage.arena import Arena

_SLOW, _SLOW_SECONDS, _SLOW_BUFFER = 60, 12.0, 2048
_STORM, _WAVES = 150, 4
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 5.0
_HEAD = "GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n{more}\r\n"


class Faltered(Exception):
    """Render failed at a question of a reader."""


async def _slow(arena: Arena, dice: Random) -> None:
    """They ask for the live stream, or a page, and read nothing of it."""
    paths = ["/live", "/live?pulse=1", "/", "/news-sitemap.xml"]
    async with asyncio.TaskGroup() as group:
        for number in range(_SLOW):
            group.create_task(_hold(arena, dice.choice(paths), number, dice.uniform(0.5, 1) * _SLOW_SECONDS))


async def _hold(arena: Arena, path: str, number: int, seconds: float) -> None:
    with suppress(OSError, TimeoutError):
        async with _connected(arena.url("render"), number, _SLOW_BUFFER) as (_, writer):
            writer.write(_question(arena.url("render"), path))
            await asyncio.sleep(seconds)


async def _storm(arena: Arena, dice: Random) -> None:
    """Waves of readers who connect, hear the beginning, and are cut: half of them in the middle of it."""
    for _ in range(_WAVES):
        async with asyncio.TaskGroup() as group:
            for number in range(_STORM):
                group.create_task(_call(arena, number, hangs_up=dice.random() < 0.5))
        await asyncio.sleep(dice.uniform(0, 1))


async def _call(arena: Arena, number: int, *, hangs_up: bool) -> None:
    with suppress(OSError, TimeoutError):
        async with _connected(arena.url("render"), number) as (reader, writer):
            writer.write(_question(arena.url("render"), "/live"))
            if not hangs_up:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    await reader.readline()
            writer.transport.abort()


async def _ids(arena: Arena, dice: Random) -> None:
    """Each is answered, whatever it is. Raises: Faltered where render itself failed."""
    ids = strange_ids(dice)
    dice.shuffle(ids)
    for number, event_id in enumerate(ids):
        path = dice.choice(
            ["/live", "/live/editor-1-1", "/live/editor-1-1?revision=1", "/live/nobody?revision=0"]
        )
        status = await _status(arena, path, event_id, number)
        if status >= 500 and status != 503:
            raise Faltered(f"{path} with Last-Event-ID {event_id[:60]!r}: {status}")


def strange_ids(dice: Random) -> list[bytes]:
    """Ids that no reader of this log can have: very old, of other logs, beyond its end, none at all."""
    mark = bytes(dice.choices(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789_", k=8))
    offsets = [b"0", b"1", b"-1", b"007", b"99999999999999999999999999", b"1e3", b"0x10", "٣".encode(), b""]
    garbage = [b"", b"-", b"--", b"garbage", b"\x80\xff", b"a" * 4000, b"%0d%0aX: y", b"{}", b"' OR 1=1 --"]
    return [mark + b"-" + offset for offset in offsets] + garbage


async def _status(arena: Arena, path: str, event_id: bytes, number: int) -> int:
    """Of the answer; 0 where there is none, which is an answer to some of these too."""
    try:
        async with (
            _connected(arena.url("render"), number) as (reader, writer),
            asyncio.timeout(_ANSWER_SECONDS),
        ):
            head = _question(arena.url("render"), path, b"Last-Event-ID: " + event_id + b"\r\n")
            writer.write(head)
            first = (await reader.readline()).split()
            return int(first[1]) if len(first) > 1 else 0
    except (OSError, TimeoutError):
        return 0


def _question(url: str, path: str, more: bytes = b"") -> bytes:
    before, _, after = _HEAD.partition("{more}")
    return before.format(path=path, host=urlsplit(url).netloc).encode() + more + after.encode()


@asynccontextmanager
async def _connected(
    url: str, number: int, buffer: int | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection as of one of many addresses, as far as this machine has them. Raises: OSError,
    TimeoutError.
    """
    there = urlsplit(url)
    calling = socket.socket()
    try:
        calling.setblocking(False)
        if buffer is not None:
            calling.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        with suppress(OSError):
            calling.bind((f"127.0.0.{2 + number % 200}", 0))
        async with asyncio.timeout(_CONNECT_SECONDS):
            await asyncio.get_running_loop().sock_connect(calling, (there.hostname, there.port))
        reader, writer = await asyncio.open_connection(sock=calling, limit=buffer or 2**16)
    except BaseException:
        calling.close()
        raise
    try:
        yield reader, writer
    finally:
        writer.close()


FAULTS = (
    Fault("slow-readers", f"{_SLOW} readers of stream and pages ask and read nothing.", _slow),
    Fault(
        "reconnect-storm",
        f"{_STORM} readers connect to the stream at once, {_WAVES} times, and are cut.",
        _storm,
    ),
    Fault("old-ids", "Readers resume the stream by ids that are very old, of another log, or none.", _ids),
)
