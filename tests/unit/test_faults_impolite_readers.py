"""Readers without manners, against a server that counts them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any, cast

import pytest

from faults.kinds import readers
from faults.kinds.readers import Faltered, strange_ids
from faults.stage.arena import Arena


class Site:
    """Answers each request with a status; its render is where a fault looks for it."""

    def __init__(self, status: int) -> None:
        self.status, self.port = status, 0
        self.heads: list[bytes] = []

    def url(self, _: str) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            self.heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 %d Said\r\n\r\n" % self.status)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def a_site(status: int = 200) -> AsyncIterator[Site]:
    site = Site(status)
    server = await asyncio.start_server(site.serve, "127.0.0.1", 0, backlog=1000)
    site.port = server.sockets[0].getsockname()[1]
    async with server:
        yield site


async def inject(name: str, site: Site) -> None:
    fault = next(fault for fault in readers.FAULTS if fault.name == name)
    await fault.inject(cast("Arena", cast("Any", site)), Random(1))


async def test_each_strange_id_is_asked_with() -> None:
    async with a_site() as site:
        await inject("old-ids", site)
    asked = [head.partition(b"Last-Event-ID: ")[2].partition(b"\r\n")[0] for head in site.heads]
    assert sorted(asked) == sorted(strange_ids(Random(1)))
    assert all(head.startswith(b"GET /live") for head in site.heads)


@pytest.mark.parametrize("status", [400, 429, 503])
async def test_a_refusal_is_an_answer(status: int) -> None:
    async with a_site(status) as site:
        await inject("old-ids", site)


async def test_an_error_of_the_site_is_told() -> None:
    async with a_site(500) as site:
        with pytest.raises(Faltered, match="500"):
            await inject("old-ids", site)


async def test_a_storm_comes_in_waves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "_STORM", 30)
    async with a_site() as site:
        await inject("reconnect-storm", site)
    assert len(site.heads) > 30


async def test_slow_readers_ask_for_pages_and_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "_SLOW_SECONDS", 0.2)
    async with a_site() as site:
        await inject("slow-readers", site)
    assert {head.split()[1] for head in site.heads} > {b"/live", b"/"}


async def test_a_site_that_is_away_harms_no_reader() -> None:
    async with a_site() as site:
        pass
    for name in ("old-ids", "reconnect-storm"):
        await inject(name, site)
