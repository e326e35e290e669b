"""A newsroom backed up and restored into nothing: the same site, the same articles, the same keys."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from desk.parts.home import SOURCE
from faults.stage.environment import SERVICES
from newsroom import topics
from newsroom.kafka import cluster
from newsroom.times import now, rfc3339
from tests.conftest import RunningKafka, RunningMongo
from tests.stack import Json, Stack, an_article, without_id

pytestmark = pytest.mark.real
ARTICLES = ("first", "corrected", "moved", "withdrawn", "retracted", "draft", "scheduled", "live")


async def filled(stack: Stack) -> None:
    """One article of each fate, a key and a revoked one."""
    later = rfc3339(now() + timedelta(days=365))
    for article_id in ("first", "corrected", "moved", "withdrawn", "retracted"):
        await stack.publish(article_id)
    await stack.publish("live", live=True)
    for number in range(3):
        entry = {"id": f"e{number}", "headline": f"Post {number}", "body": f"<p>It goes on: {number}.</p>"}
        await done(stack, "POST", "/articles/live/entries", entry)
    await done(stack, "PUT", "/articles/live/entries/e1", {"headline": "Post 1", "body": "<p>Mended.</p>"})
    note = "An earlier version was wrong."
    article = without_id(an_article("corrected", headline="Right at last"))
    correction = {"kind": "correction", "note": note, "article": article}
    await done(stack, "POST", "/articles/corrected/corrections", correction)
    moved = without_id(an_article("moved", section="World"))
    await done(stack, "POST", "/articles/moved/updates", {"note": "It is of the world.", "article": moved})
    await done(stack, "POST", "/articles/withdrawn/withdrawal", {"note": "By law."})
    await done(stack, "POST", "/articles/retracted/retraction", {"note": "It was not true."})
    await done(stack, "PUT", "/articles/first/draft", without_id(an_article("first", headline="A draft")))
    await done(stack, "POST", "/articles", {**an_article("draft"), "draft": True})
    await done(stack, "POST", "/articles", an_article("scheduled", publish_at=later))
    for name in ("wire", "intern"):
        made = await stack.client.post(f"{stack.url('ingest')}/keys", json={"name": name, "role": "reporter"})
        assert made.status_code == 201
    revoked = await stack.client.delete(f"{stack.url('ingest')}/keys/intern")
    assert revoked.status_code == 204
    await stack.settled()


async def done(stack: Stack, method: str, path: str, body: Json) -> None:
    answer = await stack.send(method, path, body)
    assert answer.status_code in (200, 201), answer.text


async def told(stack: Stack) -> Json:
    """What the API says of every article and key."""
    addresses = [f"/articles/{each}{more}" for each in ARTICLES for more in ("", "/revisions")]
    addresses += ["/articles/live/entries", "/articles", "/articles?state=scheduled", "/articles?state=draft"]
    answers = {path: (await stack.client.get(stack.url("store") + path)).json() for path in addresses}
    return answers | {"keys": (await stack.client.get(f"{stack.url('ingest')}/keys")).json()}


async def desk(stack: Stack, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """`newsroom …` on the log of the stack."""
    environment = {
        **os.environ,
        "PYTHONPATH": f"{SOURCE}:{SOURCE / 'shared'}",
        "NEWSROOM_KAFKA": stack.bootstrap,
        "NEWSROOM_HOME": str(stack.folder / "home"),
    }
    command = [sys.executable, "-m", "desk", *map(str, arguments)]
    return await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, timeout=120
    )


@asynccontextmanager
async def running(stack: Stack) -> AsyncIterator[Stack]:
    """Its services, for the length of the block."""
    for service in SERVICES:
        stack.spawn(service)
    for service in SERVICES:
        await stack.ready(service)
    await stack.settled()
    yield stack
    for service in SERVICES:
        await stack.stop(service)


def beside(stack: Stack, bootstrap: str, folder: Path) -> Stack:
    """Another newsroom at the same addresses, with the operator's same key."""
    other = Stack(bootstrap, stack.mongo_url, folder)
    other.key, other.ports, other.client = stack.key, stack.ports, stack.client
    return other


async def test_a_restored_newsroom_is_the_one_that_was_backed_up(
    fresh_kafka: Callable[[], RunningKafka], mongo: RunningMongo, tmp_path: Path
) -> None:
    """Byte for byte in every file, with the same revisions and keys; and no reader is told anything anew."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one = Stack(fresh_kafka().bootstrap, mongo.url, tmp_path / "one")
    two = beside(one, fresh_kafka().bootstrap, tmp_path / "two")
    file = tmp_path / "newsroom.backup"
    try:
        async with running(one):
            await filled(one)
            backup = await desk(one, "backup", file)
            assert backup.returncode == 0, backup.stderr
            assert "checked" in backup.stdout
            files, answers = one.files(), await told(one)
            fates = {each: answers[f"/articles/{each}"]["status"] for each in ARTICLES}
            assert len(set(fates.values())) == 4, fates
            assert len(files) > 2 * len(ARTICLES)
        restored = await desk(two, "restore", file)
        assert restored.returncode == 0, restored.stderr
        again = await desk(two, "restore", file)
        assert "of them before" in again.stdout
        async with running(two):
            assert two.files() == files
            assert await told(two) == answers
            assert await two.notice_count() == 0
            started = await desk(two, "restore", file)
            assert (started.returncode, "first start" in started.stderr) == (1, True)
    finally:
        await one.close()
        await two.close()


async def test_a_flipped_byte_is_told_and_nothing_is_written(
    fresh_kafka: Callable[[], RunningKafka], mongo: RunningMongo, tmp_path: Path
) -> None:
    kafka = fresh_kafka()
    stack = Stack(kafka.bootstrap, mongo.url, tmp_path)
    await cluster.ensure_topics(kafka.bootstrap, replication=1, min_insync=1)
    made = await desk(stack, "backup", tmp_path / "empty.backup")
    assert made.returncode == 0, made.stderr
    torn = bytearray((tmp_path / "empty.backup").read_bytes())
    torn[len(torn) // 2] ^= 0x10
    (tmp_path / "torn.backup").write_bytes(torn)
    refused = await desk(stack, "restore", tmp_path / "torn.backup")
    assert (refused.returncode, "damaged" in refused.stderr) == (1, True)
    assert not any((await cluster.end_offsets(kafka.bootstrap, topics.EVENTS)).values())
    await stack.close()
