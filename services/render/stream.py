"""One open page's event stream (Server-Sent Events): from a subscription of `live` to the reader's socket.

At a bounded age it ends in order: the browser connects again and goes on after the last event.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from newsroom.errors import Away
from newsroom.http.limits import Places, client_of, too_many
from newsroom.http.problems import translate
from newsroom.http.streams import HEARTBEAT, ServerSentEvents, StreamSettings, Writer, set_within
from services.render.headers import NEVER_KEPT, SECURITY
from services.render.live import Hub, Subscription

__all__ = ["Ask", "EventStream", "StreamSettings"]
NO_PLACE_SECONDS = 30
PublicRevision = Callable[[str], Awaitable[int | None]]


@dataclass(frozen=True)
class Ask:
    """What a reader asks for: an article's notices or, without one, the site's; and where it goes on.

    `pulse`: it wants to see signs of life, which are comments otherwise.
    """

    article_id: str | None
    revision: int | None = None
    last_event_id: str | None = None
    pulse: bool = False


class EventStream(ServerSentEvents):
    """Streams to one reader.

    `public_revision` is asked only where the ring cannot tell what the reader missed; `places` are those of
    each address, without them there is no bound.
    """

    def __init__(
        self,
        hub: Hub,
        ask: Ask,
        public_revision: PublicRevision,
        settings: StreamSettings,
        places: Places | None = None,
    ) -> None:
        super().__init__(settings, {**SECURITY, "Cache-Control": NEVER_KEPT})
        self._hub, self._ask, self._places = hub, ask, places
        self._public_revision = public_revision

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = client_of(scope)
        if self._places is not None and not self._places.take(address):
            await _no_place()(scope, receive, send)
            return
        self._hub.streams += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._hub.streams -= 1
            if self._places is not None:
                self._places.leave(address)

    async def stream(self, writer: Writer, gone: asyncio.Task[None]) -> str:
        """Returns why it ended. Raises: TimeoutError when the reader does not read."""
        while not await set_within(self._hub.ready, self._settings.heartbeat_seconds):
            await writer.write(HEARTBEAT)
            if gone.done():
                return "gone"
        subscription = self._hub.subscribe(self._ask.article_id, self._ask.revision, self._ask.last_event_id)
        gone.add_done_callback(lambda _: subscription.end())
        try:
            await self._settle_doubt(subscription)
            await self._feed(writer, subscription)
        finally:
            self._hub.leave(subscription)
        if gone.done():
            return "gone"
        await writer.finish()
        return "stopping" if self._hub.is_over else "age"

    async def _feed(self, writer: Writer, subscription: Subscription) -> None:
        """Write what is pending as it comes, and now and then a sign of life that also tells the place to
        go on from; never a place ahead of something pending.
        """
        deadline = self._settings.deadline()
        await writer.write(subscription.take() or self._sign())
        while not subscription.is_over and (left := deadline - time.monotonic()) > 0:
            if not await set_within(subscription.wake, min(self._settings.heartbeat_seconds, left)):
                await writer.write(subscription.take() or self._sign())
            await writer.write(subscription.take())

    def _sign(self) -> bytes:
        return self._hub.pulse() if self._ask.pulse else HEARTBEAT + self._hub.place()

    async def _settle_doubt(self, subscription: Subscription) -> None:
        """Ask the read model what the ring cannot tell; where it does not answer, the reader fetches again
        to be safe.
        """
        if not subscription.is_doubtful or subscription.article_id is None:
            return
        try:
            public_revision = await self._public_revision(subscription.article_id)
        except Away:
            public_revision = subscription.revision + 1
        subscription.judge(public_revision, self._hub.end_offset)


def _no_place() -> Response:
    return translate(too_many("streams", "Too many streams are open from your address.", NO_PLACE_SECONDS))
