"""Closing a consumer that has fetches on their way: nothing stays open, however these end."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer  # type: ignore[import-untyped]

from newsroom.kafka.closing import stopped
from tests.running import RunningKafka

pytestmark = pytest.mark.real


async def a_consumer(kafka: RunningKafka) -> AIOKafkaConsumer:
    """Connected, with a fetch that ends as cancelled when it is cut."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap)
    await consumer.start()
    await consumer._client.force_metadata_update()
    assert any(each.connected() for each in consumer._client._conns.values())
    consumer._fetcher._pending_tasks |= {asyncio.create_task(asyncio.sleep(60)) for _ in range(3)}
    return consumer


async def end(consumer: AIOKafkaConsumer, fetches: set[asyncio.Task[None]]) -> None:
    for fetch in fetches:
        fetch.cancel()
    await asyncio.gather(*fetches, return_exceptions=True)
    await consumer._client.close()


async def test_a_stopped_consumer_has_no_connection_left(kafka: RunningKafka) -> None:
    consumer = await a_consumer(kafka)
    connections = list(consumer._client._conns.values())
    fetches = set(consumer._fetcher._pending_tasks)
    await stopped(consumer)
    assert not any(each.connected() for each in connections)
    assert all(fetch.done() for fetch in fetches)


async def test_who_was_cut_off_before_it_stopped_one_leaves_none_open_either(kafka: RunningKafka) -> None:
    """As in a `finally`."""
    consumer = await a_consumer(kafka)

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await stopped(consumer)

    working = asyncio.create_task(work())
    await asyncio.sleep(0)
    working.cancel()
    await asyncio.wait({working})
    assert not any(each.connected() for each in consumer._client._conns.values())


async def test_the_fault_that_this_is_for_is_still_there(kafka: RunningKafka) -> None:
    """Once it is not, `stopped` can go."""
    consumer = await a_consumer(kafka)
    fetches = set(consumer._fetcher._pending_tasks)
    with pytest.raises(asyncio.CancelledError):
        await consumer.stop()
    assert any(each.connected() for each in consumer._client._conns.values())
    await end(consumer, fetches)


async def test_who_is_cut_off_while_stopping_is_cut_off(kafka: RunningKafka) -> None:
    consumer = await a_consumer(kafka)
    stopping = asyncio.create_task(stopped(consumer))
    await asyncio.sleep(0)
    stopping.cancel()
    await asyncio.wait({stopping})
    assert stopping.cancelled()
    await end(consumer, set(consumer._fetcher._pending_tasks))
