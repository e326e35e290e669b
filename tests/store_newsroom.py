"""Stores as they run, on real Kafka and real MongoDB, driven from within the test's process."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from pydantic import SecretStr

from newsroom import keys, topics
from newsroom.events import Event, event_message
from newsroom.http.app import Health
from newsroom.kafka.producer import KafkaPublisher
from newsroom.kafka.reader import TopicReader
from newsroom.keys import Role
from newsroom.outcomes import EventOutcome, decode_outcome
from newsroom.records import Record
from newsroom.updates import Announcement, decode_update
from services.store.__main__ import Store
from services.store.api import create_api
from services.store.settings import StoreSettings
from tests.running import RunningKafka, RunningMongo

SECRETS = {role: keys.new_secret() for role in Role}


async def until(condition: Callable[[], Awaitable[Any]], what: str, seconds: float = 120.0) -> Any:
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
        app = create_api(
            self.settings(database),
            health,
            store.reading,
            store.rebuilds,
            store.letterbox,
            lambda: store.is_open,
        )
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
        update = decode_update(record)
        if isinstance(update, Announcement):
            self.updates.append(update)

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
