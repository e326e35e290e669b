"""Everything that a newsroom puts out, in one place: files, answers, streams, topics, logs.

For the test that looks for texts where they may not be. Each output has a name, so that a find says where.
"""

from __future__ import annotations

import asyncio
import gzip
import importlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import brotli  # type: ignore[import-untyped]
import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Route

from faults.stage.environment import SERVICES
from newsroom.kafka.reader import TopicReader
from newsroom.records import Record

STREAM_SECONDS = 60.0
_UNPACK: Mapping[str, Callable[[bytes], bytes]] = {".gz": gzip.decompress, ".br": brotli.decompress}


@dataclass(frozen=True)
class Output:
    """Something that somebody may read: what it is, and all of it."""

    name: str
    text: str


def found(words: Iterable[str], outputs: Iterable[Output]) -> list[str]:
    """Where any of the words stand, in whatever case: `word: output`."""
    wanted = [word.lower() for word in words]
    return [
        f"{word}: {output.name}"
        for output in outputs
        for word in wanted
        if word in output.text.lower() or word in output.name.lower()
    ]


# --- what lies on the disk


def files(folder: Path) -> list[Output]:
    """Every file below the folder, served or not, unpacked where it is a compressed sibling."""
    return [
        Output(str(path.relative_to(folder)), _unpacked(path)) for path in folder.rglob("*") if path.is_file()
    ]


def _unpacked(path: Path) -> str:
    content = path.read_bytes()
    return _UNPACK.get(path.suffix, bytes)(content).decode(errors="replace")


def logs(folder: Path) -> list[Output]:
    """What the services have logged."""
    return [Output(path.name, path.read_text(errors="replace")) for path in folder.glob("*.log")]


# --- what stands on the log


async def records(bootstrap: str, topics: Sequence[str], *, newest_only: bool = False) -> list[Output]:
    """Every record of the topics; with `newest_only` what compaction would keep."""
    every = [record for topic in topics for record in await _read(bootstrap, topic)]
    kept = {(each.topic, each.key): each for each in every}.values() if newest_only else every
    return [_told(record) for record in kept]


async def _read(bootstrap: str, topic: str) -> list[Record]:
    seen: list[Record] = []
    reader = TopicReader(bootstrap, topic, seen.append, client_id="leaks")
    reading = asyncio.create_task(reader.run())
    try:
        assert await reader.catch_up(STREAM_SECONDS), topic
    finally:
        await reader.stop()
        await reading
    return seen


def _told(record: Record) -> Output:
    parts = [record.key or b"", record.value or b"", *(value or b"" for _, value in record.headers)]
    text = b"\n".join(part if isinstance(part, bytes) else str(part).encode() for part in parts)
    return Output(f"{record.topic} {record.partition}/{record.offset}", text.decode(errors="replace"))


# --- what is answered


async def routes(environment: Mapping[str, str]) -> set[tuple[str, str, str]]:
    """Service, method and path of everything the three applications answer, as their processes wire them."""
    apps = {service: await _wired(service, environment) for service in SERVICES}
    return {
        (service, method, path)
        for service, app in apps.items()
        for method, path in _paths(app.routes)
        if method != "HEAD"
    }


def _paths(routes: Iterable[BaseRoute], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Method and path of each route, those of included routers as well."""
    for route in routes:
        if isinstance(route, Route | APIRoute):
            yield from ((method, prefix + route.path) for method in route.methods or ())
        else:
            included: Any = route
            yield from _paths(included.original_router.routes, prefix + included.include_context.prefix)


async def _wired(service: str, environment: Mapping[str, str]) -> FastAPI:
    """The application that the process would serve: its `run`, up to where it begins to serve."""
    module = importlib.import_module(f"services.{service}.__main__")
    served: list[FastAPI] = []

    async def take(app: FastAPI, **_: Any) -> int:
        served.append(app)
        return 0

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "serve", take)
        patched.setattr(module, "configure_logging", lambda *_: None)
        for name, value in environment.items():
            if name.startswith("NEWSROOM_"):
                patched.setenv(name, value)
        await module.run()
    return served[0]


async def answer(client: httpx.AsyncClient, method: str, url: str) -> Output:
    """The whole answer to a request: where it leads, its headers and its body."""
    response = await client.request(method, url, json={} if method in ("POST", "PUT") else None)
    return Output(f"{method} {url} {response.status_code}", _whole(response) + response.text)


async def stream(client: httpx.AsyncClient, url: str, until: str, **headers: str) -> Output:
    """What an event stream sends until it matches that pattern; a refusal as a whole."""
    told = ""
    async with asyncio.timeout(STREAM_SECONDS), client.stream("GET", url, headers=headers) as response:
        if response.status_code != httpx.codes.OK:
            told = (await response.aread()).decode()
        async for line in response.aiter_lines():
            told += f"{line}\n"
            if re.search(until, told):
                break
    return Output(f"GET {url} {response.status_code}", _whole(response) + told)


def _whole(response: httpx.Response) -> str:
    return "".join(f"{name}: {value}\n" for name, value in response.headers.items())
