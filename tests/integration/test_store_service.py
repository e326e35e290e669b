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

from desk.parts.ports import free_ports
from newsroom import keys, topics
from newsroom.events import Event, event_message
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
        app = create_api(
            self.settings(database), health, store.reading, store.rebuilds, lambda: store.is_open
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
                key_message(
                    ApiKey(name=f"{role}-key", role=role, secret_sha256=keys.digest(secret), created_at=now())
                )
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


async def test_two_stores_of_one_group_file_everything_once(newsroom: Newsroom, article_id: str) -> None:
    """They come and go while events arrive; every event has one end, every article one history."""
    articles = [f"{article_id}{letter}" for letter in "abcdefgh"]
    sent = [an_event("published", each, create=True) for each in articles]
    async with newsroom.store():
        await newsroom.post(*sent)
        async with newsroom.store() as client:
            more = [an_event("updated", each, at=minute(m)) for m in range(1, 6) for each in articles]
            await newsroom.post(*more)
            await newsroom.told(*(event.id for event in sent))
        await newsroom.post(*sent, *more)
        last = [an_event("corrected", each, at=minute(9)) for each in articles]
        await newsroom.post(*last)
        await newsroom.told(*(event.id for event in (*sent, *more, *last)))
        histories = [(await client_get(newsroom, f"/articles/{each}/revisions")) for each in articles[:1]]
    assert client.is_closed
    assert [each["revision"] for each in histories[0]["revisions"]] == list(range(1, 8))
    ends = {(each.event_id, each.state, each.revision) for each in newsroom.outcomes}
    assert len(ends) == len({each.event_id for each in newsroom.outcomes})
    newest = {each.update.article_id: each.update.revision for each in newsroom.updates}
    assert {newest[each] for each in articles} == {7}


async def client_get(newsroom: Newsroom, path: str) -> Any:
    async with newsroom.store() as client:
        return (await client.get(path)).json()


async def test_an_empty_database_replays_silently_and_announces_what_stands(
    newsroom: Newsroom, article_id: str
) -> None:
    """No outcome, no passing text; afterwards the new database knows the same as the old one."""
    events = [
        an_event("published", article_id, create=True, text=a_text("Once public")),
        an_event("withdrawn", article_id, at=minute(1)),
        an_event("published", f"{article_id}p", create=True),
        an_event("updated", f"{article_id}p", at=minute(1), text=a_text("As it stands")),
        an_event("updated", f"{article_id}x"),
    ]
    await newsroom.post(*events)
    async with newsroom.store():
        await newsroom.told(*(event.id for event in events))
    newsroom.updates.clear()
    newsroom.outcomes.clear()
    async with newsroom.store(f"{newsroom.database}_new") as client:
        rejected = await client.get(f"/events/{events[4].id}", headers=authorized(Role.READER))
        head = await client.get(f"/articles/{article_id}p")
        withdrawn = await client.get(f"/articles/{article_id}")
    mine = [each for each in newsroom.updates if each.update.article_id.startswith(article_id)]
    assert {(each.update.article_id, each.update.revision, each.again) for each in mine} == {
        (article_id, 2, True), (f"{article_id}p", 2, True)
    }  # fmt: skip
    assert all(each.again for each in newsroom.updates)
    assert newsroom.outcomes == []
    assert rejected.json()["code"] == "unknown_article"
    assert head.json()["article"]["headline"] == "As it stands"
    assert withdrawn.status_code == 404


async def test_a_rebuild_announces_every_head_again(newsroom: Newsroom, article_id: str) -> None:
    event = an_event("published", article_id, create=True)
    async with newsroom.store() as client:
        await newsroom.post(event)
        await newsroom.told(event.id)
        asked = await client.post("/republications", json={"all": True}, headers=authorized(Role.PUBLISHER))
        assert asked.status_code == 202, asked.text
        location = asked.headers["location"]

        async def is_done() -> bool:
            told = await client.get(location, headers=authorized(Role.PUBLISHER))
            return bool(told.json()["state"] == "done")

        await until(is_done, "the rebuild is done")

        async def announced_again() -> bool:
            return any(each.again and each.update.article_id == article_id for each in newsroom.updates)

        await until(announced_again, "the announcement")


async def test_what_render_told_is_kept(newsroom: Newsroom, article_id: str) -> None:
    """The event is *rendered* in the store's answer too, for ever."""
    event = an_event("published", article_id, create=True)
    async with newsroom.store() as client:
        await newsroom.post(event)
        await newsroom.told(event.id)
        rendering = Rendering(article_id=article_id, revision=1, path="/here/", times={"rendered": now()})
        await newsroom.publisher.publish(rendering_message(rendering, now(), None))

        async def is_rendered() -> bool:
            answer = await client.get(f"/events/{event.id}", headers=authorized(Role.READER))
            return bool(answer.json().get("state") == "rendered")

        await until(is_rendered, "rendered")


async def test_bytes_that_are_no_event_do_not_stop_the_store(newsroom: Newsroom, article_id: str) -> None:
    event = an_event("published", article_id, create=True)
    async with newsroom.store():
        await newsroom.publisher.publish(Message(topics.EVENTS, article_id.encode(), b"\x00no event", ()))
        await newsroom.post(event)
        await newsroom.told(event.id)


async def test_a_database_that_is_away_pauses_the_store_and_it_heals(
    newsroom: Newsroom, mongo: RunningMongo, article_id: str
) -> None:
    """The API says so, nothing is dead-lettered, and what was posted meanwhile is filed."""
    first, second = (
        an_event("published", article_id, create=True),
        an_event("updated", article_id, at=minute(1)),
    )
    async with newsroom.store() as client:
        await newsroom.post(first)
        await newsroom.told(first.id)
        with mongo.away():
            await newsroom.post(second)
            answer = await client.get(f"/articles/{article_id}")
            ready = await client.get("/health/ready")
            live = await client.get("/health/live")
        assert (answer.status_code, ready.status_code, live.status_code) == (503, 503, 200)
        assert answer.headers["content-type"] == "application/problem+json"
        assert "retry-after" in answer.headers
        await newsroom.told(second.id)
    assert {each.state.value for each in newsroom.outcomes} == {"stored"}


# --- who may start


def start(newsroom: Newsroom, **environment: str) -> tuple[int, list[str]]:
    """Start the service as a process that should refuse; its exit code and what it said, logs left out."""
    process = subprocess.run(
        [sys.executable, "-m", "services.store"],
        env={
            **os.environ,
            "PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}",
            "NEWSROOM_KAFKA": newsroom.kafka.bootstrap,
            "NEWSROOM_MONGO": newsroom.mongo.url,
            "NEWSROOM_STORE_DATABASE": newsroom.database,
            "NEWSROOM_STORE_PORT": str(free_ports(1)[0]),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = [line for line in process.stderr.splitlines() if not line.startswith("{")]
    return process.returncode, said


def refusal(newsroom: Newsroom, **environment: str) -> str:
    code, said = start(newsroom, **environment)
    assert code == 2, said
    assert len(said) == 1, said
    assert said[0].startswith("newsroom: ")
    return said[0]


async def change_identity(newsroom: Newsroom, change: dict[str, Any]) -> None:
    store = Store(newsroom.settings())
    await store.mongo[newsroom.database]["identity"].update_one({}, {"$set": change})
    store.close()


async def test_a_database_of_another_log_is_refused(newsroom: Newsroom) -> None:
    async with newsroom.store():
        pass
    await change_identity(newsroom, {"cluster_id": "anotherlog"})
    line = await asyncio.to_thread(refusal, newsroom)
    assert "anotherlog" in line
    assert "NEWSROOM_STORE_DATABASE" in line


async def test_a_database_that_is_ahead_of_its_log_is_refused(newsroom: Newsroom, article_id: str) -> None:
    event = an_event("published", article_id, create=True)
    async with newsroom.store():
        await newsroom.post(event)
        await newsroom.told(event.id)
    store = Store(newsroom.settings())
    await store.mongo[newsroom.database]["heads"].update_one({}, {"$set": {"offset": 10**9}})
    store.close()
    assert str(10**9) in await asyncio.to_thread(refusal, newsroom)


async def test_settings_that_cannot_be_used_are_refused(newsroom: Newsroom) -> None:
    line = await asyncio.to_thread(lambda: refusal(newsroom, NEWSROOM_STORE_DATABASE="a b"))
    assert "NEWSROOM_STORE_DATABASE" in line
