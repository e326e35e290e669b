"""More bad records in a row than a store takes for an accident, on real Kafka and MongoDB: how it is got
past.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from newsroom import topics
from newsroom.kafka.consumer import TooManyDeadLetters
from newsroom.records import Message
from services.store.__main__ import Store
from tests.running import RunningKafka, RunningMongo
from tests.store_newsroom import Newsroom, until
from tests.store_parts import an_event

pytestmark = pytest.mark.real

BAD = [Message(topics.EVENTS, b"garbage", b"\xff %d" % number) for number in range(120)]


@pytest_asyncio.fixture
async def newsroom(fresh_kafka: Callable[[], RunningKafka], mongo: RunningMongo) -> AsyncIterator[Newsroom]:
    newsroom = Newsroom(fresh_kafka(), mongo)
    async with newsroom.store():
        pass  # topics stand from here on
    async with newsroom.following():
        yield newsroom


async def stops(newsroom: Newsroom) -> None:
    """Run a store until it ends of the bad records."""
    store = Store(newsroom.settings())
    keys = asyncio.create_task(store.keys.run())
    try:
        with pytest.raises(ExceptionGroup) as raised:
            await asyncio.wait_for(store.run(), 60)
        assert raised.group_contains(TooManyDeadLetters, match="NEWSROOM_DEAD_LETTERS_IN_ROW")
    finally:
        await store.stop()
        await keys
        store.close()


async def test_an_operator_gets_past_them_by_a_setting_and_a_replay_by_their_letters(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The setting is needed once: what has a letter is no news to a database that reads the log again."""
    event = an_event("published", "after-the-garbage", create=True)
    await newsroom.publisher.publish_all(BAD)
    await newsroom.post(event)
    for _ in range(2):  # a restart alone helps nobody
        await stops(newsroom)
    with monkeypatch.context() as raised:
        raised.setenv("NEWSROOM_DEAD_LETTERS_IN_ROW", "500")
        async with newsroom.store() as client:
            await newsroom.told(event.id)

            async def all_are_listed() -> bool:
                metrics = (await client.get("/metrics")).text
                return f"newsroom_dead_letters_waiting {len(BAD):.1f}" in metrics

            await until(all_are_listed, "a letter of each")
    async with newsroom.store():
        pass
    async with newsroom.store(f"{newsroom.database}_anew") as client:
        answer = await client.get("/articles/after-the-garbage")
        assert answer.status_code == 200
