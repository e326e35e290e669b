"""The way onto the log: every record the newsroom writes goes through a `Publisher`.

`KafkaPublisher` is the real one; `newsroom.kafka.fake.FakePublisher` stands beside it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol

import structlog
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]
from aiokafka.errors import (  # type: ignore[import-untyped]
    KafkaError,
    MessageSizeTooLargeError,
    ProducerClosed,
    RecordListTooLargeError,
)
from prometheus_client import Counter, Histogram

from newsroom.errors import Away, Invalid
from newsroom.kafka.closing import close_later, closed_within
from newsroom.kafka.connecting import arguments
from newsroom.records import Message, Position
from newsroom.servers import Bootstrap
from newsroom.telemetry import metrics
from newsroom.topics import DEAD_LETTERS, MAX_RECORD_BYTES

log = structlog.get_logger(__name__)

LETTER_ROOM_BYTES = 32 * 1024
"""What a dead letter may be larger than the record it keeps, for the headers that say where and why."""

_BATCH_BYTES = 1024 * 1024
_CLOSE_SECONDS = 3.0
_REACHABLE_SECONDS = 1.0
_TIMEOUTS_UNTIL_REPLACED = 3


class Publisher(Protocol):
    """Writes records and tells where they stand, once all in-sync replicas have them."""

    async def publish(self, message: Message) -> Position:
        """Write one record.

        Raises: Away when the log does not acknowledge in time (the record may still arrive: whoever reads
        drops duplicates by id); Invalid when the record is larger than any topic takes.
        """
        ...

    async def publish_all(self, messages: Sequence[Message]) -> list[Position]:
        """Write several at once, in the order given per partition; positions in the order of the messages.

        Raises: as `publish`. Some of the records may have been written then.
        """
        ...


def check(message: Message) -> None:
    """Raises: Invalid when the record has neither key nor value, or is larger than any topic takes."""
    if message.key is None and message.value is None:
        raise Invalid(f"a record for {message.topic} has neither key nor value")
    size = (
        len(message.key or b"")
        + len(message.value or b"")
        + sum(len(name) + len(value) for name, value in message.headers)
    )
    limit = MAX_RECORD_BYTES + (LETTER_ROOM_BYTES if message.topic == DEAD_LETTERS else 0)
    if size > limit:
        raise Invalid(f"a record for {message.topic} has {size} bytes; the largest may have {limit}")


class KafkaPublisher:
    """Writes to Kafka with `acks=all`, without linger, compressed with zstd.

    No idempotent producer: with the broker away it may hang for ever, and event ids make duplicates
    harmless. zstd, because events are kept for ever and lz4 is slower here (aiokafka runs it at level 9:
    100 ms for 1 MiB, zstd 6). A broker that is away means `Away` within `timeout_seconds`; when it is back
    the next call succeeds.
    """

    def __init__(self, bootstrap: Bootstrap, *, client_id: str, timeout_seconds: float = 10.0) -> None:
        self._bootstrap = bootstrap
        self._client_id = client_id
        self._timeout_seconds = timeout_seconds
        self._producer: AIOKafkaProducer | None = None
        self._connecting = asyncio.Lock()
        self._timeouts = 0

    async def start(self) -> None:
        """Connect. Raises: Away; publishing connects by itself later, so that need not be the end."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._connected()
        except (KafkaError, OSError, TimeoutError) as error:
            raise _away(error) from error

    async def stop(self) -> None:
        """Let what is on its way arrive, then disconnect; bounded."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await closed_within(producer.stop(), _CLOSE_SECONDS, self._client_id)

    async def is_reachable(self) -> bool:
        """Whether a broker answers now, within a second."""
        try:
            async with asyncio.timeout(_REACHABLE_SECONDS):
                producer = await self._connected()
                return bool(await producer.client.force_metadata_update())
        except (KafkaError, OSError, TimeoutError):
            return False

    async def publish(self, message: Message) -> Position:
        return (await self.publish_all([message]))[0]

    async def publish_all(self, messages: Sequence[Message]) -> list[Position]:
        for message in messages:
            check(message)
        begun = time.monotonic()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                positions = await self._write(await self._connected(), messages)
        except (MessageSizeTooLargeError, RecordListTooLargeError) as error:
            raise Invalid(f"the log refuses a record as too large: {error}") from error
        except (KafkaError, OSError, TimeoutError) as error:
            self._judge(error)
            raise _away(error) from error
        self._timeouts = 0
        _count(messages, time.monotonic() - begun)
        return positions

    async def _write(self, producer: AIOKafkaProducer, messages: Sequence[Message]) -> list[Position]:
        """Hand all over in order (which awaits no acknowledgement), then await the acknowledgements
        together.
        """
        acknowledgements: list[asyncio.Future[Any]] = []
        try:
            for message in messages:
                sent = await producer.send(
                    message.topic,
                    message.value,
                    message.key,
                    partition=message.partition,
                    headers=list(message.headers),
                )
                acknowledgements.append(sent)
        except BaseException:
            for sent in acknowledgements:
                sent.cancel()  # nobody awaits it any more; the record itself may still arrive
            raise
        results = await _results(acknowledgements)
        return [Position(result.topic, result.partition, result.offset) for result in results]

    async def _connected(self) -> AIOKafkaProducer:
        if self._producer is not None:
            return self._producer
        async with self._connecting:
            if self._producer is None:
                self._producer = await self._open()
            return self._producer

    async def _open(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **arguments(self._bootstrap),
            client_id=self._client_id,
            acks="all",
            enable_idempotence=False,
            linger_ms=0,
            compression_type="zstd",
            max_batch_size=_BATCH_BYTES,
            max_request_size=MAX_RECORD_BYTES + 2 * LETTER_ROOM_BYTES,
            # Also the lifetime of a batch: it must fail by itself before our own deadline, also behind
            # another one.
            request_timeout_ms=int(self._timeout_seconds * 400),
        )
        try:
            await producer.start()
        except BaseException:
            await closed_within(producer.stop(), _CLOSE_SECONDS, self._client_id)
            raise
        return producer

    def _judge(self, error: Exception) -> None:
        """Replace a producer that is broken for good: its sender died, or nothing resolves any more."""
        self._timeouts = self._timeouts + 1 if isinstance(error, TimeoutError) else 0
        is_broken = type(error) is KafkaError or isinstance(error, ProducerClosed)
        if self._producer is not None and (is_broken or self._timeouts >= _TIMEOUTS_UNTIL_REPLACED):
            log.warning("kafka.producer_replaced", reason=str(error) or type(error).__name__)
            self._timeouts = 0
            producer, self._producer = self._producer, None
            close_later(producer.stop(), self._client_id)


async def _results(acknowledgements: Sequence[asyncio.Future[Any]]) -> Sequence[Any]:
    """What they tell, once all have come. Raises: the first failure."""
    if len(acknowledgements) == 1:
        return [await acknowledgements[0]]
    results = await asyncio.gather(*acknowledgements, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


@cache
def _measures(topic: str) -> tuple[Histogram, Counter]:
    return metrics.produce_seconds.labels(topic), metrics.records_produced.labels(topic)


def _count(messages: Sequence[Message], seconds: float) -> None:
    """They were acknowledged in that time."""
    for topic in {message.topic for message in messages}:
        _measures(topic)[0].observe(seconds)
    for message in messages:
        _measures(message.topic)[1].inc()


def _away(error: Exception) -> Away:
    return Away("kafka", str(error) or type(error).__name__)
