"""`GET /events`: the life of events as Server-Sent Events, from a follower of `life` to the reader's socket.

Left out of the OpenAPI document, which knows no answers without an end; the description of the API tells it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from starlette.types import Receive, Scope, Send

from newsroom import times
from newsroom.errors import Away
from newsroom.http.auth import requires
from newsroom.http.direct import DirectRoute
from newsroom.http.problems import Kind, Refused
from newsroom.http.streams import ServerSentEvents, Stream, StreamSettings
from newsroom.keys import ApiKey, KeyRing, Role
from services.ingest.life import MAX_FOLLOWERS_OF_A_KEY, Follower, Life
from services.ingest.lookup import Lookup

_SETTINGS = StreamSettings()
ArticleAsked = Annotated[
    str | None, Query(alias="article", pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Only of this article")
]


class LifeStream(ServerSentEvents):
    """Opens the stream of one follower, for as long as `is_welcome` holds."""

    def __init__(
        self, life: Life, follower: Follower, is_welcome: Callable[[], bool], settings: StreamSettings
    ) -> None:
        super().__init__({"Cache-Control": "no-store"})
        self._life, self._is_welcome = life, is_welcome
        self._follower, self._settings = follower, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        self._life.add(self._follower)
        following = _Following(self._life, self._follower, self._is_welcome, self._settings)
        await following.begin(self, scope, send)
        following.follow()


class _Following(Stream):
    """What one follower is sent. Whether it is welcome is looked at before anything is written."""

    def __init__(
        self, life: Life, follower: Follower, is_welcome: Callable[[], bool], settings: StreamSettings
    ) -> None:
        super().__init__(settings)
        self._life, self._follower, self._is_welcome = life, follower, is_welcome

    def follow(self) -> None:
        """Send what comes from now on."""
        if not self.is_over:
            self._follower.on_news = self.news
            self.news()

    def news(self, sign: bytes = b"") -> None:
        if not self._is_welcome():
            self.end("key")
        elif self._follower.is_over:
            self.end("stopping" if self._life.is_over else "slow")
        else:
            super().news(sign)

    def take(self) -> bytes:
        return self._follower.take() if self._is_welcome() else b""

    def leave(self) -> None:
        self._follower.on_news = None
        self._life.leave(self._follower)


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
