"""The site's live stream, as a person at the desk follows it: every notice, across disconnections."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
from httpx_sse import EventSource, ServerSentEvent
from pydantic import ValidationError

from desk.answers import SiteNotice
from desk.client import Client, to_error
from newsroom.errors import Away, NewsroomError

IDLE_SECONDS = 60.0
"""A stream that says nothing for so long, not even its heartbeat, is taken for dead."""
FIRST_PAUSE_SECONDS = 1.0
MAX_PAUSE_SECONDS = 30.0


@dataclass(frozen=True)
class Reset:
    """The site cannot tell what was missed: fetch the page again."""


Heard = SiteNotice | Reset


class Watcher:
    """Follows one article's notices, or with None the whole site's.

    The first connection must succeed; later ones are tried again for as long as the caller listens, each time
    from the last id heard. `say` is told when the stream breaks and when it is back.
    """

    def __init__(
        self,
        client: Client,
        article_id: str | None = None,
        *,
        after_revision: int | None = None,
        idle_seconds: float = IDLE_SECONDS,
        say: Callable[[str], None],
        pause: Callable[[float], None],
    ) -> None:
        self._client = client
        self._url = live_url(client.addresses.site, article_id, after_revision)
        self._idle_seconds = idle_seconds
        self._say = say
        self._pause = pause
        self._last_id = ""
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._retry_seconds = FIRST_PAUSE_SECONDS
        self._was_open = False
        self._is_broken = False

    def listen(self) -> Iterator[Heard]:
        """Every notice from now on (or after `after_revision`), for ever. Raises: Away, but only at first."""
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

    def listen_once(self) -> Iterator[Heard]:
        """One connection, to its end. An end in order is no failure: the site bounds the age of each.

        Raises: Away where the site does not answer or the connection breaks; NewsroomError where it refuses.
        """
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
        if self._last_id:
            headers["Last-Event-ID"] = self._last_id
        try:
            with self._client.stream(self._url, headers, self._idle_seconds) as response:
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
            raise NewsroomError(f"{self._url} is no live stream but {kind}: is it the site's address?")

    def _hear(self, event: ServerSentEvent) -> Iterator[Heard]:
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._last_id = event.id or self._last_id
        if event.retry is not None:
            self._retry_seconds = min(event.retry / 1000, MAX_PAUSE_SECONDS)
        if event.event == "reset":
            yield Reset()
        elif event.event == "notice":
            try:
                yield SiteNotice.model_validate_json(event.data)
            except ValidationError as error:
                raise NewsroomError(f"{self._url} sent a notice that this version cannot read") from error

    def _tell_open(self) -> None:
        if self._is_broken:
            self._say("the stream is back")
        self._was_open = True
        self._is_broken = False

    def _tell_broken(self) -> None:
        if not self._is_broken:
            self._say("the stream broke; trying again until it is back (Ctrl-C ends)")
        self._is_broken = True


def live_url(site: str, article_id: str | None, after_revision: int | None) -> str:
    """Where the notices of an article, or of the whole site, are streamed."""
    if article_id is None:
        return f"{site}/live"
    asked = "" if after_revision is None else f"?revision={after_revision}"
    return f"{site}/live/{article_id}{asked}"
