"""A newsroom made of answers: what ingest, the store and the site say to the desk in unit tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from click.testing import CliRunner, Result

from desk.cli import main
from desk.options import Given

EVENT_ID = "evt_" + "a" * 26
KEY = "nrk_secret"
Answer = Callable[[httpx.Request], httpx.Response]


def an_answer(status: int, body: object, headers: Mapping[str, str] | None = None) -> Answer:
    """A JSON answer."""
    return lambda _: httpx.Response(status, json=body, headers=headers)


def a_problem(status: int, detail: str, errors: Iterable[Mapping[str, str]] = (), **headers: str) -> Answer:
    """A refusal as problem+json."""
    body = {
        "type": "about:blank",
        "title": "Refused",
        "status": status,
        "detail": detail,
        "errors": list(errors),
    }
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: httpx.Response(
        status, content=json.dumps(body), headers={"Content-Type": "application/problem+json", **named}
    )


def a_receipt(**changed: object) -> dict[str, object]:
    """What ingest says once a page is there."""
    return {
        "event_id": EVENT_ID,
        "article_id": "rain",
        "revision": 1,
        "url": "http://127.0.0.1:8000/kazakhstan/2023/06/20/rain-abcdef/",
        "state": "rendered",
    } | changed


def a_notice(**changed: object) -> dict[str, object]:
    """What the live stream says."""
    return {
        "article_id": "rain",
        "revision": 2,
        "kind": "update",
        "note": "It stopped.",
        "time": "2023-06-20T04:40:00.000Z",
        "url": "http://127.0.0.1:8000/rain/",
        "headline": "Rain at last",
    } | changed


def sse(data: object, event: str = "notice", event_id: str = "") -> bytes:
    """One event on the wire."""
    named = f"id: {event_id}\n" if event_id else ""
    return f"event: {event}\n{named}data: {json.dumps(data)}\n\n".encode()


def a_stream(*events: bytes) -> Answer:
    """A live stream that says this and ends in order."""
    return lambda _: httpx.Response(
        200, headers={"Content-Type": "text/event-stream"}, content=b"".join(events)
    )


def no_connection(request: httpx.Request) -> httpx.Response:
    """Nobody listens there."""
    raise httpx.ConnectError("refused", request=request)


def broken_answer(request: httpx.Request) -> httpx.Response:
    """The connection breaks before the answer."""
    raise httpx.ReadError("reset by peer", request=request)


@dataclass
class Newsroom:
    """Gives its answers in turn, the last one again and again; remembers requests and pauses."""

    answers: list[Answer]
    requests: list[httpx.Request] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def handle(self, request: httpx.Request) -> httpx.Response:
        """The next answer."""
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(request)

    @property
    def last(self) -> httpx.Request:
        return self.requests[-1]

    @property
    def last_body(self) -> dict[str, object]:
        body = json.loads(self.last.content)
        assert isinstance(body, dict)
        return body


def run(
    newsroom: Newsroom,
    *arguments: str | Path,
    key: str | None = KEY,
    stdin: str | None = None,
    colour: bool = False,
    **environment: str,
) -> Result:
    """`newsroom …` against that newsroom, with that key. Only pauses make its clock go on; `colour`: as on
    a terminal.
    """
    given = Given(
        transport=httpx.MockTransport(newsroom.handle),
        pause=newsroom.pauses.append,
        clock=lambda: sum(newsroom.pauses),
    )
    cleared = {
        "NEWSROOM_KEY": key,
        "NEWSROOM_URL": None,
        "NEWSROOM_STORE_URL": None,
        "NEWSROOM_SITE_URL": None,
    }
    named = {name.upper(): value for name, value in environment.items()}
    return CliRunner(env={**cleared, **named}).invoke(
        main, [str(argument) for argument in arguments], obj=given, input=stdin, color=colour
    )
