"""The benchmark's peer: when a page counts as there, what is compared, and what is told without a Wagtail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NoReturn

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bench import peer, wagtail
from bench.articles import an_article
from bench.environments import Environment
from bench.machine import cores
from bench.peer import NoPeer
from bench.stack import Broken
from bench.table import Size, Stand
from bench.wagtail import OURS, PLANS, THEIRS, Found, Load, Side, chapter, measure_wagtail


class FakeSite:
    """Takes articles; a page is there from the third time on that it is asked for, home names it then."""

    def __init__(self, status: int = 202) -> None:
        self.status = status
        self.waits: list[str | None] = []
        self.asked: dict[str, int] = {}
        self.headlines: list[str] = []

    async def post(self, request: web.Request) -> web.Response:
        self.headlines.append((await request.json())["headline"])
        self.waits.append(request.headers.get("Prefer"))
        return web.Response(status=self.status, text="no")

    async def get(self, request: web.Request) -> web.Response:
        count = self.asked[request.path] = self.asked.get(request.path, 0) + 1
        return web.Response(status=200 if count > 2 else 404, text="\n".join(self.headlines))


@asynccontextmanager
async def a_side(site: FakeSite) -> AsyncIterator[Side]:
    app = web.Application()
    app.add_routes([web.post("/articles", site.post), web.get("/{path:.*}", site.get)])
    async with TestServer(app) as server, aiohttp.ClientSession(str(server.make_url("/"))) as session:
        yield Side(session, session, lambda article_id, _: f"/page/{article_id}/", {"Prefer": "wait=9"})


async def test_a_page_is_asked_for_until_it_is_there() -> None:
    site = FakeSite()
    async with a_side(site) as side:
        page, home = await side.turn("1")
    assert site.asked == {"/page/bench-1/": 3, "/": 3}
    assert 0.008 <= page < home
    assert site.headlines == [an_article("1").headline]
    assert site.waits == [None]


async def test_clients_ask_for_the_answer_when_the_page_is_there() -> None:
    site = FakeSite(status=201)
    async with a_side(site) as side:
        count, seconds = await side.load("load", 0.01)
    assert count == len(site.waits)
    assert seconds >= 0.01
    assert set(site.waits) == {"wait=9"}
    assert len(site.waits) == len(site.asked) > 0


async def test_what_is_refused_is_told() -> None:
    async with a_side(FakeSite(status=422)) as side:
        with pytest.raises(Broken, match="422: no"):
            await side.publish("1")


async def test_a_page_that_never_says_so_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wagtail, "PATIENCE_SECONDS", 0.05)
    async with a_side(FakeSite()) as side:
        with pytest.raises(Broken, match="does not say “words”"):
            await side.shows("/", "words")


@pytest.mark.parametrize(
    ("ours", "latency_is_met", "rate_is_met"),
    [
        (Found([0.01], [0.3], Load(100, 1.0, 2.0)), True, True),
        (Found([0.011], [0.3], Load(98, 1.0, 2.0)), False, False),
    ],
)
def test_the_newsroom_is_compared_with_wagtail(ours: Found, latency_is_met: bool, rate_is_met: bool) -> None:
    """By rate until its listings stand: that its pages do is told beside."""
    theirs = Found([0.02], [0.03], Load(20, 2.0, 2.0))
    rows = {row.what: row for row in chapter([{OURS: ours, THEIRS: theirs}], "", PLANS[Size.SMOKE]).rows}
    assert rows["POST to page fetched, p50"].is_met is latency_is_met
    assert rows["created, fetched and listed"].is_met is rate_is_met
    assert rows["created, fetched and listed"].value == pytest.approx(ours.load.count / 20)
    assert rows["created and fetched"].is_met is None
    assert rows["created and fetched"].value == pytest.approx(ours.load.count / 10)
    assert rows["newsroom: created, fetched and listed"].value == pytest.approx(ours.load.count / 2)
    assert rows["POST to page fetched, slowest of 1"].goal is None
    assert rows["POST to home naming it, p50"].value == pytest.approx(10)
    assert rows["Wagtail: POST to page fetched, p50"].value == pytest.approx(20)


def test_without_wagtail_it_is_told_what_was_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> NoReturn:
        raise NoPeer("no network; get one")

    monkeypatch.setattr(wagtail, "a_wagtail", none)
    found = measure_wagtail(Stand(tmp_path, tmp_path, lambda _: None, Size.SMOKE))
    assert found.rows == ()
    assert found.skipped == "no Wagtail to compare with: no network; get one"


def test_wagtail_has_a_worker_for_each_core_and_two_at_least() -> None:
    assert max(2, cores()) == peer.WORKERS
    found = Found([0.01], [0.02], Load(1, 1, 1))
    assert f"{peer.WORKERS} workers" in chapter([{OURS: found, THEIRS: found}], "", PLANS[Size.SMOKE]).how


def test_a_wagtail_that_cannot_be_installed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> NoReturn:
        raise Broken("no network")

    monkeypatch.setattr(Environment, "made", fails)
    with pytest.raises(NoPeer, match="no network"), peer.a_wagtail(tmp_path, ["World"], lambda _: None):
        pass
