"""Ingest on real Kafka: what stands on the log, and what a client sees while the broker is away."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from newsroom import keys, topics
from newsroom.events import decode_event
from newsroom.http.app import Health
from newsroom.kafka import cluster
from newsroom.kafka.reader import TopicReader
from newsroom.outcomes import outcome_message, rendering_message
from newsroom.records import Record
from newsroom.times import now
from newsroom.topics import MAX_BODY_BYTES
from services.ingest.__main__ import Ingest
from services.ingest.settings import IngestSettings
from tests.ingest_parts import a_story, rendered, stored
from tests.running import RunningKafka
from tests.stack import free_port

pytestmark = pytest.mark.real
ROOT = Path(__file__).parent.parent.parent
PROMPT_SECONDS = 20.0
"""By when a broker that is away is told: far from the two seconds that are meant, and from a hang."""


async def until(condition: Callable[[], Awaitable[object]], what: str, seconds: float = 120.0) -> None:
    """Wait for the condition. Raises: TimeoutError that names it."""
    deadline = time.monotonic() + seconds
    while not await condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for: {what}")
        await asyncio.sleep(0.05)


class Running:
    """One ingest process's parts, wired as in `__main__`, asked without a socket."""

    def __init__(self, settings: IngestSettings) -> None:
        assert settings.publisher_key is not None
        self.ingest = Ingest(settings)
        self.app = self.ingest.app(Health("ingest"))
        self.bootstrap = settings.kafka
        authorization = f"Bearer {settings.publisher_key.get_secret_value()}"
        transport = httpx.ASGITransport(app=self.app)
        self.client = httpx.AsyncClient(
            transport=transport, base_url="http://ingest", headers={"Authorization": authorization}
        )

    async def is_ready(self) -> bool:
        return (await self.client.get("/health/ready")).status_code == 200

    async def post(self, path: str, body: object, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post(path, json=body, headers=named)

    async def timed_post(self, body: object) -> tuple[httpx.Response, float]:
        begun = time.monotonic()
        response = await self.post("/articles", body)
        return response, time.monotonic() - begun

    async def accepts(self) -> bool:
        return (await self.post("/articles", a_story())).status_code == 202


def settings_for(bootstrap: str, secret: str) -> IngestSettings:
    # Nobody answers at the store's address: ingest takes events without it.
    return IngestSettings(
        kafka=bootstrap, store_url=f"http://127.0.0.1:{free_port()}", publisher_key=SecretStr(secret)
    )


@asynccontextmanager
async def rising(settings: IngestSettings) -> AsyncIterator[Running]:
    """A process that comes up, and is stopped in order afterwards."""
    running = Running(settings)
    task = asyncio.create_task(running.ingest.run())
    try:
        yield running
    finally:
        await running.ingest.stop()
        await task
        await running.client.aclose()


@asynccontextmanager
async def an_ingest(kafka: RunningKafka, secret: str | None = None) -> AsyncIterator[Running]:
    """A process that is ready."""
    async with rising(settings_for(kafka.bootstrap, secret or keys.new_secret())) as running:
        await until(running.is_ready, "ingest ready")
        yield running


class Log:
    """The events' topic, as any consumer reads it, from now on."""

    def __init__(self, bootstrap: str) -> None:
        self._records: list[Record] = []
        self._reader = TopicReader(
            bootstrap, topics.EVENTS, self._records.append, client_id="test", begin="end"
        )

    @classmethod
    @asynccontextmanager
    async def followed(cls, bootstrap: str) -> AsyncIterator[Log]:
        log = cls(bootstrap)
        reading = asyncio.create_task(log._reader.run())
        try:
            assert await log._reader.catch_up(30)
            yield log
        finally:
            await log._reader.stop()
            await reading

    async def records(self, article_id: str) -> list[Record]:
        """Every record of that article up to now."""
        assert await self._reader.catch_up(30)
        return [record for record in self._records if record.key == article_id.encode()]


async def test_what_was_accepted_stands_on_the_log(kafka: RunningKafka) -> None:
    async with an_ingest(kafka) as running, Log.followed(kafka.bootstrap) as log:
        article, trace = f"a-{secrets.token_hex(4)}", secrets.token_hex(16)
        body = a_story(id=article, headline="Осада завершилась")
        parent = f"00-{trace}-b7ad6b7169203331-01"
        response = await running.post("/articles", body, traceparent=parent, if_match='"3"')
        assert response.status_code == 202, response.text
        (record,) = await log.records(article)
        headers = {name: value.decode() for name, value in record.headers}
        assert record.partition == cluster.partition_for(article.encode(), 12)
        assert headers["ce_id"] == response.json()["event_id"]
        assert headers["ce_specversion"] == "1.0"
        assert headers["ce_type"] == "newsroom.article.published.v1"
        assert headers["ce_subject"] == article
        assert headers["ce_ifmatch"] == "3"
        assert headers["traceparent"].split("-")[1] == trace
        value = json.loads(record.value or b"")
        assert value["create"] is True
        assert value["article"]["headline"] == "Осада завершилась"


async def test_the_largest_body_is_accepted(kafka: RunningKafka) -> None:
    """Quotes take twice the room as JSON: what the door lets in must fit on the log."""
    async with an_ingest(kafka) as running, Log.followed(kafka.bootstrap) as log:
        article = f"a-{secrets.token_hex(4)}"
        html = "<p>" + "“" * 10 + '"' * (MAX_BODY_BYTES - 1000) + "</p>"
        response = await running.post("/articles", a_story(id=article, body=html))
        assert response.status_code == 202, response.text
        (record,) = await log.records(article)
        assert len(record.value or b"") > 2 * (MAX_BODY_BYTES - 1000)


async def test_who_waits_is_answered_as_soon_as_the_page_is_told(kafka: RunningKafka) -> None:
    async with an_ingest(kafka) as running, Log.followed(kafka.bootstrap) as log:
        article, delays = f"a-{secrets.token_hex(4)}", []
        for revision in range(1, 8):
            path, body = f"/articles/{article}/amendments", {"article": a_story()}
            waiting = asyncio.create_task(running.post(path, body, prefer="wait=20"))
            await until(lambda n=revision: has_records(log, article, n), "the event")  # type: ignore[misc]
            event = decode_event((await log.records(article))[-1])
            publisher = running.ingest.publisher
            await publisher.publish(outcome_message(stored(event, revision), now(), None))
            begun = time.monotonic()
            await publisher.publish(rendering_message(rendered(event, revision), now(), None))
            response = await waiting
            delays.append(time.monotonic() - begun)
            assert (response.status_code, response.json()["revision"]) == (200, revision)
        assert sorted(delays)[3] < 5, delays  # far from the twenty seconds that it would wait


async def has_records(log: Log, article: str, count: int) -> bool:
    return len(await log.records(article)) == count


async def test_a_frozen_broker_is_told_in_time_and_the_door_heals(kafka: RunningKafka) -> None:
    async with an_ingest(kafka) as running:
        with kafka.frozen():
            for _ in range(3):
                response, seconds = await running.timed_post(a_story())
                assert (response.status_code, response.json()["type"]) == (503, "/problems/away")
                assert response.headers["retry-after"]
                assert seconds < PROMPT_SECONDS
            assert not await running.is_ready()
            assert (await running.client.get("/health/live")).status_code == 200
        await until(running.accepts, "events accepted again")
        await until(running.is_ready, "ready again")


async def test_many_requests_at_a_frozen_broker_are_all_told_in_time(kafka: RunningKafka) -> None:
    async with an_ingest(kafka) as running:
        with kafka.frozen():
            answers = await asyncio.gather(*(running.timed_post(a_story()) for _ in range(50)))
        assert {response.status_code for response, _ in answers} == {503}
        assert max(seconds for _, seconds in answers) < PROMPT_SECONDS
        await until(running.accepts, "events accepted again")


async def test_a_killed_broker_is_told_in_time_and_the_door_heals(kafka: RunningKafka) -> None:
    async with an_ingest(kafka) as running:
        with kafka.away():
            for _ in range(3):
                response, seconds = await running.timed_post(a_story())
                assert (response.status_code, response.json()["type"]) == (503, "/problems/away")
                assert seconds < PROMPT_SECONDS
            for path in ("/keys", "/health/live", "/openapi.json"):
                assert (await running.client.get(path)).status_code == 200
            begun = time.monotonic()
            made = await running.post("/keys", {"name": f"k-{secrets.token_hex(4)}", "role": "reader"})
            assert made.status_code == 503
            assert time.monotonic() - begun < PROMPT_SECONDS
        await until(running.accepts, "events accepted again")
        await until(running.is_ready, "ready again")


async def test_a_process_that_starts_while_the_broker_is_away_comes_up_by_itself(kafka: RunningKafka) -> None:
    secret = keys.new_secret()
    with kafka.away():
        async with rising(settings_for(kafka.bootstrap, secret)) as running:
            response, seconds = await running.timed_post(a_story())
            assert (response.status_code, response.json()["type"]) == (503, "/problems/away")
            assert seconds < PROMPT_SECONDS
            assert not await running.is_ready()
            await asyncio.to_thread(kafka.start)
            await until(running.is_ready, "ready")
            assert await running.accepts()


async def test_the_first_key_is_put_on_the_log_once_for_all_instances(kafka: RunningKafka) -> None:
    secret = keys.new_secret()
    async with an_ingest(kafka, secret), an_ingest(kafka, secret) as second:
        listed = second.ingest.keys.ring.all()
    assert [key.secret_sha256 for key in listed].count(keys.digest(secret)) == 1


async def test_a_revoked_key_is_refused_by_another_instance(kafka: RunningKafka) -> None:
    secret = keys.new_secret()
    async with an_ingest(kafka, secret) as first, an_ingest(kafka, secret) as second:
        name = f"wire-{secrets.token_hex(4)}"
        made = (await first.post("/keys", {"name": name, "role": "editor"})).json()
        as_wire = {"Authorization": f"Bearer {made['secret']}"}

        async def is_open() -> bool:
            return (await second.post("/articles", a_story(), **as_wire)).status_code == 202

        async def is_shut() -> bool:
            return (await second.post("/articles", a_story(), **as_wire)).status_code == 401

        await until(is_open, "the second instance knows the key")
        assert (await first.client.delete(f"/keys/{name}")).status_code == 204
        await until(is_shut, "the second instance knows the revocation")


async def test_a_start_with_an_old_key_brings_no_revoked_key_back(kafka: RunningKafka) -> None:
    """The operator's first key, revoked, still stands in the settings of whoever starts next."""
    old, new = keys.new_secret(), keys.new_secret()
    async with an_ingest(kafka, new) as first:
        async with an_ingest(kafka, old) as second:
            name = next(k.name for k in second.ingest.keys.ring.all() if k.secret_sha256 == keys.digest(old))
            assert (await first.client.delete(f"/keys/{name}")).status_code == 204
        async with an_ingest(kafka, old) as restarted:
            assert (await restarted.client.get("/keys")).status_code == 401
            as_new = {"Authorization": f"Bearer {new}"}
            listed = (await restarted.client.get("/keys", headers=as_new)).json()["keys"]
            assert [key["revoked_at"] is not None for key in listed if key["name"] == name] == [True]


async def test_two_instances_that_get_one_request_at_once_put_one_event_on_the_log(
    kafka: RunningKafka,
) -> None:
    """A client's retry that a second instance got, with the same `Idempotency-Key`."""
    secret = keys.new_secret()
    async with (
        an_ingest(kafka, secret) as first,
        an_ingest(kafka, secret) as second,
        Log.followed(kafka.bootstrap) as log,
    ):
        key = secrets.token_hex(8)
        answers = await asyncio.gather(
            *(each.post("/articles", a_story(), idempotency_key=key) for each in (first, second))
        )
        assert [answer.status_code for answer in answers] == [202, 202]
        assert answers[0].json() == answers[1].json()
        records = await log.records(answers[0].json()["article_id"])
        assert {record.header("ce_id") for record in records} == {answers[0].json()["event_id"]}


async def test_a_secret_stands_in_no_record_and_no_line_of_the_log(
    kafka: RunningKafka, tmp_path: Path
) -> None:
    port, secret = free_port(), keys.new_secret()
    kept: list[Record] = []
    reader = TopicReader(kafka.bootstrap, topics.KEYS, kept.append, client_id="test")
    reading = asyncio.create_task(reader.run())
    with a_process(kafka.bootstrap, port, secret, tmp_path):
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {secret}"}, timeout=30
        ) as client:

            async def makes_a_key() -> str | None:
                try:
                    body = {"name": f"k-{secrets.token_hex(4)}", "role": "editor"}
                    made = await client.post("/keys", json=body)
                except httpx.TransportError:
                    return None
                return str(made.json()["secret"]) if made.status_code == 201 else None

            told: list[str] = []

            async def has_made_one() -> bool:
                told.extend(filter(None, [await makes_a_key()]))
                return bool(told)

            await until(has_made_one, "a key made")
            as_new = {"Authorization": f"Bearer {told[0]}"}
            assert (await client.post("/articles", json=a_story(), headers=as_new)).status_code == 202
            bad = {"Authorization": f"Bearer {told[0]}x"}
            assert (await client.post("/articles", json=a_story(), headers=bad)).status_code == 401
    assert await reader.catch_up(30)
    await reader.stop()
    await reading
    written = b"".join((record.key or b"") + (record.value or b"") for record in kept)
    written += b"".join(value for record in kept for _, value in record.headers)
    assert keys.digest(told[0]).encode() in written, "the key's record is among them"
    for each in (secret, told[0]):
        assert each.encode() not in written
        assert each not in (tmp_path / "log").read_text()


@pytest.mark.parametrize("is_frozen", [False, True], ids=["broker there", "broker frozen"])
async def test_the_process_stops_in_order_on_sigterm(
    kafka: RunningKafka, tmp_path: Path, *, is_frozen: bool
) -> None:
    port, secret = free_port(), keys.new_secret()
    with a_process(kafka.bootstrap, port, secret, tmp_path) as process:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:

            async def is_ready() -> bool:
                try:
                    return (await client.get("/health/ready")).status_code == 200
                except httpx.TransportError:
                    return False

            await until(is_ready, "ingest ready")
            headers = {"Authorization": f"Bearer {secret}", "Prefer": "wait=50"}
            waiting = asyncio.create_task(
                client.post("/articles", json=a_story(), headers=headers, timeout=60)
            )

            async def has_accepted() -> bool:
                return "event_accepted" in (tmp_path / "log").read_text()

            await until(has_accepted, "the event accepted")
            with kafka.frozen() if is_frozen else nullcontext():
                begun = time.monotonic()
                process.send_signal(signal.SIGTERM)
                assert (await waiting).status_code == 202, "who waits is answered"
                assert await asyncio.to_thread(process.wait, 40) == 0
                assert time.monotonic() - begun < 40, "who waits is not waited for"
    assert "Traceback" not in (tmp_path / "log").read_text()


@contextmanager
def a_process(bootstrap: str, port: int, secret: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m services.ingest`, its output in `folder/log`; killed if it still runs at the end."""
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}",
        "NEWSROOM_KAFKA": bootstrap,
        "NEWSROOM_INGEST_PORT": str(port),
        "NEWSROOM_PUBLISHER_KEY": secret,
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.ingest"], env=environment, cwd=folder, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
