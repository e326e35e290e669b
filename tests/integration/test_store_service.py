"""The store on real Kafka and real MongoDB: filing, who may start, replay, rebuilds, outages."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from desk.parts.ports import free_ports
from newsroom import topics
from newsroom.keys import Role
from newsroom.outcomes import Rendering, rendering_message
from newsroom.records import Message
from newsroom.times import now
from services.store.__main__ import Store
from tests.running import RunningMongo
from tests.store_newsroom import Newsroom, authorized, until
from tests.store_parts import a_text, an_event, minute

pytestmark = pytest.mark.real
ROOT = Path(__file__).parent.parent.parent


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
