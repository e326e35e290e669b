"""One open page's event stream (Server-Sent Events): from a subscription of `live` to the reader's socket.

At a bounded age it ends in order: the browser connects again and goes on after the last event.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from newsroom.errors import Away
from newsroom.http.limits import Places, client_of, too_many
from newsroom.http.problems import translate
from newsroom.http.streams import HEARTBEAT, ServerSentEvents, Stream, StreamSettings
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
    """Opens the stream of one reader.

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
        super().__init__({**SECURITY, "Cache-Control": NEVER_KEPT})
        self._hub, self._ask, self._places = hub, ask, places
        self._public_revision, self._settings = public_revision, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = client_of(scope)
        if self._places is not None and not self._places.take(address):
            await _no_place()(scope, receive, send)
            return
        page = OpenPage(self._hub, self._settings, self._places, address, is_pulse_wanted=self._ask.pulse)
        await page.begin(self, scope, send)
        await self._hub.ready.wait()
        if not page.is_over:
            await self._subscribe(page)

    async def _subscribe(self, page: OpenPage) -> None:
        subscription = self._hub.subscribe(self._ask.article_id, self._ask.revision, self._ask.last_event_id)
        try:
            await self._settle_doubt(subscription)
        except BaseException:
            self._hub.leave(subscription)
            raise
        page.follow(subscription)

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


class OpenPage(Stream):
    """The reader of one page. Once it follows, signs of life also tell the place to go on from: never one
    ahead of something that it was not sent.
    """

    __slots__ = ("_address", "_hub", "_is_pulse_wanted", "_places", "_subscription")

    def __init__(
        self,
        hub: Hub,
        settings: StreamSettings,
        places: Places | None,
        address: str,
        *,
        is_pulse_wanted: bool,
    ) -> None:
        """`address` has taken one of the `places`, which is given back at the end."""
        super().__init__(settings)
        self._hub, self._places, self._address = hub, places, address
        self._is_pulse_wanted = is_pulse_wanted
        self._subscription: Subscription | None = None
        hub.streams += 1

    def follow(self, subscription: Subscription) -> None:
        """Send what it has, or a first sign of life; from now on what comes, as it comes."""
        if self.is_over:
            self._hub.leave(subscription)
            return
        self._subscription = subscription
        subscription.on_news = self.news
        self.news(self.sign())

    def news(self, sign: bytes = b"") -> None:
        if self._hub.is_over:
            self.end("stopping")
        else:
            super().news(sign)

    def take(self) -> bytes:
        return b"" if self._subscription is None else self._subscription.take()

    def sign(self) -> bytes:
        if self._subscription is None:
            return HEARTBEAT
        return self._hub.pulse() if self._is_pulse_wanted else HEARTBEAT + self._hub.place()

    def leave(self) -> None:
        self._hub.streams -= 1
        if self._subscription is not None:
            self._subscription.on_news = None
            self._hub.leave(self._subscription)
        if self._places is not None:
            self._places.leave(self._address)


def _no_place() -> Response:
    return translate(too_many("streams", "Too many streams are open from your address.", NO_PLACE_SECONDS))
