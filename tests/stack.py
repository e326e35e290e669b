"""A whole newsroom for a test: the three services as processes on real servers, driven over HTTP.

Every service starts through `faults.stage.launch`, so that a test may trap it between any two of its steps.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
from pymongo import MongoClient

from desk.parts import leash
from desk.parts.ports import free_ports
from faults.stage import patience, written
from faults.stage.environment import SERVICES, address, environment
from faults.stage.rest import Rest
from newsroom import keys, topics
from newsroom.kafka import cluster
from tests.closings import all_closed

LEASH = (sys.executable, "-I", "-S", leash.__file__)
"""Should pytest be killed, its services go with it."""

T = TypeVar("T")

Json = dict[str, Any]


def free_port() -> int:
    return free_ports(1)[0]


async def until(
    condition: Callable[[], Awaitable[T | None]], what: str, seconds: float = patience.PATIENCE_SECONDS
) -> T:
    """As the experiment waits, and looks more often: a test waits for little at a time."""
    return await patience.until(condition, what, seconds, look_seconds=0.05)


class Stack:
    """Processes by name, an HTTP client with the publisher's key, and the pages."""

    def __init__(self, bootstrap: str, mongo_url: str, folder: Path) -> None:
        self.bootstrap, self.mongo_url, self.folder = bootstrap, mongo_url, folder
        self.pages = folder / "site"
        self.public = self.pages / "public"
        self.key = keys.new_secret()
        self.ports = {service: free_port() for service in SERVICES}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.database = f"test_{secrets.token_hex(4)}"
        self.rest = Rest(
            bootstrap, mongo_url, f"{self.database}_store", f"{self.database}_render", pages=self.pages
        )
        self.client = httpx.AsyncClient(headers={"Authorization": f"Bearer {self.key}"}, timeout=30)
        self.reader = httpx.AsyncClient(timeout=30)
        """Somebody without a key."""

    def url(self, service: str) -> str:
        return address(self.ports[service])

    def environment(self, **more: str) -> dict[str, str]:
        told = environment(
            kafka=self.bootstrap, mongo=self.mongo_url, key=self.key, pages=self.pages, ports=self.ports
        )
        return {
            **told,
            "PYTHONWARNINGS": "default",
            "NEWSROOM_STORE_DATABASE": self.rest.store_database,
            "NEWSROOM_RENDER_DATABASE": self.rest.render_database,
            **more,
        }

    def spawn(self, service: str, *, name: str = "", trap: str = "", **more: str) -> subprocess.Popen[bytes]:
        """Start a service; `trap` as in `faults.stage.launch`. A further instance needs a name and a port."""
        name = name or service
        if trap:
            self.mark(name).unlink(missing_ok=True)
            more |= {"NEWSROOM_TEST_TRAP": trap, "NEWSROOM_TEST_MARK": str(self.mark(name))}
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [*LEASH, str(os.getpid()), sys.executable, "-m", "faults.stage.launch", service],
                env=self.environment(**more),
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes[name] = process
        return process

    def mark(self, name: str) -> Path:
        return self.folder / f"{name}.mark"

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    async def ready(self, service: str, port: int | None = None) -> None:
        url = f"http://127.0.0.1:{port or self.ports[service]}/health/ready"

        async def is_ready() -> bool:
            try:
                return (await self.client.get(url)).status_code == 200
            except httpx.TransportError:
                return False

        try:
            await until(is_ready, f"{service} ready")
        except TimeoutError as error:
            raise TimeoutError(f"{error}\n{self.log(service)[-3000:]}") from error

    async def start(self, service: str, *, trap: str = "") -> None:
        """Start a service and wait until it is ready."""
        self.spawn(service, trap=trap)
        await self.ready(service)

    async def dies(self, name: str) -> int:
        """Wait until a process has ended; its return code (-9: SIGKILL)."""
        process = self.processes[name]

        async def has_ended() -> bool:
            return process.poll() is not None

        await until(has_ended, f"{name} ends")
        del self.processes[name]
        return process.returncode

    async def springs(self, name: str) -> str:
        """Wait until the trap of a process was reached; the point's name."""

        async def marked() -> str | None:
            return self.mark(name).read_text() if self.mark(name).exists() else None

        return await until(marked, f"{name} reaches its trap")

    def signal(self, name: str, number: signal.Signals) -> None:
        self.processes[name].send_signal(number)

    async def kill(self, name: str) -> None:
        self.signal(name, signal.SIGKILL)
        await self.dies(name)

    async def stop(self, name: str) -> int:
        """Graceful stop; the exit code."""
        self.signal(name, signal.SIGTERM)
        return await self.dies(name)

    # --- as an editor

    async def send(self, method: str, path: str, body: Json, **headers: str) -> httpx.Response:
        """A request to ingest with `Prefer: wait=20`, unless a header says otherwise."""
        named = {"prefer": "wait=20"} | {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.request(method, self.url("ingest") + path, json=body, headers=named)

    async def publish(self, article_id: str, **changes: Any) -> Json:
        """A new public article, rendered."""
        response = await self.send("POST", "/articles", an_article(article_id, **changes))
        assert response.status_code == 201, response.text
        answer: Json = response.json()
        return answer

    async def page(self, path_or_url: str) -> httpx.Response:
        url = path_or_url if path_or_url.startswith("http") else self.url("render") + path_or_url
        return await self.client.get(url)

    # --- at rest

    async def settled(self) -> None:
        """Wait until no rebuild runs and every consumer has committed to the end of its topic."""
        await until(self._is_settled, "rest")

    async def _is_settled(self) -> bool:
        return not await self.rest.what_moves()

    async def notice_count(self) -> int:
        """How many records stand on the notices' topic."""
        return sum((await cluster.end_offsets(self.bootstrap, topics.NOTICES)).values())

    def files(self) -> dict[str, str]:
        """Every served file with the SHA-256 of its bytes."""
        return dict(written.files(self.public))

    def read_page(self, path: str) -> str:
        return (self.public / path.strip("/") / "index.html").read_text()

    def delete_pages(self) -> None:
        shutil.rmtree(self.pages)

    def delete_databases(self) -> None:
        with MongoClient[Json](self.mongo_url) as client:
            for name in client.list_database_names():
                if name.startswith(self.database):
                    client.drop_database(name)

    async def close(self) -> None:
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
        self.processes.clear()
        await self.client.aclose()
        await self.reader.aclose()


@asynccontextmanager
async def a_stack(bootstrap: str, mongo_url: str, folder: Path) -> AsyncIterator[Stack]:
    """A newsroom that runs, and is gone afterwards."""
    stack = Stack(bootstrap, mongo_url, folder)
    try:
        for service in SERVICES:
            stack.spawn(service)
        for service in SERVICES:
            await stack.ready(service)
        await stack.settled()
        yield stack
    finally:
        await stack.close()
        await all_closed()


def an_article(article_id: str, **changes: Any) -> Json:
    """A request body that the door accepts."""
    return {
        "id": article_id,
        "headline": f"Story {article_id}",
        "deck": "A line under the headline.",
        "body": f"<p>The first words of {article_id}. They are followed by others. And by more of them.</p>",
        "section": "Kazakhstan",
        "tags": ["Astana"],
        "authors": ["A. Reporter"],
        "dateline": {"place": "Astana, Kazakhstan", "timezone": "Asia/Almaty"},
        **changes,
    }


def without_id(article: Json) -> Json:
    """The same article as the body of a later event (its id stands in the path)."""
    return {name: value for name, value in article.items() if name != "id"}
