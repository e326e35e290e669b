"""`GET /events`: the life of events as Server-Sent Events, from a follower of `life` to the reader's socket.

Left out of the OpenAPI document, which knows no answers without an end; the description of the API tells it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from starlette.types import Receive, Scope, Send

from newsroom import times
from newsroom.errors import Away
from newsroom.http.auth import requires
from newsroom.http.direct import DirectRoute
from newsroom.http.problems import Kind, Refused
from newsroom.http.streams import HEARTBEAT, ServerSentEvents, StreamSettings, Writer, set_within
from newsroom.keys import ApiKey, KeyRing, Role
from services.ingest.life import MAX_FOLLOWERS_OF_A_KEY, Follower, Life
from services.ingest.lookup import Lookup

_SETTINGS = StreamSettings()
ArticleAsked = Annotated[
    str | None, Query(alias="article", pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Only of this article")
]


class LifeStream(ServerSentEvents):
    """Streams to one follower, for as long as `is_welcome` holds: looked at before anything is written."""

    def __init__(
        self, life: Life, follower: Follower, is_welcome: Callable[[], bool], settings: StreamSettings
    ) -> None:
        super().__init__(settings, {"Cache-Control": "no-store"})
        self._life, self._is_welcome = life, is_welcome
        self._follower = follower

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._life.add(self._follower)
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._life.leave(self._follower)

    async def stream(self, writer: Writer, gone: asyncio.Task[None]) -> str:
        """Returns why it ended. Raises: TimeoutError when the reader does not read."""
        gone.add_done_callback(lambda _: self._follower.end())
        reason = await self._feed(writer, self._follower)
        if gone.done():
            return "gone"
        await writer.finish()
        return "stopping" if self._life.is_over else reason

    async def _feed(self, writer: Writer, follower: Follower) -> str:
        deadline = self._settings.deadline()
        while not follower.is_over and (left := deadline - time.monotonic()) > 0:
            has_news = await set_within(follower.wake, min(self._settings.heartbeat_seconds, left))
            if not self._is_welcome():
                return "key"
            if not follower.is_over:
                await writer.write(follower.take() if has_news else HEARTBEAT)
        return "slow" if follower.is_over else "age"


def life_routes(life: Life, lookup: Lookup, ring: KeyRing, settings: StreamSettings = _SETTINGS) -> APIRouter:
    """What becomes of events, as it happens."""
    router = APIRouter(route_class=DirectRoute)

    @router.get("/events", include_in_schema=False)
    async def events(
        key: Annotated[ApiKey, Depends(requires(Role.REPORTER))], article_id: ArticleAsked = None
    ) -> Response:
        # What was before a process came up is read first: it would be told as if it happened now.
        if not await lookup.catch_up():
            raise Away("kafka", "what became of events lately could not be read to its end")
        if life.is_full:
            raise Refused(Kind.BUSY, f"{life.followers} follow already: try again in a while.")
        if life.has_enough(key.name):
            raise Refused(Kind.TOO_MANY, f"{MAX_FOLLOWERS_OF_A_KEY} follow with this key: close one of them.")
        follower = Follower(key.name, article_id, life.most_pending)
        return LifeStream(life, follower, lambda: _is_good(ring, key), settings)

    return router


def _is_good(ring: KeyRing, key: ApiKey) -> bool:
    """Whether the key still opens what it opened: neither revoked nor expired since."""
    standing = ring.by_name(key.name)
    return standing is not None and standing.is_good(times.now())
