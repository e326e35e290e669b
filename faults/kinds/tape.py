"""Records read from and written to a newsroom's log past its services: as somebody would who has the log's
address, and no manners.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition  # type: ignore[import-untyped]

from faults.stage.patience import until
from newsroom import topics
from newsroom.errors import BadRecord
from newsroom.kafka.closing import stopped
from newsroom.kafka.dead_letters import Parked, decode_letter
from newsroom.kafka.source import to_record
from newsroom.records import Message, Position, Record

MOST_BYTES = 64 * 1024 * 1024
"""No topic takes so much, unless it is compressed."""
_BATCH_BYTES, _LINGER_MS = 4 * 1024 * 1024, 300
"""What is written at once to a partition stands there in one piece, so that it is read in one, too."""
_REQUEST_MS = 10_000


async def write(bootstrap: str, messages: Sequence[Message]) -> list[Position]:
    """Write these in their order, compressed. Raises: KafkaError."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        compression_type="zstd",
        max_request_size=MOST_BYTES,
        max_batch_size=_BATCH_BYTES,
        linger_ms=_LINGER_MS,
        request_timeout_ms=_REQUEST_MS,
    )
    await producer.start()
    try:
        sent = [
            await producer.send(
                message.topic,
                message.value,
                message.key,
                partition=message.partition,
                headers=list(message.headers),
            )
            for message in messages
        ]
        told = await asyncio.gather(*sent)
    finally:
        await producer.stop()
    return [Position(each.topic, each.partition, each.offset) for each in told]


async def read(bootstrap: str, topic: str) -> list[Record]:
    """Everything that a topic holds, in offset order per partition. Raises: KafkaError."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    records: list[Record] = []
    await consumer.start()
    try:
        ends = await consumer.end_offsets(list(consumer.assignment()))
        while not await _has_read(consumer, ends):
            for found in (await consumer.getmany(timeout_ms=200)).values():
                records += map(to_record, found)
    finally:
        await stopped(consumer)
    return records


async def lettered(bootstrap: str, places: Collection[Position]) -> None:
    """Wait until the record at each of these places has its dead letter. Raises: TimeoutError."""

    async def have_letters() -> bool:
        return set(places) <= await _letter_places(bootstrap)

    await until(have_letters, f"dead letters of {len(places)} bad records")


async def _letter_places(bootstrap: str) -> set[Position]:
    places = set()
    for record in await read(bootstrap, topics.DEAD_LETTERS):
        try:
            told = decode_letter(record)
        except BadRecord:
            continue
        if isinstance(told, Parked):
            places.add(Position(told.record.topic, told.record.partition, told.record.offset))
    return places


async def _has_read(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> bool:
    return all([await consumer.position(place) >= end for place, end in ends.items()])
