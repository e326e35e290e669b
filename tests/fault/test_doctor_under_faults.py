"""What `newsroom doctor` says while a newsroom is broken: the right trouble, and none once it is mended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr
from pymongo import MongoClient

from desk.asking import Instance
from desk.examination import Newsroom, examine
from desk.findings import Finding, State
from desk.troubles import Trouble
from faults.fault import Plan
from faults.stage.arena import Arena
from faults.stage.environment import SERVICES, address
from faults.stage.network import Target
from faults.stage.rooms import NO_MOUNT, can_mount
from newsroom import topics
from newsroom.kafka.producer import KafkaPublisher
from newsroom.records import Message
from tests.closings import all_closed
from tests.stack import an_article

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]

PATIENCE_SECONDS = 120.0
ROOM_MIB = 600
"""So much that there is no lack of it."""
STREAMS = 5

Broken: TypeAlias = AbstractAsyncContextManager[None]
needs_mount = pytest.mark.skipif(not can_mount(), reason=NO_MOUNT)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def arena(parts_home: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Arena]:
    """One newsroom for all of them; each leaves it as it was."""
    mib = ROOM_MIB if can_mount() else None
    few = {"NEWSROOM_LIVE_STREAMS": str(STREAMS)}
    plan = Plan(is_proxied=True, pages_mib=mib, log_mib=mib, settings=few)
    async with Arena(plan, tmp_path_factory.mktemp("arena"), parts_home) as running:
        yield running
    await all_closed()


def as_known(arena: Arena) -> Newsroom:
    """The first instance of each service, and all that they stand on."""
    return Newsroom(
        [Instance(f"{service}-1", service, address(arena.ports[service])) for service in SERVICES],
        home=arena.home,
        pages=arena.pages,
        bootstrap=arena.bootstrap,
        mongo=SecretStr(arena.mongo_url),
    )


async def found(arena: Arena) -> list[Finding]:
    return await asyncio.to_thread(examine, as_known(arena))


def troubles(findings: list[Finding]) -> dict[str, Trouble]:
    """What is wrong, by the check; what stays in the logs of what happened before is left out."""
    return {
        finding.check: finding.trouble
        for finding in findings
        if finding.trouble and not finding.check.endswith(("/error", "/bugs", "/starts"))
    }


async def comes_to_say(arena: Arena, wanted: dict[str, Trouble]) -> None:
    """Raises: AssertionError with what was found instead, when it does not within the time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not wanted.items() <= troubles(findings := await found(arena)).items():
        assert time.monotonic() < deadline, findings
        await asyncio.sleep(0.2)


async def comes_to_say_nothing(arena: Arena) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while troubles(findings := await found(arena)):
        assert time.monotonic() < deadline, findings
        await asyncio.sleep(0.2)


@asynccontextmanager
async def killed(arena: Arena) -> AsyncIterator[None]:
    try:
        with arena.unkept("ingest-1"):
            arena.kill("ingest-1")
            yield
    finally:
        await arena.ready("ingest-1")


@asynccontextmanager
async def paused(arena: Arena) -> AsyncIterator[None]:
    arena.pause("store-1")
    try:
        yield
    finally:
        arena.resume("store-1")


@asynccontextmanager
async def kafka_stopped(arena: Arena) -> AsyncIterator[None]:
    await arena.kafka.stop()
    try:
        yield
    finally:
        await arena.kafka.start()


@asynccontextmanager
async def kafka_frozen(arena: Arena) -> AsyncIterator[None]:
    arena.kafka.pause()
    try:
        yield
    finally:
        arena.kafka.resume()


@asynccontextmanager
async def mongod_killed(arena: Arena) -> AsyncIterator[None]:
    arena.mongo.kill()
    try:
        yield
    finally:
        await arena.mongo.start()


@asynccontextmanager
async def mongod_frozen(arena: Arena) -> AsyncIterator[None]:
    arena.mongo.pause()
    try:
        yield
    finally:
        arena.mongo.resume()


@asynccontextmanager
async def without_primary(arena: Arena) -> AsyncIterator[None]:
    """The only member does not want to lead, for longer than it takes to see that."""
    await arena.mongo.step_down(600)
    try:
        yield
    finally:
        with MongoClient[dict[str, object]](arena.mongo_url, directConnection=True) as client:
            client.admin.command("replSetFreeze", 0)


@asynccontextmanager
async def streams_taken(arena: Arena) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        reader = await stack.enter_async_context(httpx.AsyncClient(timeout=PATIENCE_SECONDS))
        for _ in range(STREAMS):
            opening = reader.stream("GET", f"{arena.url('render')}/live")
            stream = await stack.enter_async_context(opening)
            assert stream.status_code == 200
        yield


def cut(service: str, target: Target) -> Callable[[Arena], Broken]:
    @asynccontextmanager
    async def broken(arena: Arena) -> AsyncIterator[None]:
        arena.proxy(service, target).cut()
        try:
            yield
        finally:
            await arena.proxy(service, target).heal()

    return broken


@asynccontextmanager
async def coordinator_lost(arena: Arena) -> AsyncIterator[None]:
    """What comes while it is away is rendered, and cannot be committed."""
    arena.proxy("render", "kafka").stall_coordination()
    try:
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {arena.key}"}) as editor:
            sent = await editor.post(f"{arena.url('ingest')}/articles", json=an_article("uncommitted"))
            assert sent.status_code == 202, sent.text
        yield
    finally:
        await arena.proxy("render", "kafka").heal()


@asynccontextmanager
async def clock_stepped(arena: Arena) -> AsyncIterator[None]:
    arena.clock("store-1").step(-7200)
    try:
        yield
    finally:
        arena.clock("store-1").put_right()


@asynccontextmanager
async def linked(arena: Arena) -> AsyncIterator[None]:
    link = arena.pages / "public" / "tags"
    link.mkdir(exist_ok=True)
    (link / "passwords").symlink_to("/etc/passwd")
    try:
        yield
    finally:
        (link / "passwords").unlink()


@asynccontextmanager
async def pages_full(arena: Arena) -> AsyncIterator[None]:
    arena.fill("pages")
    try:
        yield
    finally:
        arena.free("pages")


@asynccontextmanager
async def pages_read_only(arena: Arena) -> AsyncIterator[None]:
    arena.read_only("pages")
    try:
        yield
    finally:
        arena.writable("pages")


@asynccontextmanager
async def log_full(arena: Arena) -> AsyncIterator[None]:
    """Kafka ends when it meets it, sooner or later."""
    arena.fill("log")
    try:
        yield
    finally:
        arena.free("log")
        arena.kafka.kill()
        await arena.kafka.start()


CASES: list[tuple[str, Callable[[Arena], Broken], dict[str, Trouble]]] = [
    ("killed", killed, {"ingest-1": Trouble.SERVICE_AWAY}),
    ("paused", paused, {"store-1": Trouble.SERVICE_FROZEN}),
    ("cut from the log", cut("store", "kafka"), {"store-1": Trouble.SERVICE_CUT_OFF}),
    ("cut from documents", cut("render", "mongo"), {"render-1": Trouble.SERVICE_CUT_OFF}),
    ("coordinator", coordinator_lost, {"render-1/render-updates": Trouble.SERVICE_CUT_OFF}),
    ("clock", clock_stepped, {"store-1/clock": Trouble.CLOCK_OFF}),
    ("link", linked, {"pages/links": Trouble.FOREIGN_FILES}),
    (
        "mongod killed",
        mongod_killed,
        {"mongodb": Trouble.MONGODB_AWAY, "store-1": Trouble.MONGODB_AWAY, "render-1": Trouble.MONGODB_AWAY},
    ),
    ("no primary", without_primary, {"mongodb": Trouble.NO_PRIMARY}),
    ("streams", streams_taken, {"render-1/streams": Trouble.STREAMS_FULL}),
    ("mongod frozen", mongod_frozen, {"mongodb": Trouble.MONGODB_FROZEN, "store-1": Trouble.MONGODB_AWAY}),
    (
        "kafka stopped",
        kafka_stopped,
        {"kafka": Trouble.KAFKA_AWAY, "ingest-1": Trouble.KAFKA_AWAY, "store-1": Trouble.KAFKA_AWAY},
    ),
    ("kafka frozen", kafka_frozen, {"kafka": Trouble.KAFKA_FROZEN, "ingest-1": Trouble.KAFKA_AWAY}),
]
ON_A_SMALL_DISK: list[tuple[str, Callable[[Arena], Broken], dict[str, Trouble]]] = [
    ("log full", log_full, {"disk/log": Trouble.DISK_FULL}),
    ("pages full", pages_full, {"render-1/pages": Trouble.DISK_FULL, "disk/pages": Trouble.DISK_FULL}),
    (
        "pages read-only",
        pages_read_only,
        {"render-1/pages": Trouble.READ_ONLY, "disk/pages": Trouble.READ_ONLY},
    ),
]


async def test_nothing_is_wrong_with_a_newsroom_that_is_well(arena: Arena) -> None:
    await comes_to_say_nothing(arena)
    assert {finding.check for finding in await found(arena) if finding.state is State.OK} == {
        *("kafka", "mongodb"),
        *("ingest-1", "store-1", "render-1"),
    }


@pytest.mark.parametrize(
    ("broken", "wanted"),
    [
        *(pytest.param(*rest, id=name) for name, *rest in CASES),
        *(pytest.param(*rest, id=name, marks=needs_mount) for name, *rest in ON_A_SMALL_DISK),
    ],
)
async def test_what_is_broken_is_named_and_forgotten_once_it_is_mended(
    arena: Arena, broken: Callable[[Arena], Broken], wanted: dict[str, Trouble]
) -> None:
    async with broken(arena):
        await comes_to_say(arena, wanted)
    await comes_to_say_nothing(arena)


async def test_records_that_cannot_be_processed_wait_as_dead_letters_and_many_in_a_row_are_told(
    arena: Arena,
) -> None:
    publisher = KafkaPublisher(arena.bootstrap, client_id="test")
    await publisher.start()
    await publisher.publish_all([Message(topics.EVENTS, b"bad", b"no JSON at all")] * 20)
    await publisher.stop()
    in_a_row = {"store-1/bad-records": Trouble.BAD_RECORDS}
    await comes_to_say(arena, {"store-1/dead-letters": Trouble.DEAD_LETTERS, **in_a_row})


async def test_a_service_that_is_killed_again_and_again_is_told_from_one_that_was_killed_once(
    arena: Arena,
) -> None:
    for _ in range(4):
        arena.kill("render-1")
        await arena.ready("render-1")
    findings = {finding.check: finding.trouble for finding in await found(arena)}
    assert findings["render-1/starts"] is Trouble.RESTART_LOOP
    assert "store-1/starts" not in findings
