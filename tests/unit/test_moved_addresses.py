"""Addresses that an article had lead to the one it has: for ever, in one step, also after a rebuild."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from newsroom.http.app import Health
from newsroom.outcomes import Rejection
from newsroom.updates import ArticleUpdate
from services.render.app import create_site
from services.render.live import Hub
from services.render.serving import SiteServer
from services.render.settings import RenderSettings
from services.store.announcing import update_of
from services.store.articles import Article
from services.store.filing import apply
from tests.render_parts import SITE_URL, PlainPages
from tests.render_world import SmallRender
from tests.store_parts import a_text, an_event, minute, position

BELOW = ("", "history/", "history/1-2/", "entries/1/", "entries/key/")
MOVES: tuple[dict[str, Any], ...] = (
    {"section": "Kazakhstan"},
    {"section": "World"},
    {"section": "World", "slug": "siege"},
    {"section": "Asia", "slug": "siege"},
    {"section": "Asia", "slug": "bank"},
)


def moved_about(*kinds: str) -> list[Article]:
    """An article after each of its moves, then after events of these kinds."""
    steps = ["published", *["updated"] * (len(MOVES) - 1), *kinds]
    articles: list[Article] = []
    for number, kind in enumerate(steps):
        text = a_text(f"Headline {number}", **MOVES[min(number, len(MOVES) - 1)])
        event = an_event(kind, "a", text=text, create=number == 0, at=minute(number))
        after = apply(articles[-1] if articles else None, event, position(number))
        assert not isinstance(after, Rejection)
        articles.append(after)
    return articles


class World:
    """Render with the site that it serves."""

    def __init__(self, folder: Path) -> None:
        self.render = SmallRender(folder)
        server = SiteServer(self.render.folder.root, PlainPages(), self.render.model.address)
        app = create_site(RenderSettings(), Health("render"), Hub(SITE_URL), self.render.model, server)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=SITE_URL)

    async def led(self, path: str) -> tuple[int, str]:
        """Status, and where it leads to."""
        answer = await self.client.get(path)
        return answer.status_code, answer.headers.get("location", "")

    async def close(self) -> None:
        await self.client.aclose()
        self.render.folder.close()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    yield made
    await made.close()


async def take(world: World, articles: Sequence[Article], *, is_rebuild: bool) -> ArticleUpdate:
    """What readers saw come one by one, a rebuild takes from the last announcement alone."""
    for article in articles[-1:] if is_rebuild else articles:
        await world.render.take(update_of(article), again=is_rebuild)
    return update_of(articles[-1])


def paths_of(articles: Sequence[Article]) -> list[str]:
    """Every path it had, in the order of its moves."""
    return list(dict.fromkeys(path for article in articles if (path := article.path)))


@pytest.mark.parametrize("is_rebuild", [False, True], ids=["moved", "rebuilt"])
async def test_every_address_of_a_chain_leads_to_the_last_in_one_step(world: World, is_rebuild: bool) -> None:
    """With whatever stood below it."""
    articles = moved_about()
    await take(world, articles, is_rebuild=is_rebuild)
    *former, present = paths_of(articles)
    assert len(former) == len(MOVES) - 1
    for path in former:
        for below in BELOW:
            assert await world.led(path + below) == (301, present + below)
            assert await world.led((path + below).removesuffix("/")) == (301, present + below)
    assert (await world.led(present))[0] == 200


@pytest.mark.parametrize("is_rebuild", [False, True], ids=["moved", "rebuilt"])
@pytest.mark.parametrize(
    ("kinds", "status"),
    [(("withdrawn",), 410), (("retracted",), 301), (("withdrawn", "published"), 301), (("drafted",), 301)],
)
async def test_former_addresses_share_what_becomes_of_the_article(
    world: World, kinds: tuple[str, ...], status: int, is_rebuild: bool
) -> None:
    """Gone with a withdrawal and back after it; a retracted page stays at its address."""
    articles = moved_about(*kinds)
    last = await take(world, articles, is_rebuild=is_rebuild)
    for path in paths_of(articles)[:-1]:
        assert await world.led(path) == (status, last.path if status == 301 else "")


@pytest.mark.parametrize("is_rebuild", [False, True], ids=["moved", "rebuilt"])
async def test_an_address_that_is_taken_up_again_leads_nowhere_else(world: World, is_rebuild: bool) -> None:
    """The one left for it leads there by now: no circle."""
    first = moved_about()
    back = an_event("updated", "a", text=a_text("Back", section="Asia", slug="siege"), at=minute(30))
    after = apply(first[-1], back, position(30))
    assert not isinstance(after, Rejection)
    await take(world, [*first, after], is_rebuild=is_rebuild)
    assert after.path == first[3].path
    assert (await world.led(after.path or ""))[0] == 200
    assert await world.led(first[4].path or "") == (301, after.path)
