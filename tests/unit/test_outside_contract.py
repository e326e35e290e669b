"""The APIs as their documents describe them: schemathesis tries each call, all of its checks hold."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from newsroom import topics
from newsroom.events import Event, decode_event
from newsroom.kafka.fake import FakeReader
from newsroom.keys import Role
from tests.ingest_parts import Ingest, an_ingest, rendered, secret_of, stored
from tests.store_api import SECRETS, Api

ROOT = Path(__file__).parent.parent.parent
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
EXAMPLES = 4
"""For each call and phase, beside one for each bound that its schema has; the same each time."""


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """The application on a socket of its own; its address."""
    # Named as TCP, or asyncio leaves Nagle's algorithm on, and each answer takes 40 ms.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


async def findings(address: str, secret: str, folder: Path) -> str | None:
    """What schemathesis says where it finds something; None where it does not."""
    running = await asyncio.create_subprocess_exec(
        str(SCHEMATHESIS), "--config-file", str(ROOT / "schemathesis.toml"),
        "run", f"{address}/openapi.json", "--header", f"Authorization: Bearer {secret}",
        "--checks", "all", "--max-examples", str(EXAMPLES),
        "--generation-deterministic", "--no-color", "--workers", "1",
        cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await running.communicate()
    return said.decode() if running.returncode else None


@asynccontextmanager
async def deciding(ingest: Ingest) -> AsyncIterator[None]:
    """The store and render as they are when nothing is in their way: what is accepted is public."""
    accepted = asyncio.Queue[Event]()
    reader = FakeReader(ingest.log, topics.EVENTS, lambda record: accepted.put_nowait(decode_event(record)))

    async def decide() -> None:
        while True:
            event = await accepted.get()
            await ingest.tell(stored(event))
            await ingest.tell(rendered(event))

    tasks = [asyncio.create_task(reader.run()), asyncio.create_task(decide())]
    try:
        yield
    finally:
        await reader.stop()
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_ingest_keeps_to_its_document(tmp_path: Path) -> None:
    async with an_ingest() as ingest, deciding(ingest), served(ingest.app) as address:
        said = await findings(address, secret_of(Role.PUBLISHER), tmp_path)
        assert said is None, said
        assert ingest.events(), "what the document calls valid was accepted"


async def test_the_store_keeps_to_its_document(tmp_path: Path) -> None:
    api = Api()
    await api.filed("bank-siege", "published", "updated", "corrected")
    await api.filed("a-draft", "drafted", first=10)
    async with served(api.app) as address:
        said = await findings(address, SECRETS[Role.PUBLISHER], tmp_path)
    assert said is None, said
