"""No secret is in any output: keys that are good, revoked or wrong, and the logins of Kafka and MongoDB, at
the most talkative log level, through refusals, bugs of callers and outages.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from pymongo import MongoClient

from faults.stage.environment import SERVICES
from newsroom import topics
from newsroom.kafka.producer import KafkaPublisher
from newsroom.records import Message
from tests import canary, outputs
from tests.outputs import Output, found
from tests.secured import PASSWORD, Secured, secured_servers
from tests.stack import Json, Stack, an_article, until

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]
WRONG = canary.a_secret()
"""Opens nothing at all; whatever kept it is found after the test run, too."""


@dataclass
class Scene:
    """A newsroom that was tried in every way, its secrets, and all that it answered."""

    secured: Secured
    stack: Stack
    secrets: dict[str, str] = field(default_factory=dict)
    answers: list[Output] = field(default_factory=list)

    async def call(self, service: str, method: str, path: str, body: Json | str = "", **headers: str) -> int:
        """Ask without the publisher's key, keep the answer."""
        content = body if isinstance(body, str) else json.dumps(body)
        url = self.stack.url(service) + path
        named = {"Content-Type": "application/json", **headers}
        answer = await self.stack.reader.request(method, url, content=content, headers=named)
        told = "".join(f"{name}: {value}\n" for name, value in answer.headers.items()) + answer.text
        self.answers.append(Output(f"{method} {path.partition('?')[0]} {answer.status_code}", told))
        return answer.status_code

    def words(self) -> list[str]:
        return [*self.secrets.values(), PASSWORD, WRONG]


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def basic(secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"editor:{secret}".encode()).decode()}


async def a_key(stack: Stack, name: str) -> str:
    made = await stack.client.post(stack.url("ingest") + "/keys", json={"name": name, "role": "reporter"})
    assert made.status_code == 201, made.text
    return str(made.json()["secret"])


async def put_bad_record(stack: Stack) -> None:
    publisher = KafkaPublisher(stack.bootstrap, client_id="test")
    await publisher.publish(Message(topics.EVENTS, b"secrets", b"no event"))
    await publisher.stop()


async def tried(scene: Scene) -> None:
    """Each secret where it belongs, and where it does not."""
    for secret in scene.words():
        for service, method, path in (
            ("ingest", "POST", "/articles"),
            ("ingest", "POST", "/articles/secrets/withdrawal"),
            ("ingest", "GET", f"/events?key={secret}"),
            ("ingest", "GET", f"/keys?key={secret}"),
            ("store", "GET", "/articles?state=draft"),
            ("store", "GET", f"/nowhere?key={secret}"),
            ("store", "POST", "/republications"),
            ("render", "GET", "/preview/secrets"),
        ):
            if "/events" not in path:
                await scene.call(service, method, path, {"id": 7}, **bearer(secret))
                await scene.call(service, method, path, "{bad", **bearer(f"{secret} twice"))
            await scene.call(service, method, path, {"note": []}, Authorization=f"Token {secret}")
        await scene.call("render", "GET", "/preview/secrets", **basic(secret))
        await scene.call(
            "render", "GET", "/preview/secrets", **{"X-Api-Key": secret, "Cookie": f"key={secret}"}
        )


async def tried_in_outages(scene: Scene) -> None:
    """The servers are killed one after the other while good keys ask."""
    good = bearer(scene.secrets["reporter"])
    with scene.secured.broker.away():
        assert await scene.call("ingest", "POST", "/articles", an_article("away", draft=True), **good) == 503
    with scene.secured.mongod.away():
        assert await scene.call("store", "GET", "/articles?state=draft", **good) == 503
        await scene.call("render", "GET", "/preview/secrets", **good)
    for service in SERVICES:
        await scene.stack.ready(service)


@pytest.fixture(scope="module")
def secured(parts_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    with secured_servers(tmp_path_factory.mktemp("secured"), parts_home) as servers:
        yield servers


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(secured: Secured, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    stack = secured.stack(tmp_path_factory.mktemp("stack"))
    try:
        for service in SERVICES:
            stack.spawn(service, NEWSROOM_LOG_LEVEL="debug", **secured.told)
        for service in SERVICES:
            await stack.ready(service)
        made = Scene(secured, stack, {"publisher": stack.key})
        made.secrets |= {name: await a_key(stack, name) for name in ("reporter", "revoked")}
        await stack.publish("secrets")
        assert (await stack.client.delete(stack.url("ingest") + "/keys/revoked")).status_code == 204
        await put_bad_record(stack)
        await tried(made)
        await tried_in_outages(made)
        await stack.settled()
        yield made
    finally:
        await stack.close()


async def test_no_answer_has_a_secret(scene: Scene) -> None:
    refused = {answer.name.rpartition(" ")[2] for answer in scene.answers}
    assert refused >= {"401", "403", "404", "422", "503"}
    assert found(scene.words(), scene.answers) == []


async def test_no_log_line_has_a_secret(scene: Scene) -> None:
    """Nor one of the servers themselves."""
    lines = outputs.logs(scene.stack.folder)
    assert any("login_refused" in each.text for each in lines)
    assert any("access_refused" in each.text for each in lines)
    homes = {running.part.process.log.parent for running in (scene.secured.broker, scene.secured.mongod)}
    lines += [each for home in homes for each in outputs.logs(home)]
    assert found(scene.words(), lines) == []


async def test_no_metric_has_a_secret(scene: Scene) -> None:
    async with httpx.AsyncClient(timeout=30) as anybody:
        told = [await outputs.answer(anybody, "GET", scene.stack.url(each) + "/metrics") for each in SERVICES]
    assert all("newsroom_logins_refused_total" in each.text for each in told)
    assert found(scene.words(), told) == []


async def test_no_record_has_a_secret(scene: Scene) -> None:
    """Dead letters and the keys' own topic among them."""
    records = await outputs.records(scene.stack.bootstrap, [spec.name for spec in topics.ALL])
    assert {record.name.split()[0] for record in records} >= {topics.KEYS, topics.DEAD_LETTERS}
    assert found(scene.words(), records) == []


async def test_no_document_has_a_secret(scene: Scene) -> None:
    documents = []
    with MongoClient[Json](scene.stack.mongo_url) as client:
        for name in client.list_database_names():
            if name.startswith(scene.stack.database):
                for collection in client[name].list_collection_names():
                    text = "\n".join(map(repr, client[name][collection].find()))
                    documents.append(Output(f"{name}.{collection}", text))
    assert len(documents) > 5
    assert found(scene.words(), documents) == []


async def test_no_page_has_a_secret(scene: Scene) -> None:
    pages = outputs.files(scene.stack.pages)
    assert len(pages) > 10
    assert found(scene.words(), pages) == []


async def test_neither_a_backup_nor_the_doctor_tells_a_secret(scene: Scene, tmp_path: Path) -> None:
    file = tmp_path / "newsroom.backup"
    made = await scene.secured.desk(tmp_path, "backup", str(file))
    assert made.returncode == 0, made.stderr
    asked = await scene.secured.desk(tmp_path, "doctor")
    assert "kafka" in asked.stdout
    told = [Output(file.name, gzip.decompress(file.read_bytes()).decode())]
    told += [Output(" ".join(each.args), each.stdout + each.stderr) for each in (made, asked)]
    assert found(scene.words(), told) == []


async def test_a_secret_is_found_where_there_is_one(scene: Scene) -> None:
    """So that the tests above can fail."""
    leak = Output("leak", f"Authorization: Bearer {scene.stack.key}")
    assert found(scene.words(), [leak]) == [f"{scene.stack.key.lower()}: leak"]
    assert await until(lambda: _has(scene), "the publisher's key opens")


async def _has(scene: Scene) -> bool:
    return await scene.call("ingest", "GET", "/keys", **bearer(scene.stack.key)) == 200
