"""An ingest process on the log in memory:

its door as a client sees it, and the store and render as far as it hears them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
from fastapi import FastAPI

from newsroom import topics
from newsroom.events import Event, decode_event
from newsroom.http.app import Health
from newsroom.http.keyfeed import KeyFeed
from newsroom.kafka.fake import FakeLog, FakePublisher, FakeReader
from newsroom.keys import ApiKey, Role, digest, key_message
from newsroom.outcomes import (
    EventOutcome,
    EventState,
    EventStatus,
    Rejection,
    RejectionCode,
    Rendering,
    outcome_message,
    rendering_message,
)
from newsroom.times import now
from services.ingest.app import create_ingest
from services.ingest.intake import Intake
from services.ingest.keyadmin import KeyAdmin
from services.ingest.life import Life
from services.ingest.lookup import Lookup
from services.ingest.routes import Door
from services.ingest.settings import IngestSettings
from services.ingest.statuses import Statuses

SITE = "http://127.0.0.1:8000"
JSON = "application/json"
Json = dict[str, Any]


def a_story(**changes: Any) -> Json:
    """The body of an article that the door accepts."""
    return {
        "headline": "Siege at a bank in Astana ends",
        "body": "<p>The siege ended without casualties.</p>",
        "section": "Kazakhstan",
    } | changes


def secret_of(role: Role | str) -> str:
    """The secret of that role's key in these tests."""
    return f"nrk_{Role(role).value}_secret"


def a_key(name: str, role: Role, secret: str, **changes: Any) -> ApiKey:
    return ApiKey(name=name, role=role, secret_sha256=digest(secret), created_at=now(), **changes)


async def until(condition: Callable[[], object], what: str, seconds: float = 120.0) -> None:
    """Wait for the condition. Raises: TimeoutError that names it."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for: {what}")
        await asyncio.sleep(0.001)


@dataclass
class StoreThatAnswers:
    """The store's side of `GET /events/{event}`. `status` None: it has not heard of the event."""

    status: EventStatus | None = None
    is_away: bool = False
    asked: list[httpx.Request] = field(default_factory=list)

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.is_away:
            return httpx.Response(503, json={"detail": "mongodb does not answer"})
        if self.status is None:
            return httpx.Response(404, json={"detail": "unknown"})
        return httpx.Response(200, content=self.status.model_dump_json())


@dataclass
class Ingest:
    """One process, asked over HTTP without a socket."""

    log: FakeLog
    publisher: FakePublisher
    keys: KeyFeed
    statuses: Statuses
    intake: Intake
    app: FastAPI
    client: httpx.AsyncClient
    store: StoreThatAnswers
    life: Life

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        role: Role | str | None = Role.PUBLISHER,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """A request with the key of that role (None: without)."""
        named = dict(headers or {})
        if role is not None:
            named.setdefault("Authorization", f"Bearer {secret_of(role)}")
        if content is not None:
            named.setdefault("Content-Type", JSON)
            return await self.client.request(method, path, content=content, headers=named)
        if body is not None:
            return await self.client.request(method, path, json=body, headers=named)
        return await self.client.request(method, path, headers=named)

    async def post(self, path: str, body: object, **headers: str) -> httpx.Response:
        """A publisher's POST; header names with `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.call("POST", path, body, headers=named)

    def events(self) -> list[Event]:
        """What stands on the log."""
        return [decode_event(record) for record in self.log.records(topics.EVENTS)]

    def event(self) -> Event:
        """The one event that stands on the log."""
        (event,) = self.events()
        return event

    async def next_event(self) -> Event:
        """The first event, once it is on the log."""
        await until(self.events, "an event on the log")
        return self.events()[0]

    async def put_key(self, key: ApiKey) -> None:
        """Write a key as another instance would, and read it."""
        await self.log.append(key_message(key))
        assert await self.keys.catch_up(30)

    async def tell(self, outcome: EventOutcome | Rendering) -> None:
        """Say what became of an event, as the store and render do."""
        if isinstance(outcome, EventOutcome):
            await self.log.append(outcome_message(outcome, now(), None))
        else:
            await self.log.append(rendering_message(outcome, now(), None))

    async def told(self, outcome: EventOutcome | Rendering) -> None:
        """As `tell`, and wait until this process has read it."""
        before = self.log.end_offsets(topics.OUTCOMES)
        await self.tell(outcome)
        assert before != self.log.end_offsets(topics.OUTCOMES)
        await until(lambda: self._has_read(), "the outcome read")

    def _has_read(self) -> bool:
        return self._outcomes_read == sum(self.log.end_offsets(topics.OUTCOMES).values())

    @property
    def _outcomes_read(self) -> int:
        count: int = self.app.state.outcomes_read()
        return count


@asynccontextmanager
async def an_ingest(
    log: FakeLog | None = None, *, max_in_flight: int = 100, publisher: FakePublisher | None = None
) -> AsyncIterator[Ingest]:
    """A process that has caught up, with a key for each role."""
    log = log or FakeLog()
    publisher = publisher or FakePublisher(log)
    life = Life()
    statuses = Statuses(SITE, life.tell)
    read = 0

    def take(record: Any) -> None:
        nonlocal read
        statuses.take(record)
        read += 1

    keys = KeyFeed("", "test", make_reader=lambda deliver: FakeReader(log, topics.KEYS, deliver))
    outcomes = FakeReader(log, topics.OUTCOMES, take)
    store = StoreThatAnswers()
    intake = Intake(publisher, statuses, max_in_flight)
    async with httpx.AsyncClient(
        transport=httpx.MockTransport(store.handle), base_url="http://store"
    ) as store_client:
        door = Door(intake, statuses, Lookup(statuses, outcomes, store_client), life)
        health = Health("ingest")
        app = create_ingest(IngestSettings(), health, keys.ring, door, KeyAdmin(keys, publisher))
        app.state.outcomes_read = lambda: read
        app.state.keys_are_known = lambda: keys.is_caught_up
        for role in Role:
            await log.append(key_message(a_key(f"the-{role.value}", role, secret_of(role))))
        running = [asyncio.create_task(keys.run()), asyncio.create_task(outcomes.run())]
        await until(lambda: keys.is_caught_up and outcomes.is_caught_up, "keys and outcomes read")
        transport = httpx.ASGITransport(app=app)
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://ingest") as client:
                yield Ingest(log, publisher, keys, statuses, intake, app, client, store, life)
        finally:
            await keys.stop()
            await outcomes.stop()
            await asyncio.gather(*running)


def stored(event: Event, revision: int | None = 1, **changes: Any) -> EventOutcome:
    """The store took it; a page follows unless told otherwise."""
    return EventOutcome(
        event_id=event.id,
        article_id=event.article_id,
        state=EventState.STORED,
        request_hash=event.request_hash,
        revision=revision,
        renders=True,
        times={"stored": now()},
    ).model_copy(update=changes)


def rejected(event: Event, code: RejectionCode, current_revision: int | None = None) -> EventOutcome:
    """The store refused it."""
    rejection = Rejection(code=code, detail="It is so.", current_revision=current_revision)
    return stored(event, revision=None, renders=False, state=EventState.REJECTED, rejection=rejection)


def rendered(
    event: Event, revision: int = 1, path: str | None = "/kazakhstan/2023/06/20/siege-abcdef/"
) -> Rendering:
    """The public sees the article at that revision."""
    times: dict[str, datetime] = {"rendered": now()}
    return Rendering(article_id=event.article_id, revision=revision, path=path, times=times)
