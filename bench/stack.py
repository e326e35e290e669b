"""A newsroom of its own to be measured: the parts of `make up`, in a folder and on ports of their own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx

from bench.articles import a_request, an_article, page_path
from bench.machine import cores
from desk.machine import MORE_RENDERS, PORT_SETTINGS
from desk.parts.home import Home
from desk.parts.kafka import Kafka
from desk.parts.mongod import Mongod
from desk.parts.part import Part
from desk.parts.ports import free_ports
from desk.parts.prepare import prepare
from desk.parts.service import Service, service_of
from faults.stage.environment import SERVICES, address, environment
from newsroom.keys import new_secret
from newsroom.outcomes import EventState, EventStatus
from newsroom.times import now
from newsroom.topics import PARTITIONS

RENDERS = min(PARTITIONS, max(2, cores() // 2))
"""How many processes render where a measure is of many articles: so many as the machine has use for."""
PATIENCE_SECONDS = 20.0
POLL_SECONDS = 0.004
_ASK_SECONDS = 0.05
ONE_KEY = {"NEWSROOM_KEY_REQUESTS_PER_MINUTE": "10000000"}
"""Settings for a load that comes with one key, whose bound would be met first."""


class Broken(Exception):
    """The newsroom did not do what is to be measured. Says what."""


@dataclass(frozen=True)
class Newsroom:
    """Where everything answers that was started, and the services themselves, to stop and start them."""

    bootstrap: str
    mongo_url: str
    ingest: str
    store: str
    site: str
    public: Path
    key: str
    pids: Mapping[str, int]
    services: Sequence[Service] = ()


@dataclass(frozen=True)
class Publication:
    """One article on its way. `page_seconds` until it was fetched; `moments` are seconds since the POST."""

    page_seconds: float
    moments: Mapping[str, float]


@contextmanager
def a_newsroom(
    root: Path,
    jars: Path,
    say: Callable[[str], None],
    *,
    services: Sequence[str] = SERVICES,
    has_documents: bool = True,
    settings: Mapping[str, str] = MappingProxyType({}),
    renders: int = 1,
) -> Iterator[Newsroom]:
    """Kafka, mongod and the three services with everything they keep below `root`, stopped at the end.

    Fewer `services`, or no documents, for a measure of a part alone. `settings` for the services stand in
    place of ours. `renders`: how many processes of it. Raises: PartFailed, Misconfigured when something does
    not start.
    """
    home = Home(root)
    home.make()
    prepare(jars, say)
    kafka_port, controller, mongo_port, *ports = free_ports(5 + renders)
    kafka, mongod = Kafka(home, kafka_port, controller, jars), Mongod(home, mongo_port)
    key = new_secret()
    names = (*SERVICES, *MORE_RENDERS[: renders - 1])
    by_name = dict(zip(names, ports, strict=True))
    addresses = {name: address(port) for name, port in by_name.items()}
    told = environment(kafka=kafka.bootstrap, mongo=mongod.url, key=key, pages=home.site, ports=by_name)
    foundations = [kafka, mongod] if has_documents else [kafka]
    running = [
        Service(name, home, addresses[name], {**told, PORT_SETTINGS[service_of(name)]: str(port), **settings})
        for name, port in by_name.items()
        if service_of(name) in services
    ]
    with ExitStack() as stack:
        for parts in (foundations, running):
            _start(stack, parts)
        yield Newsroom(
            bootstrap=kafka.bootstrap,
            mongo_url=mongod.url,
            ingest=addresses["ingest"],
            store=addresses["store"],
            site=addresses["render"],
            public=home.site / "public",
            key=key,
            pids={part.name: part.pid for part in (*running, *foundations) if part.pid is not None},
            services=running,
        )


def _start(stack: ExitStack, parts: Sequence[Part]) -> None:
    """Start them all, then wait for each; whatever was started is stopped when the stack unwinds."""
    for part in parts:
        stack.callback(part.stop)
        part.start()
    for part in parts:
        part.wait_until_ready()


class Editor:
    """Publishes articles in a newsroom and fetches their pages, over connections that stay open."""

    def __init__(self, newsroom: Newsroom) -> None:
        self._newsroom = newsroom
        headers = {"Authorization": f"Bearer {newsroom.key}"}
        self._desk = httpx.AsyncClient(
            base_url=newsroom.ingest, headers=headers, timeout=2 * PATIENCE_SECONDS
        )
        self._reader = httpx.AsyncClient(base_url=newsroom.site, timeout=PATIENCE_SECONDS)

    async def close(self) -> None:
        await self._desk.aclose()
        await self._reader.aclose()

    async def publish(self, name: str) -> Publication:
        """Publish the article called so, and fetch its page as soon as it stands. Raises: Broken."""
        article_id, article = f"bench-{name}", an_article(name)
        path = page_path(article_id, article, now())
        body = a_request(article_id, article)
        posted, begun = time.time(), time.perf_counter()
        response = await self._desk.post("/articles", json=body)
        if response.status_code != httpx.codes.ACCEPTED:
            raise Broken(f"POST /articles answered {response.status_code}: {response.text[:300]}")
        answered = time.time()
        await self._fetch(path, article.headline)
        page_seconds, fetched = time.perf_counter() - begun, time.time()
        status = await self._rendered(response.json()["status_url"])
        seen = {"answered 202": answered, "fetched": fetched}
        return Publication(page_seconds, _since(posted, status, seen))

    async def send(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Post it and wait until it is rendered; the answer. Raises: Broken."""
        headers = {"Prefer": f"wait={PATIENCE_SECONDS:.0f}"}
        response = await self._desk.post(path, json=body, headers=headers)
        if response.status_code not in (httpx.codes.OK, httpx.codes.CREATED):
            raise Broken(f"POST {path} answered {response.status_code}: {response.text[:300]}")
        answer: dict[str, Any] = response.json()
        return answer

    async def _fetch(self, path: str, headline: str) -> None:
        """Ask for the page over HTTP, again and again, until it is there. Raises: Broken."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            response = await self._reader.get(path)
            if response.status_code == httpx.codes.OK and headline in response.text:
                return
            if time.monotonic() > deadline:
                raise Broken(f"the page {path} does not stand after {PATIENCE_SECONDS:.0f} s")
            await asyncio.sleep(POLL_SECONDS)

    async def _rendered(self, status_url: str) -> EventStatus:
        """What became of the event, once everything became of it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            status = EventStatus.model_validate_json((await self._desk.get(status_url)).content)
            if status.state is EventState.RENDERED:
                return status
            if time.monotonic() > deadline:
                raise Broken(f"an event is only {status.state.value} after {PATIENCE_SECONDS:.0f} s")
            await asyncio.sleep(_ASK_SECONDS)


def _since(posted: float, status: EventStatus, seen: Mapping[str, float]) -> dict[str, float]:
    """Seconds since the POST of each moment that the event's status tells, and of those seen here."""
    told: dict[str, datetime] = dict(status.times)
    return {name: moment.timestamp() - posted for name, moment in told.items()} | {
        name: at - posted for name, at in seen.items()
    }
