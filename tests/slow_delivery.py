"""A slow line to a site: its pages arrive in pieces, each of which a browser has time to paint."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tests.open_site import Server
from tests.render_parts import until

PAUSE_SECONDS = 0.06
"""Between two pieces: several frames of a screen."""
_BORDERS = re.compile(rb"(?=<main\b|<footer\b|<dl\b)|(?<=</nav>)|(?<=</header>)")
_MASTHEAD_ITEMS = 2
"""After so many of the sections in the masthead comes a border, too."""


@asynccontextmanager
async def a_slow_line(url: str, more_style: bytes = b"") -> AsyncIterator[str]:
    """The address at which the site at `url` answers, its pages cut where their parts begin and end.

    There is no live stream on it: it would never end. `more_style` follows its style sheet.
    """

    async def answer(request: Request) -> Response:
        if "event-stream" in request.headers.get("accept", ""):
            return Response(status_code=204)
        asked = {name: value for name, value in request.headers.items() if name == "authorization"}
        whole = await client.get(request.url.path, headers=asked)
        kind = whole.headers.get("content-type", "")
        if "html" not in kind:
            content = whole.content + (more_style if "css" in kind else b"")
            return Response(content, whole.status_code, media_type=kind)
        return StreamingResponse(_slowly(_pieces(whole.content)), whole.status_code, media_type=kind)

    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        app = Starlette(routes=[Route("/{path:path}", answer)])
        server = Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off"))
        serving = asyncio.create_task(server.serve())
        await until(lambda: server.started, "the slow line listens")
        try:
            yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


def _pieces(page: bytes) -> list[bytes]:
    masthead, *others = _BORDERS.split(page)
    *items, rest = masthead.split(b"</li>", _MASTHEAD_ITEMS)
    return [b"".join(item + b"</li>" for item in items), rest, *others]


async def _slowly(pieces: list[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
        await asyncio.sleep(PAUSE_SECONDS)
