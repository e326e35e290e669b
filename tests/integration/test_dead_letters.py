"""Dead letters on real Kafka and MongoDB: from bad bytes to what a publisher makes of them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from newsroom import topics
from newsroom.errors import BadRecord
from newsroom.events import Event, decode_event, event_message
from newsroom.ids import new_event_id
from newsroom.keys import Role
from newsroom.records import Message, Record
from services.store import __main__ as process
from tests.store_newsroom import Newsroom, authorized, until
from tests.store_parts import an_event

pytestmark = pytest.mark.real


async def the_letter(
    client: httpx.AsyncClient, event_id: str, *, attempts: int, state: str = "waiting"
) -> Any:
    """The letter of that event once it stands so."""

    async def stands() -> Any:
        answer = await client.get("/dead-letters?limit=100", headers=authorized(Role.PUBLISHER))
        answer.raise_for_status()
        wanted = (event_id, attempts, state)
        for each in answer.json()["dead_letters"]:
            if (each.get("event_id"), each["attempts"], each["state"]) == wanted:
                return each
        return None

    return await until(stands, f"letter of {event_id}, {state}, {attempts} attempts")


async def test_bad_bytes_are_listed_shown_retried_and_dropped(newsroom: Newsroom, article_id: str) -> None:
    """Also by a store with an empty database, which reads the topic again."""
    event_id = new_event_id()
    headers = (("ce_id", event_id.encode()), ("ce_subject", article_id.encode()))
    bad = Message(topics.EVENTS, article_id.encode(), b"\xff no json", headers)
    publisher = authorized(Role.PUBLISHER)
    async with newsroom.store() as client:
        await newsroom.publisher.publish(bad)
        letter = await the_letter(client, event_id, attempts=1)
        shown = (await client.get(f"/dead-letters/{letter['id']}", headers=publisher)).json()
        assert shown["value"] == {"base64": "/yBubyBqc29u"}
        assert shown["article_id"] == article_id
        retried = await client.post(f"/dead-letters/{letter['id']}/retry", headers=publisher)
        assert retried.status_code == 200
        again = await the_letter(client, event_id, attempts=2)
        assert again["id"] == letter["id"]
        assert again["offset"] > letter["offset"]
        dropped = await client.delete(f"/dead-letters/{letter['id']}", headers=publisher)
        assert dropped.json()["state"] == "dropped"
    async with newsroom.store(f"{newsroom.database}_anew") as client:
        anew = await the_letter(client, event_id, attempts=2, state="dropped")
        parked_again = {"time": "", "offset": 0}  # a replay parks both of its records, one after the other
        assert anew | parked_again == dropped.json() | parked_again


async def test_what_a_mended_version_can_read_has_its_effect_once(
    resting: Newsroom, article_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version that does not know the kind parks it; the next one takes it, however often it is retried."""
    event = an_event("published", article_id, create=True)
    publisher = authorized(Role.PUBLISHER)

    def of_an_older_version(record: Record) -> Event:
        if record.header("ce_id") == event.id:
            raise BadRecord("an unknown kind of event")
        return decode_event(record)

    with monkeypatch.context() as older:
        older.setattr(process, "decode_event", of_an_older_version)
        async with resting.store() as client:
            await resting.publisher.publish(event_message(event))
            letter = await the_letter(client, event.id, attempts=1)
            assert (await client.get(f"/articles/{article_id}")).status_code == 404
    async with resting.store() as client:
        for _ in range(2):
            answer = await client.post(f"/dead-letters/{letter['id']}/retry", headers=publisher)
            assert answer.json()["state"] == "retried"
        await resting.publisher.publish(event_message(event))  # as an instance that wrote it as well

        async def is_stored() -> bool:
            status = await client.get(f"/events/{event.id}", headers=publisher)
            return bool(status.json()["state"] == "stored")

        await until(is_stored, "the event is stored")
        follower = an_event("amended", article_id)
        await resting.post(follower)
        await resting.told(follower.id)
        history = (await client.get(f"/articles/{article_id}/revisions", headers=publisher)).json()
        assert [each["event_id"] for each in history["revisions"]] == [event.id, follower.id]
        assert (await the_letter(client, event.id, attempts=1, state="retried"))["id"] == letter["id"]
