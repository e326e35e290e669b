"""The APIs as their documents describe them: schemathesis tries each call, all of its checks hold."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from newsroom import topics
from newsroom.events import EntryAdded, Event, decode_event
from newsroom.http.app import Health
from newsroom.kafka.fake import FakeReader
from newsroom.keys import ApiKey, Role, digest
from newsroom.times import now
from services.render.app import create_site
from services.render.archive import Archive
from services.render.live import Hub
from services.render.onrequest import OnRequest
from services.render.pages import Pages
from services.render.previewing import preview_routes
from services.render.reuse import reuse_routes
from services.render.serving import SiteServer
from services.render.settings import RenderSettings
from tests.due_parts import sent
from tests.ingest_parts import Ingest, an_ingest, rendered, secret_of, stored
from tests.render_parts import SITE_URL, a_public, a_site
from tests.render_world import SmallRender
from tests.store_api import SECRETS, Api
from tests.store_parts import a_post, an_event, minute
from tests.wire_parts import our_http

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
        config = uvicorn.Config(
            app, http=our_http(), log_config=None, access_log=False, lifespan="off", ws="none"
        )
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


async def a_full_store() -> Api:
    """With something for each question, under the names that the document's examples have."""
    api = Api()
    await api.filed("bank-siege", "published", "updated", "corrected", live=True)
    post = EntryAdded(entry_id="0930-police", entry=a_post())
    await api.file(an_event("entry_added", "bank-siege", data=post, at=minute(5)))
    await api.filed("a-draft", "drafted", first=10)
    await api.file(sent("published", "scheduled", at=minute(20), create=True, publish_at=minute(60)))
    return api


async def test_the_examples_of_the_store_name_what_stands() -> None:
    """Or its document would be tried on nothing but what is not found."""
    api = await a_full_store()
    paths = (await api.get("/openapi.json")).json()["paths"]
    for path in ("/articles/{article_id}", "/articles/{article_id}/entries/{entry_id}"):
        parameters = [each for each in paths[path]["get"]["parameters"] if each["in"] == "path"]
        named = {each["name"]: each["schema"]["examples"][0] for each in parameters}
        assert (await api.get(path.format(**named))).status_code == 200


@asynccontextmanager
async def a_site_with_a_story(folder: Path) -> AsyncIterator[FastAPI]:
    """Render's application with one article; its streams end at once, or one would wait for them."""
    render = SmallRender(folder)
    await render.take(a_public("bank-siege"))
    await render.list_marked()
    pages, hub = Pages(a_site()), Hub(SITE_URL)
    hub.name_log("document")
    hub.ready.set()
    async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(404))) as store:
        on_request = OnRequest(Archive("http://store.test", SecretStr(SECRETS[Role.PUBLISHER]), store), pages)
        server = SiteServer(render.folder.root, pages, render.model.address, on_request=on_request)
        routers = [preview_routes(on_request, pages), reuse_routes(render.model, pages, now)]
        hurried = RenderSettings().model_copy(update={"live_age_seconds": 0.05})
        app = create_site(hurried, Health("render"), hub, render.model, server, routers)
        app.state.keys.put(
            ApiKey(
                name="desk",
                role=Role.PUBLISHER,
                secret_sha256=digest(SECRETS[Role.PUBLISHER]),
                created_at=minute(0),
            )
        )
        yield app
    render.folder.close()


async def test_the_site_keeps_to_its_document(tmp_path: Path) -> None:
    """Of the site only what is no page stands in it: streams, previews, excerpts, oEmbed."""
    async with a_site_with_a_story(tmp_path / "site") as app, served(app) as address:
        said = await findings(address, SECRETS[Role.PUBLISHER], tmp_path)
    assert said is None, said


async def test_the_store_keeps_to_its_document(tmp_path: Path) -> None:
    api = await a_full_store()
    async with served(api.app) as address:
        said = await findings(address, SECRETS[Role.PUBLISHER], tmp_path)
    assert said is None, said
