"""A crowd from one address at a door of its own: it fills its own places, and others do not notice."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest

from newsroom.http.app import Health
from newsroom.http.connections import most_connections
from services.render.app import create_site
from services.render.live import Hub
from services.render.readmodel import Address
from services.render.serving import SiteServer
from services.render.settings import RenderSettings
from services.render.site import SiteFolder
from tests.render_parts import SITE_URL, MemoryReadModel, PlainPages, a_notice, until
from tests.wire_parts import OTHER_ADDRESSES, connect, say, served

pytestmark = OTHER_ADDRESSES
CROWD = 10_000
BOTH_ENDS = 2 * CROWD - 2_000
ATTACKER, READER = "127.0.0.1", "127.0.0.2"
PAGE = b"<p>words</p>"
ASKS = b"GET /live/a1?revision=1 HTTP/1.1\r\nHost: a\r\n%s\r\n"


class Visitor:
    """Somebody with one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def ask(self, headers: bytes = b"") -> None:
        """For the stream of a page."""
        self._writer.write(ASKS % headers)

    async def status(self) -> int:
        """Of the answer, once its head is there."""
        async with asyncio.timeout(60):
            return int((await self._reader.readuntil(b"\r\n\r\n")).split()[1])

    async def hears(self, words: bytes) -> None:
        async with asyncio.timeout(60):
            await self._reader.readuntil(words)

    def leave(self) -> None:
        self._writer.close()


class Site:
    """A render process as readers meet it."""

    def __init__(self, port: int, hub: Hub) -> None:
        self.port, self.hub = port, hub
        self.visitors: list[Visitor] = []

    async def page(self, host: str) -> bytes:
        asked = b"GET /a/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        return (await say(self.port, asked, host=host)).body

    async def visitor(self, host: str) -> Visitor:
        visitor = Visitor(*await connect(self.port, host))
        self.visitors.append(visitor)
        return visitor

    async def stream(self, host: str, headers: bytes = b"") -> int:
        """Ask for a stream, and keep it; the answer's status."""
        visitor = await self.visitor(host)
        visitor.ask(headers)
        return await visitor.status()


@asynccontextmanager
async def a_site(folder: Path, settings: RenderSettings) -> AsyncIterator[Site]:
    async def nowhere(_: str) -> Address | None:
        return None

    files = SiteFolder(folder)
    files.open()
    await files.settle({"/a/index.html": PAGE})
    hub = Hub(SITE_URL)
    hub.name_log("mark")
    hub.ready.set()
    server = SiteServer(files.root, PlainPages(), nowhere)
    app = create_site(settings, Health("render"), hub, MemoryReadModel(), server)
    async with served(app) as port:
        site = Site(port, hub)
        try:
            yield site
        finally:
            for visitor in site.visitors:
                visitor.leave()
            hub.end()
    files.close()


async def crowd(site: Site, stack: ExitStack, says: bytes) -> None:
    """Very many connections from one address that say this and nothing more; none is given up."""
    loop = asyncio.get_running_loop()
    for _ in range(CROWD):
        one = stack.enter_context(socket.socket())
        one.setblocking(False)
        with suppress(ConnectionError):
            await loop.sock_connect(one, (ATTACKER, site.port))
            await loop.sock_sendall(one, says)


@pytest.mark.parametrize(
    ("says", "streams"),
    [(b"", 0), (ASKS % b"", RenderSettings().live_streams_per_address)],
    ids=["idle connections", "idle streams"],
)
async def test_ten_thousand_from_one_address_leave_others_theirs(
    tmp_path: Path, says: bytes, streams: int
) -> None:
    """With every bound as it is by default."""
    if most_connections(BOTH_ENDS) < BOTH_ENDS:
        pytest.skip("needs 20,000 open files in one process: ulimit -n 20000")
    async with a_site(tmp_path, RenderSettings()) as site:
        with ExitStack() as stack:
            await crowd(site, stack, says)
            await until(lambda: site.hub.streams == streams, "every stream that may be")
            assert await site.page(READER) == PAGE
            reader = await site.visitor(READER)
            reader.ask()
            assert await reader.status() == 200
            site.hub.take(0, a_notice("a1", 2))
            await reader.hears(b"event: notice\n")
            assert site.hub.streams == streams + 1


async def test_one_address_has_so_many_streams_and_gets_its_places_back(tmp_path: Path) -> None:
    async with a_site(tmp_path, RenderSettings(live_streams_per_address=2)) as site:
        assert [await site.stream(ATTACKER) for _ in range(2)] == [200, 200]
        refused = await say(site.port, ASKS % b"", host=ATTACKER)
        assert (refused.status, refused.problem) == (429, "/problems/too-many-requests")
        assert int(refused.headers["retry-after"]) >= 1
        assert await site.stream(READER) == 200
        site.visitors[0].leave()
        await until(lambda: site.hub.streams == 2, "the place is free")
        assert await site.stream(ATTACKER) == 200


async def test_behind_a_proxy_streams_are_counted_for_each_reader(tmp_path: Path) -> None:
    settings = RenderSettings(live_streams_per_address=1, trusted_proxies="127.0.0.1")
    async with a_site(tmp_path, settings) as site:
        for address, status in ((b"192.0.2.1", 200), (b"192.0.2.2", 200), (b"192.0.2.1", 429)):
            assert await site.stream(ATTACKER, b"X-Forwarded-For: %s\r\n" % address) == status
