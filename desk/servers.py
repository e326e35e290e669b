"""Kafka and MongoDB as `up` and `doctor` ask them: are they there, are they what the newsroom needs?"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from pymongo import MongoClient
from pymongo.errors import ConfigurationError, InvalidURI, PyMongoError
from pymongo.uri_parser import parse_uri

from newsroom import topics
from newsroom.errors import Away, Misconfigured
from newsroom.kafka import cluster
from newsroom.mongo import refusal, tls_options
from newsroom.servers import NO_FILES, Bootstrap, Tls

T = TypeVar("T")
ANSWER_SECONDS = 8.0
TOPICS_SECONDS = 60.0
_LOOK_SECONDS = 0.1
_SELECTION_MS = 3000


def kafka_cluster(bootstrap: Bootstrap, meanwhile: Callable[[], None] = lambda: None) -> str:
    """The id of the cluster there. Raises: Misconfigured when it does not answer; what `meanwhile` raises."""
    try:
        return _run(cluster.cluster_id(bootstrap), meanwhile=meanwhile)
    except Away as error:
        raise Misconfigured(f"no Kafka answers at {bootstrap} (NEWSROOM_KAFKA): {_cause(error)}") from error


def prepare_topics(
    bootstrap: Bootstrap, *, replication: int, min_insync: int, meanwhile: Callable[[], None] = lambda: None
) -> int:
    """Create what is missing of the topics and check all; how many there are.

    Raises: Misconfigured when one stands otherwise than it must or Kafka does not answer; what `meanwhile`
    raises.
    """
    making = cluster.ensure_topics(bootstrap, replication=replication, min_insync=min_insync)
    try:
        _run(making, seconds=TOPICS_SECONDS, meanwhile=meanwhile)
    except Away as error:
        raise Misconfigured(f"the topics cannot be made at {bootstrap}: {_cause(error)}") from error
    return len(topics.ALL)


def missing_topics(bootstrap: Bootstrap) -> list[str]:
    """Topics of ours that are not there. Raises: Away."""
    return _run(cluster.missing_topics(bootstrap))


def group_lags(bootstrap: Bootstrap) -> dict[str, int]:
    """Of each consumer group, how many records it still has to read. Raises: Away."""
    return _run(cluster.group_lags(bootstrap))


def mongo_server(url: str, tls: Tls = NO_FILES) -> str:
    """What answers there: version and replica set. Raises: Misconfigured when it is none that will do."""
    try:
        options = tls_options(tls)
        with MongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=_SELECTION_MS, **options) as client:
            hello = client.admin.command("hello")
            version = client.server_info()["version"]
    except (InvalidURI, ConfigurationError, ValueError) as error:
        raise Misconfigured(
            f"NEWSROOM_MONGO is no MongoDB URL: {error}; write one like mongodb://host:27017/?replicaSet=newsroom"
        ) from error
    except PyMongoError as error:
        reason = refusal(error) or str(error).partition(",")[0].partition(" (configured")[0][:200]
        raise Misconfigured(f"no MongoDB answers at {mongo_hosts(url)} (NEWSROOM_MONGO): {reason}") from error
    if "setName" not in hello:
        raise Misconfigured(
            f"the MongoDB at {mongo_hosts(url)} is no replica set: start it with --replSet and initiate "
            "it, one member is enough"
        )
    return f"{version}, replica set {hello['setName']}"


def mongo_hosts(url: str) -> str:
    """The hosts of a MongoDB URL, without its password."""
    try:
        return ",".join(f"{host}:{port}" for host, port in parse_uri(url)["nodelist"])
    except (InvalidURI, ConfigurationError, ValueError, PyMongoError):
        return "NEWSROOM_MONGO"


def _run(
    asked: Coroutine[Any, Any, T],
    seconds: float = ANSWER_SECONDS,
    meanwhile: Callable[[], None] = lambda: None,
) -> T:
    """Its answer within a bound; `meanwhile` is called many times a second, and what it raises ends it.

    aiokafka's own log of what it tries is not for the screen.
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)

    async def bounded() -> T:
        answer = asyncio.create_task(asked)
        try:
            async with asyncio.timeout(seconds):
                while not (await asyncio.wait([answer], timeout=_LOOK_SECONDS))[0]:
                    meanwhile()
        except TimeoutError as error:
            raise Away("kafka", f"no answer within {seconds:.0f} s") from error
        finally:
            answer.cancel()
        return answer.result()

    return asyncio.run(bounded())


def _cause(error: Away) -> str:
    return str(error).partition(": ")[2] or str(error)
