"""The cluster itself: its topics as DESIGN §3 has them, its id, and where each partition ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer  # type: ignore[import-untyped]
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic  # type: ignore[import-untyped]
from aiokafka.admin.config_resource import (  # type: ignore[import-untyped]
    ConfigResource,
    ConfigResourceType,
)
from aiokafka.errors import (  # type: ignore[import-untyped]
    InvalidReplicationFactorError,
    KafkaError,
    TopicAlreadyExistsError,
    for_code,
)
from aiokafka.partitioner import murmur2  # type: ignore[import-untyped]

from newsroom import topics
from newsroom.errors import Away, Misconfigured
from newsroom.kafka.closing import closed_within, stopped
from newsroom.kafka.connecting import arguments, refusal
from newsroom.records import TopicPartition
from newsroom.servers import Bootstrap

REQUEST_SECONDS = 10.0
_CLOSE_SECONDS = 2.0
_AT_LEAST = frozenset({"max.message.bytes", "min.insync.replicas"})
"""Settings that may be larger than ours; all others must be equal."""


def partition_for(key: bytes, partitions: int) -> int:
    """The partition of a key, as every Kafka client's default has it (murmur2)."""
    return int(murmur2(key) & 0x7FFFFFFF) % partitions


async def cluster_id(bootstrap: Bootstrap) -> str:
    """The id that the cluster was given when its storage was formatted. Raises: Away."""
    async with _admin(bootstrap) as admin:
        return str((await admin.describe_cluster())["cluster_id"])


async def end_offsets(bootstrap: Bootstrap, topic: str) -> dict[TopicPartition, int]:
    """The next offset to be written, of each partition. Raises: Away."""
    async with EndOffsets(bootstrap, topic) as ends:
        return await ends.ask()


async def committed_offsets(bootstrap: Bootstrap, group: str, topic: str) -> dict[int, int]:
    """What a group has committed of a topic: the next offset of each such partition. Raises: Away."""
    async with _admin(bootstrap) as admin:
        found = await admin.list_consumer_group_offsets(group)
    committed = {place.partition: at.offset for place, at in found.items() if place.topic == topic}
    return {partition: offset for partition, offset in committed.items() if offset >= 0}


async def group_lags(bootstrap: Bootstrap) -> dict[str, int]:
    """Of each consumer group, how many records it has still to read where it has committed. Raises: Away."""
    async with _admin(bootstrap) as admin:
        groups = [group for group, *_ in await admin.list_consumer_groups()]
        committed = {group: await admin.list_consumer_group_offsets(group) for group in groups}
    names = {place.topic for places in committed.values() for place in places}
    ends = {place: end for name in names for place, end in (await end_offsets(bootstrap, name)).items()}
    return {
        group: sum(
            max(0, ends[TopicPartition(place.topic, place.partition)] - at.offset)
            for place, at in places.items()
            if at.offset >= 0
        )
        for group, places in committed.items()
    }


async def groups(bootstrap: Bootstrap) -> set[str]:
    """The names of all consumer groups that the cluster knows. Raises: Away."""
    async with _admin(bootstrap) as admin:
        return {str(group) for group, *_ in await admin.list_consumer_groups()}


async def missing_topics(bootstrap: Bootstrap) -> list[str]:
    """Names of our topics that are not there. Raises: Away."""
    names = [spec.name for spec in topics.ALL]
    async with _admin(bootstrap) as admin:
        there = await _partition_counts(admin, names)
    return [name for name in names if name not in there]


async def ensure_topics(
    bootstrap: Bootstrap, *, replication: int, min_insync: int, specs: Iterable[topics.TopicSpec] = topics.ALL
) -> None:
    """Create the topics that are missing, then check all of them. Several processes may do so at once.

    Raises: Misconfigured, in one line, when a topic stands with other partitions or is kept otherwise; Away.
    """
    wanted = {spec.name: spec for spec in specs}
    if min_insync > replication:
        raise Misconfigured(
            f"NEWSROOM_MIN_INSYNC={min_insync} asks for more copies than "
            f"NEWSROOM_REPLICATION={replication} makes"
        )
    settings = {
        name: spec.settings(replication=replication, min_insync=min_insync) for name, spec in wanted.items()
    }
    async with _admin(bootstrap) as admin:
        missing = [
            spec for name, spec in wanted.items() if name not in await _partition_counts(admin, wanted)
        ]
        if missing:
            await _create(admin, missing, replication, settings)
        counts = await _await_topics(admin, wanted)
        standing = await _settings(admin, wanted)
        for name, spec in wanted.items():
            _compare(spec, counts[name], standing[name], settings[name])


async def _create(
    admin: AIOKafkaAdminClient,
    missing: Iterable[topics.TopicSpec],
    replication: int,
    settings: Mapping[str, dict[str, str]],
) -> None:
    response = await admin.create_topics(
        [
            NewTopic(spec.name, spec.partitions, replication, topic_configs=settings[spec.name])
            for spec in missing
        ]
    )
    for name, code, *message in response.topic_errors:
        error = for_code(code)
        if error is InvalidReplicationFactorError:
            raise Misconfigured(
                f"topic {name} cannot have {replication} copies on this cluster: start more brokers or set "
                f"NEWSROOM_REPLICATION lower ({message[0] if message else error.__name__})"
            )
        if code != 0 and error is not TopicAlreadyExistsError:
            raise Away("kafka", f"topic {name} was not created: {error.__name__} {message}")


async def _partition_counts(admin: AIOKafkaAdminClient, names: Iterable[str]) -> dict[str, int]:
    described = await admin.describe_topics(list(names))
    return {topic["topic"]: len(topic["partitions"]) for topic in described if topic["error_code"] == 0}


async def _await_topics(admin: AIOKafkaAdminClient, names: Iterable[str]) -> dict[str, int]:
    """Partition counts once every topic is known to the broker that answers: creation reaches brokers in
    time.
    """
    while True:
        counts = await _partition_counts(admin, names)
        if all(name in counts for name in names):
            return counts
        await asyncio.sleep(0.05)


async def _settings(admin: AIOKafkaAdminClient, names: Iterable[str]) -> dict[str, dict[str, str]]:
    responses = await admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    )
    return {
        name: {entry[0]: entry[1] for entry in entries}
        for response in responses
        for _code, _message, _type, name, entries in response.resources
    }


def _compare(
    spec: topics.TopicSpec, partitions: int, standing: dict[str, str], wanted: dict[str, str]
) -> None:
    if partitions != spec.partitions:
        raise Misconfigured(
            f"topic {spec.name} has {partitions} partitions, not {spec.partitions}: a change would break the "
            "order of its records, so use another cluster, or copy the records to a new topic of this name"
        )
    differing = {name: value for name, value in wanted.items() if not _fits(name, standing.get(name), value)}
    if differing:
        told = ", ".join(f"{name} is {standing.get(name)}, not {value}" for name, value in differing.items())
        change = ",".join(f"{name}={value}" for name, value in differing.items())
        raise Misconfigured(
            f"topic {spec.name} is kept otherwise: {told}; set it with kafka-configs.sh --alter "
            f"--entity-type topics --entity-name {spec.name} --add-config {change}"
        )


def _fits(name: str, standing: str | None, wanted: str) -> bool:
    if standing is None:
        return False
    return int(standing) >= int(wanted) if name in _AT_LEAST else standing == wanted


class EndOffsets:
    """A connection that only asks where a topic ends.

    One of its own, because a broker answers a connection's requests one after another: behind a consumer's
    waiting fetch the question would wait as long as the fetch does.
    """

    def __init__(self, bootstrap: Bootstrap, topic: str) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._client: AIOKafkaConsumer | None = None
        self._partitions: list[KafkaPartition] = []

    async def __aenter__(self) -> EndOffsets:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def ask(self) -> dict[TopicPartition, int]:
        """The ends as they are now. Raises: Away."""
        try:
            async with _answering():
                if self._client is None:
                    self._client = await self._open()
                ends = await self._client.end_offsets(self._partitions)
        except Away:
            await self.close()
            raise
        return {TopicPartition(where.topic, where.partition): end for where, end in ends.items()}

    async def _open(self) -> AIOKafkaConsumer:
        client = AIOKafkaConsumer(
            self._topic,
            **arguments(self._bootstrap),
            enable_auto_commit=False,
            auto_offset_reset="none",
            request_timeout_ms=int(REQUEST_SECONDS * 1000),
        )
        try:
            await client.start()
        except BaseException:
            await closed_within(stopped(client), _CLOSE_SECONDS, "end offsets")
            raise
        self._partitions = list(client.assignment())
        client.pause(*self._partitions)
        return client

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await closed_within(stopped(client), _CLOSE_SECONDS, "end offsets")


@asynccontextmanager
async def _admin(bootstrap: Bootstrap) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**arguments(bootstrap), request_timeout_ms=int(REQUEST_SECONDS * 1000))
    try:
        await _start(admin, bootstrap)
        async with _answering():
            yield admin
    finally:
        await closed_within(admin.close(), _CLOSE_SECONDS, "admin client")


async def _start(admin: AIOKafkaAdminClient, bootstrap: Bootstrap) -> None:
    """Raises: Away, or Misconfigured where somebody answers and does not let us in."""
    try:
        async with _answering():
            await admin.start()
    except Away as error:
        if (why := await refusal(bootstrap)) is not None:
            raise Misconfigured(why) from error
        raise


@asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    """What fails or takes too long is away."""
    try:
        async with asyncio.timeout(REQUEST_SECONDS * 2):
            yield
    except (KafkaError, OSError, TimeoutError) as error:
        raise Away("kafka", str(error) or type(error).__name__) from error
