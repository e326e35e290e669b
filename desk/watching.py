"""Streams of Server-Sent Events, as a person at the desk follows them across disconnections: the notices that
readers get, from the site; the life of events, from ingest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import httpx
from httpx_sse import EventSource, ServerSentEvent
from pydantic import ValidationError

from desk.answers import SiteNotice
from desk.client import Client, to_error
from newsroom.errors import Away, NewsroomError
from newsroom.outcomes import EventStatus

IDLE_SECONDS = 60.0
"""A stream that says nothing for so long, not even its heartbeat, is taken for dead."""
FIRST_PAUSE_SECONDS = 1.0
MAX_PAUSE_SECONDS = 30.0
HeardT = TypeVar("HeardT")


@dataclass(frozen=True)
class Reset:
    """The site cannot tell what was missed: fetch the page again."""


Heard = SiteNotice | Reset


class Follower(Generic[HeardT]):
    """Follows one stream.

    The first connection must succeed; later ones are tried again for as long as the caller listens, each time
    from the last id heard. `read` makes of an event what is listened for (None: nothing); `keyed`: our key is
    sent along. `say` is told when the stream breaks and when it is back.
    """

    def __init__(
        self,
        client: Client,
        url: str,
        read: Callable[[ServerSentEvent], HeardT | None],
        *,
        keyed: bool = False,
        idle_seconds: float = IDLE_SECONDS,
        back: str = "the stream is back",
        say: Callable[[str], None],
        pause: Callable[[float], None],
    ) -> None:
        self._client = client
        self._url = url
        self._read = read
        self._is_keyed = keyed
        self._idle_seconds = idle_seconds
        self._back = back
        self._say = say
        self._pause = pause
        self._last_id = ""
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._retry_seconds = FIRST_PAUSE_SECONDS
        self._was_open = False
        self._is_broken = False

    def listen(self) -> Iterator[HeardT]:
        """Everything from now on (or from where the address says), for ever. Raises: Away, only at first."""
        while True:
            try:
                yield from self.listen_once()
                self._pause(self._retry_seconds)
            except Away:
                if not self._was_open:
                    raise
                self._tell_broken()
                self._pause(self._pause_seconds)
                self._pause_seconds = min(self._pause_seconds * 2, MAX_PAUSE_SECONDS)

    def listen_once(self) -> Iterator[HeardT]:
        """One connection, to its end. An end in order is no failure: the age of each is bounded there.

        Raises: Away where nobody answers or the connection breaks; NewsroomError where it is refused.
        """
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        if self._last_id:
            headers["Last-Event-ID"] = self._last_id
        try:
            with self._client.stream(
                "GET", self._url, headers, self._idle_seconds, keyed=self._is_keyed
            ) as response:
                if not response.is_success:
                    response.read()
                    raise to_error(response)
                self._check_kind(response)
                self._tell_open()
                for event in EventSource(response).iter_sse():
                    yield from self._hear(event)
        except httpx.TransportError as error:
            raise Away(self._url, str(error) or type(error).__name__) from error

    def _check_kind(self, response: httpx.Response) -> None:
        kind = response.headers.get("Content-Type", "nothing")
        if kind.partition(";")[0].strip() != "text/event-stream":
            raise NewsroomError(f"{self._url} is no live stream but {kind}: is it the right address?")

    def _hear(self, event: ServerSentEvent) -> Iterator[HeardT]:
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._last_id = event.id or self._last_id
        if event.retry is not None:
            self._retry_seconds = min(event.retry / 1000, MAX_PAUSE_SECONDS)
        try:
            heard = self._read(event)
        except ValidationError as error:
            raise NewsroomError(f"{self._url} sent something that this version cannot read") from error
        if heard is not None:
            yield heard

    def _tell_open(self) -> None:
        if self._is_broken:
            self._say(self._back)
        self._was_open = True
        self._is_broken = False

    def _tell_broken(self) -> None:
        if not self._is_broken:
            self._say("the stream broke; trying again until it is back (Ctrl-C ends)")
        self._is_broken = True


def notices(
    client: Client,
    article_id: str | None = None,
    *,
    after_revision: int | None = None,
    idle_seconds: float = IDLE_SECONDS,
    say: Callable[[str], None],
    pause: Callable[[float], None],
) -> Follower[Heard]:
    """What readers of an article, or with None of the whole site, are told. The public site gets no key."""
    url = live_url(client.addresses.site, article_id, after_revision)
    return Follower(client, url, _notice, idle_seconds=idle_seconds, say=say, pause=pause)


def life_of_events(
    client: Client,
    article_id: str | None = None,
    *,
    say: Callable[[str], None],
    pause: Callable[[float], None],
) -> Follower[EventStatus]:
    """What becomes of each event, as it happens; of one article's, or with None of all."""
    asked = f"?article={article_id}" if article_id else ""
    back = "the stream is back; what happened meanwhile is not shown (`newsroom status EVENT` tells it)"
    url = f"{client.addresses.ingest}/events{asked}"
    return Follower(client, url, _status, keyed=True, back=back, say=say, pause=pause)


def _notice(event: ServerSentEvent) -> Heard | None:
    """Raises: ValidationError."""
    if event.event == "reset":
        return Reset()
    return SiteNotice.model_validate_json(event.data) if event.event == "notice" else None


def _status(event: ServerSentEvent) -> EventStatus | None:
    """Raises: ValidationError."""
    return EventStatus.model_validate_json(event.data) if event.event == "status" else None


def live_url(site: str, article_id: str | None, after_revision: int | None) -> str:
    """Where the notices of an article, or of the whole site, are streamed."""
    if article_id is None:
        return f"{site}/live"
    asked = "" if after_revision is None else f"?revision={after_revision}"
    return f"{site}/live/{article_id}{asked}"
