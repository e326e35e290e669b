"""A newsroom on a Kafka and a MongoDB that want TLS and a login, and what is said where they refuse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from desk.parts.ports import free_ports
from faults.stage.environment import SERVICES
from newsroom.kafka import cluster
from newsroom.servers import Brokers, Tls
from tests.secured import PASSWORD, Secured, secured_servers
from tests.stack import Stack

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]
WRONG = "canary-wrong-password"
END_SECONDS = 60.0


@pytest.fixture(scope="module")
def secured(parts_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    with secured_servers(tmp_path_factory.mktemp("secured"), parts_home) as servers:
        yield servers


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(secured: Secured, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    stack = secured.stack(tmp_path_factory.mktemp("stack"))
    yield stack
    await stack.close()


async def test_an_article_is_published_over_tls_with_logins(secured: Secured, stack: Stack) -> None:
    for service in SERVICES:
        stack.spawn(service, **secured.told)
    for service in SERVICES:
        await stack.ready(service)
    await stack.publish("secured", headline="Behind locks")
    await stack.settled()
    assert any("Behind locks" in page.read_text() for page in stack.public.rglob("index.html"))
    for service in SERVICES:
        assert PASSWORD not in stack.log(service)


async def test_a_backup_is_made_over_tls_with_a_login(secured: Secured, tmp_path: Path) -> None:
    made = await secured.desk(tmp_path, "backup", str(tmp_path / "newsroom.backup"))
    assert made.returncode == 0, made.stderr
    assert PASSWORD not in made.stdout + made.stderr


async def test_a_certificate_of_our_own_opens_kafka(secured: Secured) -> None:
    tls = Tls(secured.papers.ca, secured.papers.client)
    brokers = Brokers(secured.kafka.with_certificate, security="SSL", tls=tls)
    assert await cluster.cluster_id(brokers) == await cluster.cluster_id(secured.kafka.bootstrap)


@pytest.mark.parametrize(
    ("service", "wrong", "said"),
    [
        ("ingest", {"NEWSROOM_KAFKA_PASSWORD": WRONG}, "it refuses the login; see NEWSROOM_KAFKA_USER"),
        ("ingest", {"NEWSROOM_KAFKA_MECHANISM": "PLAIN"}, "it knows no such login"),
        ("ingest", {"NEWSROOM_KAFKA_CA": "stranger"}, "certificate is not believed"),
        ("store", {"NEWSROOM_MONGO": WRONG}, "MongoDB refuses the login"),
        ("store", {"NEWSROOM_MONGO_CA": "stranger"}, "MongoDB's certificate is not believed"),
    ],
)
async def test_a_refusal_ends_the_start_with_one_line_that_says_what_to_do(
    service: str, wrong: dict[str, str], said: str, secured: Secured, stack: Stack
) -> None:
    """It neither waits for ever nor tells a password, be it the wrong one."""
    meant = {"stranger": str(secured.papers.stranger)}
    if "NEWSROOM_MONGO" in wrong:
        meant[WRONG] = secured.mongo_url.replace(PASSWORD, WRONG)
    told = secured.told | {name: meant.get(value, value) for name, value in wrong.items()}
    name = f"{service}-{'-'.join(wrong)}".lower()
    told[f"NEWSROOM_{service.upper()}_PORT"] = str(free_ports(1)[0])
    process = stack.spawn(service, name=name, **told)
    assert await asyncio.to_thread(process.wait, END_SECONDS) == 2
    lines = [line for line in stack.log(name).splitlines() if line.startswith("newsroom: ")]
    assert [said in line for line in lines] == [True], stack.log(name)
    assert WRONG not in stack.log(name)
    assert PASSWORD not in stack.log(name)
