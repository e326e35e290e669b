"""API keys reach every service from their topic, and a bad record stops nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from fastapi import Depends, FastAPI
from httpx import ASGITransport, AsyncClient

from newsroom import topics
from newsroom.http.app import create_app
from newsroom.http.auth import caller
from newsroom.http.health import Health
from newsroom.http.keyfeed import KeyFeed
from newsroom.kafka.fake import FakeLog, FakeReader
from newsroom.keys import ApiKey, Role, digest, key_message
from newsroom.records import Message
from newsroom.settings import CommonSettings
from newsroom.times import now


def a_key(**changes: object) -> ApiKey:
    key = ApiKey(name="wire", role=Role.EDITOR, secret_sha256=digest("nrk_wire"), created_at=now())
    return key.model_copy(update=changes)


@dataclass
class Following:
    """A feed that follows a log in memory."""

    log: FakeLog
    feed: KeyFeed

    async def put(self, key: ApiKey) -> None:
        await self.log.append(key_message(key))
        assert await self.feed.catch_up(30)


@pytest.fixture
async def following() -> AsyncIterator[Following]:
    log = FakeLog()
    feed = KeyFeed("", "test", make_reader=lambda take: FakeReader(log, topics.KEYS, take))
    running = asyncio.create_task(feed.run())
    assert await feed.catch_up(30)
    yield Following(log, feed)
    await feed.stop()
    await running


async def test_a_key_is_known_once_its_record_is_read(following: Following) -> None:
    assert following.feed.is_caught_up
    assert following.feed.ring.find("nrk_wire", now()) is None
    await following.put(a_key())
    assert following.feed.ring.find("nrk_wire", now()) == following.feed.ring.by_name("wire")


async def test_a_revocation_holds_and_nothing_undoes_it(following: Following) -> None:
    await following.put(a_key(revoked_at=now()))
    await following.put(a_key())
    assert following.feed.ring.find("nrk_wire", now()) is None


async def test_a_bad_record_is_passed_over(following: Following) -> None:
    good = key_message(a_key())
    await following.log.append(Message(topics.KEYS, b"x", b"no json"))
    await following.log.append(Message(topics.KEYS, b"x", None, good.headers))
    await following.log.append(Message(topics.KEYS, b"another-name", good.value, good.headers))
    assert await following.feed.catch_up(30)
    assert not following.feed.ring.all()
    await following.put(a_key())
    assert following.feed.ring.by_name("wire") is not None


async def test_keys_stay_known_while_the_log_is_away(following: Following) -> None:
    await following.put(a_key())
    following.log.go_away()
    assert not await following.feed.catch_up(0.1)
    assert following.feed.ring.find("nrk_wire", now()) is not None


def an_app(feed: KeyFeed) -> FastAPI:
    app = create_app(
        title="Test", description="", version="1", health=Health("test"), settings=CommonSettings()
    )
    app.state.keys = feed.ring

    @app.get("/me")
    async def me(key: ApiKey | None = Depends(caller)) -> str:  # noqa: B008  (FastAPI's way)
        return key.name if key else "nobody"

    return app


async def test_a_call_that_needs_no_key_still_judges_the_one_that_came(following: Following) -> None:
    await following.put(a_key())
    transport = ASGITransport(app=an_app(following.feed))
    async with AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get("/me")).json() == "nobody"
        named = {"Authorization": "Bearer nrk_wire"}
        assert (await client.get("/me", headers=named)).json() == "wire"
        unknown = await client.get("/me", headers={"Authorization": "Bearer nrk_other"})
        assert unknown.status_code == 401
        twice = [("Authorization", "Bearer nrk_wire"), ("Authorization", "Bearer nrk_wire")]
        assert (await client.get("/me", headers=twice)).status_code == 401
