"""A site for a real browser: render's handlers, live stream and server in the test's own process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path

import httpx
import uvicorn
from playwright.async_api import Browser, Page, async_playwright, expect
from pydantic import SecretStr

from newsroom.http.app import Health
from newsroom.keys import ApiKey, Role, digest
from newsroom.times import now
from newsroom.updates import ArticleUpdate, EntryUpdate
from services.render.app import create_site
from services.render.archive import Archive
from services.render.live import Hub
from services.render.onrequest import OnRequest
from services.render.pages import Pages
from services.render.previewing import preview_routes
from services.render.reuse import reuse_routes
from services.render.serving import SiteServer
from services.render.settings import RenderSettings
from tests.render_parts import SITE_URL, a_site, minute, until
from tests.render_world import SmallRender
from tests.wire_parts import our_http

CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 60_000
"""How long anything in a browser may take before a test gives up: a busy machine is no failure."""
expect.set_options(timeout=PATIENCE_MS)
KEY = "nrk_publisher"
"""An API key that opens the site's previews."""
Transport = httpx.AsyncBaseTransport


class OpenSite:
    """Pages in a folder, served on a port of this machine; `take` is what the store would announce."""

    def __init__(
        self,
        folder: Path,
        pages: Pages | None = None,
        store: Transport | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """`store`: what answers render's questions about texts; without it there are no comparisons."""
        self._clock = clock
        self._pages = pages or Pages(a_site())
        self.render = SmallRender(folder, pages=self._pages)
        self._told = 0
        self._client = httpx.AsyncClient(transport=store)
        key = SecretStr(KEY) if store else None
        self._on_request = OnRequest(Archive("http://store.test", key, self._client), self._pages)
        self._server = self._a_server()
        self._serving: asyncio.Task[None] | None = None

    def _a_server(self, port: int = 0) -> Server:
        """With a ring that knows what was told so far."""
        self.hub = Hub(SITE_URL)
        self.hub.name_log("browser")
        for offset in range(self._told):
            self.hub.take(offset, self.render.notices[offset])
        self.hub.ready.set()
        server = SiteServer(
            self.render.folder.root, self._pages, self.render.model.address, on_request=self._on_request
        )
        routers = [
            preview_routes(self._on_request, self._pages),
            reuse_routes(self.render.model, self._pages, self._clock),
        ]
        app = create_site(RenderSettings(), Health("render"), self.hub, self.render.model, server, routers)
        app.state.keys.put(
            ApiKey(name="desk", role=Role.PUBLISHER, secret_sha256=digest(KEY), created_at=minute(0))
        )
        return Server(
            uvicorn.Config(app, host="127.0.0.1", port=port, http=our_http(), log_config=None, lifespan="off")
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"

    async def open(self) -> None:
        await self.render.folder.settle(self._pages.fixed())
        await self.render.lay_ground()
        await self._serve()

    async def close(self) -> None:
        await self._stop()
        await self._client.aclose()
        self.render.folder.close()

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """The server is down for a while; another one takes its place, at its address."""
        port = self._server.servers[0].sockets[0].getsockname()[1]
        await self._stop()
        yield
        self._server = self._a_server(port)
        await self._serve()

    async def _serve(self) -> None:
        self._serving = asyncio.create_task(self._server.serve())
        await until(lambda: self._server.started, "the server listens")

    async def _stop(self) -> None:
        self.hub.end()
        self._server.should_exit = True
        if self._serving:
            await self._serving

    async def take(self, *updates: ArticleUpdate | EntryUpdate, tells: bool = True) -> None:
        """Render one batch and its listings; then its notices go to whoever listens."""
        await self.render.take(*updates)
        await self.render.list_marked()
        if tells:
            self.tell()

    def tell(self) -> None:
        """Send the notices that were held back."""
        notices = self.render.notices
        for offset in range(self._told, len(notices)):
            self.hub.take(offset, notices[offset])
        self._told = len(notices)

    async def has_readers(self, count: int = 1) -> None:
        await until(lambda: self.listening == count, f"{count} open pages listen")

    @property
    def listening(self) -> int:
        return sum(map(len, self.hub._subscriptions.values()))


class Server(uvicorn.Server):
    """Leaves signals to the test runner."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def an_open_site(folder: Path) -> AsyncIterator[OpenSite]:
    site = OpenSite(folder)
    await site.open()
    try:
        yield site
    finally:
        await site.close()


@asynccontextmanager
async def a_browser(executable: str, *arguments: str, keeps_pages: bool = False) -> AsyncIterator[Browser]:
    """Chromium without a window. `keeps_pages`: with the back/forward cache, as readers have it."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable,
            args=[*CHROMIUM_ARGUMENTS, *arguments],
            ignore_default_args=["--disable-back-forward-cache"] if keeps_pages else None,
        )
        try:
            yield browser
        finally:
            await browser.close()


WATCH_SHIFTS = """
    window.shifts = 0;
    const add = (entry) => { if (!entry.hadRecentInput) window.shifts += entry.value; };
    new PerformanceObserver((list) => list.getEntries().forEach(add))
        .observe({ type: "layout-shift", buffered: true });
"""


@asynccontextmanager
async def a_page(browser: Browser, *, script: bool = True, height: int = 700) -> AsyncIterator[Page]:
    """A page of its own context, which adds up its layout shifts. Errors of the page fail the test."""
    context = await browser.new_context(
        viewport={"width": 800, "height": height}, java_script_enabled=script, reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    if script:
        await page.add_init_script(WATCH_SHIFTS)
    try:
        yield page
        assert errors == []
    finally:
        await context.close()
