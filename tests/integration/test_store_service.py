"""The store on real Kafka and real MongoDB: filing, who may start, replay, rebuilds, outages."""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from newsroom import keys, topics
from newsroom.events import Event, EventKind, event_message
from newsroom.http.app import Health
from newsroom.kafka.producer import KafkaPublisher
from newsroom.kafka.reader import TopicReader
from newsroom.keys import ApiKey, Role, key_message
from newsroom.outcomes import EventOutcome, Rendering, decode_outcome, rendering_message
from newsroom.records import Message, Record
from newsroom.times import now
from newsroom.updates import Announcement, decode_update
from services.store.__main__ import Store
from services.store.api import create_api
from services.store.settings import StoreSettings
from tests.running import RunningKafka, RunningMongo
from tests.store_parts import a_text, an_event, minute

pytestmark = pytest.mark.real
ROOT = Path(__file__).parent.parent.parent
SECRETS = {role: keys.new_secret() for role in Role}


async def until(condition: Callable[[], Awaitable[Any]], what: str, seconds: float = 30.0) -> Any:
    """Wait for the condition; what it gave. Raises: TimeoutError."""
    deadline = time.monotonic() + seconds
    while True:
        found = await condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        await asyncio.sleep(0.05)


class Newsroom:
    """A log, a database, what was announced on it, and stores that come and go."""

    def __init__(self, kafka: RunningKafka, mongo: RunningMongo) -> None:
        self.kafka, self.mongo = kafka, mongo
        self.database = f"store_{secrets.token_hex(4)}"
        self.publisher = KafkaPublisher(kafka.bootstrap, client_id="test")
        self.updates: list[Announcement] = []
        self.outcomes: list[EventOutcome] = []

    def settings(self, database: str | None = None) -> StoreSettings:
        return StoreSettings(
            kafka=self.kafka.bootstrap,
            mongo=SecretStr(self.mongo.url),
            store_database=database or self.database,
        )

    @asynccontextmanager
    async def following(self) -> AsyncIterator[Newsroom]:
        """Read updates and outcomes as they come, from now on."""
        readers = [
            TopicReader(self.kafka.bootstrap, topics.UPDATES, self._update, client_id="test", begin="end"),
            TopicReader(self.kafka.bootstrap, topics.OUTCOMES, self._outcome, client_id="test", begin="end"),
        ]
        tasks = [asyncio.create_task(reader.run()) for reader in readers]
        try:
            for reader in readers:
                await until(lambda reader=reader: _said(reader.is_caught_up), "readers read")  # type: ignore[misc]
            yield self
        finally:
            for reader in readers:
                await reader.stop()
            await asyncio.gather(*tasks)
            await self.publisher.stop()

    @asynccontextmanager
    async def store(self, database: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
        """A store for the length of the block, once it is ready; a client of its API without a key."""
        store = Store(self.settings(database))
        health = Health("store")
        store.add_checks(health)
        app = create_api(self.settings(database), health, store.reading, store.rebuilds, lambda: store.is_open)
        app.state.keys = store.keys.ring
        tasks = [asyncio.create_task(store.run()), asyncio.create_task(store.keys.run())]
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://store.test")
        try:
            await until(lambda: _is_ready(client, tasks), "the store is ready")
            yield client
        finally:
            await store.stop()
            await asyncio.gather(*tasks)
            store.close()
            await client.aclose()

    async def post(self, *events: Event) -> None:
        await self.publisher.publish_all([event_message(event) for event in events])

    async def told(self, *event_ids: str) -> None:
        """Wait until the outcomes of these events are on the log."""

        async def all_told() -> bool:
            return {each.event_id for each in self.outcomes}.issuperset(event_ids)

        await until(all_told, "outcomes")

    def _update(self, record: Record) -> None:
        self.updates.append(decode_update(record))

    def _outcome(self, record: Record) -> None:
        outcome = decode_outcome(record)
        if isinstance(outcome, EventOutcome):
            self.outcomes.append(outcome)


async def _said(value: bool) -> bool:
    return value


async def _is_ready(client: httpx.AsyncClient, tasks: list[asyncio.Task[None]]) -> bool:
    for task in tasks:
        if task.done():
            task.result()
    return (await client.get("/health/ready")).status_code == 200


def authorized(role: Role) -> dict[str, str]:
    return {"Authorization": f"Bearer {SECRETS[role]}"}


@pytest.fixture
async def newsroom(kafka: RunningKafka, mongo: RunningMongo) -> AsyncIterator[Newsroom]:
    """A newsroom with a database of its own on the session's log, with a key of each role."""
    made = Newsroom(kafka, mongo)
    async with made.store(), made.following():  # topics stand from here on
        await made.publisher.publish_all(
            [
                key_message(ApiKey(name=f"{role}-key", role=role, secret_sha256=keys.digest(secret), created_at=now()))
                for role, secret in SECRETS.items()
            ]
        )
        yield made


@pytest.fixture
def article_id() -> str:
    return f"a{secrets.token_hex(6)}"


async def test_events_become_revisions_updates_and_outcomes(newsroom: Newsroom, article_id: str) -> None:
    """The way of an event through the store, and what its API says afterwards."""
    first = an_event("published", article_id, create=True)
    second = an_event("updated", article_id, text=a_text("Siege over"), at=minute(1))
    stranger = an_event("amended", f"{article_id}x")
    async with newsroom.store() as client:
        await newsroom.post(first, second, stranger)
        await newsroom.told(first.id, second.id, stranger.id)
        head = await client.get(f"/articles/{article_id}")
        history = await client.get(f"/articles/{article_id}/revisions")
    states = {each.event_id: each.state.value for each in newsroom.outcomes}
    assert [states[each.id] for each in (first, second, stranger)] == ["stored", "stored", "rejected"]
    assert head.json()["article"]["headline"] == "Siege over"
    assert head.headers["etag"] == '"2"'
    assert [each["kind"] for each in history.json()["revisions"]] == ["published", "updated"]
    mine = [each.update.revision for each in newsroom.updates if each.update.article_id == article_id]
    assert mine[-1] == 2
