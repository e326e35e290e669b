"""Due events on real Kafka and real MongoDB: one effect, with two stores and after an absence."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import httpx
import pytest

from newsroom.events import Event, EventKind, Released, event_message
from newsroom.ids import due_event_id
from newsroom.keys import Role
from newsroom.outcomes import EventState
from newsroom.times import now, rfc3339
from services.store import __main__ as store_process
from services.store.scheduler import Scheduler
from tests.due_parts import sent
from tests.store_newsroom import Newsroom, authorized, until
from tests.store_parts import an_event

pytestmark = pytest.mark.real


async def is_public(client: httpx.AsyncClient, article_id: str) -> bool:
    return (await client.get(f"/articles/{article_id}")).status_code == 200


async def history(client: httpx.AsyncClient, article_id: str) -> list[str]:
    answer = await client.get(f"/articles/{article_id}/revisions", headers=authorized(Role.REPORTER))
    return [each["kind"] for each in answer.json()["revisions"]]


def scheduled(article_id: str, seconds: float) -> tuple[Event, str]:
    """A publication for in so many seconds; the id of the event that will release it."""
    at = now() + timedelta(seconds=seconds)
    event = sent("published", article_id, at=now(), create=True, publish_at=at)
    return event, due_event_id(article_id, "released", 1, rfc3339(at))


async def test_articles_are_released_once_while_stores_come_and_go(
    newsroom: Newsroom, article_id: str
) -> None:
    """Each by one event with one end, whoever owned its partition when it fell due."""
    orders = [scheduled(f"{article_id}{number}", 2 + number / 4) for number in range(8)]
    async with newsroom.store() as client:
        await newsroom.post(*(event for event, _ in orders))
        async with newsroom.store():
            await newsroom.told(*(event.id for event, _ in orders))
            await newsroom.told(*(due_id for _, due_id in orders[:4]))
        await newsroom.told(*(due_id for _, due_id in orders))
        for event, _ in orders:
            assert await is_public(client, event.article_id)
            assert await history(client, event.article_id) == ["published", "released"]
    due_ids = {due_id for _, due_id in orders}
    ends = {
        (each.event_id, each.state, each.revision) for each in newsroom.outcomes if each.event_id in due_ids
    }
    assert ends == {(due_id, EventState.STORED, 2) for due_id in due_ids}


async def test_a_second_writer_of_a_due_event_has_no_effect(newsroom: Newsroom, article_id: str) -> None:
    """As when two instances both believe to own the partition."""
    event, due_id = scheduled(article_id, 1)
    at = event.data.dues.publish_at.at  # type: ignore[union-attr]
    assert at is not None
    rival = an_event(
        EventKind.RELEASED, article_id, data=Released(set_by=1, due_at=at), at=at, event_id=due_id
    )
    last = sent("updated", article_id, at=at + timedelta(seconds=1))
    async with newsroom.store() as client:
        await newsroom.post(event)
        await newsroom.told(due_id)
        await newsroom.publisher.publish_all([event_message(each) for each in (rival, rival, last)])
        await newsroom.told(last.id)
        assert await history(client, article_id) == ["published", "released", "updated"]
    assert {each.revision for each in newsroom.outcomes if each.event_id == due_id} == {2}


async def test_what_fell_due_while_no_store_ran_is_released_at_the_start(
    resting: Newsroom, article_id: str
) -> None:
    due_at = now() - timedelta(seconds=5)
    await resting.post(
        sent("published", article_id, at=due_at - timedelta(hours=1), create=True, publish_at=due_at)
    )
    started = now()
    async with resting.store() as client:
        await resting.told(due_event_id(article_id, "released", 1, rfc3339(due_at)))
        assert await history(client, article_id) == ["published", "released"]
        shown = (await client.get(f"/articles/{article_id}")).json()
    assert shown["published_at"] >= rfc3339(started)


async def test_a_database_that_is_made_anew_releases_nothing_twice(
    resting: Newsroom, article_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log has the due events of old; what waits still, waits on in the new database."""
    done, done_id = scheduled(f"{article_id}a", 0.5)
    waits, waits_id = scheduled(f"{article_id}b", 3600)
    async with resting.store():
        await resting.post(done, waits)
        await resting.told(done_id)
    resting.outcomes.clear()
    an_hour_later = partial(Scheduler, clock=lambda: now() + timedelta(hours=1))
    monkeypatch.setattr(store_process, "Scheduler", an_hour_later)
    async with resting.store(f"{resting.database}_new") as client:
        assert await history(client, done.article_id) == ["published", "released"]
        await resting.told(waits_id)
        assert await history(client, waits.article_id) == ["published", "released"]
    assert done_id not in {each.event_id for each in resting.outcomes}


async def test_a_database_that_is_away_when_something_falls_due_delays_it_only(
    newsroom: Newsroom, article_id: str
) -> None:
    event, due_id = scheduled(article_id, 2)
    due_at = now() + timedelta(seconds=2)

    async def is_past() -> bool:
        return now() > due_at

    async with newsroom.store() as client:
        await newsroom.post(event)
        await newsroom.told(event.id)
        with newsroom.mongo.away():
            await until(is_past, "the due time")
        await newsroom.told(due_id)
        await until(lambda: is_public(client, article_id), "the release")
        assert await history(client, article_id) == ["published", "released"]
