"""What others may take of an article, on request: never more than the rule allows, never without the link."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import pytest_asyncio

from newsroom.excerpts import excerpt
from newsroom.http.app import Health
from newsroom.updates import ArticleUpdate, ChangeKind
from services.render.app import create_site
from services.render.live import Hub
from services.render.pages import Pages
from services.render.reuse import reuse_routes
from services.render.serving import SiteServer
from services.render.settings import RenderSettings
from tests.page_parts import (
    BODY,
    FIRST_PUBLISHED,
    SENTENCES,
    a_retraction,
    a_story,
    a_text,
    a_told,
    read_page,
)
from tests.render_parts import SITE_URL, a_draft, a_site, a_withdrawn
from tests.render_world import SmallRender

PAGES = Pages(a_site("Kazakhstan"))
STORY = a_story(
    None,
    a_told(2, ChangeKind.CORRECTION, "It was seven, not eight."),
    a_told(3, ChangeKind.UPDATED, "Two are free."),
)
PLACE = str(STORY.path)


class Site:
    """A site with what became of some updates."""

    def __init__(self, folder: Path) -> None:
        self.render = SmallRender(folder)
        self.now = FIRST_PUBLISHED + timedelta(hours=1)
        server = SiteServer(self.render.folder.root, PAGES, self.render.model.address)
        routers = [reuse_routes(self.render.model, PAGES, clock=lambda: self.now)]
        app = create_site(
            RenderSettings(), Health("render"), Hub(SITE_URL), self.render.model, server, routers
        )
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=SITE_URL)

    async def take(self, *updates: ArticleUpdate) -> None:
        for update in updates:
            await self.render.take(update)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(path, headers={"accept-encoding": "identity"} | named)

    async def data(self, path: str) -> dict[str, Any]:
        answer = await self.get(path)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    made = Site(tmp_path)
    yield made
    await made.client.aclose()
    made.render.folder.close()


def asked(url: str) -> str:
    return f"/oembed?url={quote(url, safe='')}&format=json"


def moved(story: ArticleUpdate) -> ArticleUpdate:
    """The story at a later revision, in another section."""
    former = str(story.path)
    return story.model_copy(
        update={
            "revision": story.revision + 1,
            "path": former.replace("/kazakhstan/", "/world/"),
            "former_paths": (former,),
        }
    )


async def test_an_excerpt_is_data_with_all_that_a_quote_needs(site: Site) -> None:
    await site.take(STORY)
    told = await site.data(f"{PLACE}excerpt.json")
    assert told["excerpt"] == excerpt(BODY)
    assert told["url"] == told["terms"]["link"] == f"{SITE_URL}{PLACE}"
    assert (told["headline"], told["language"]) == ("Hostages freed in Astana", "en")
    assert told["authors"] == ["Aigerim Bekova", "Tomas Lind"]
    assert told["terms"] == {"link": told["url"], "most_percent": 30, "policy": f"{SITE_URL}/reuse/"}
    assert SENTENCES[6] not in json.dumps(told)


async def test_every_form_has_the_link_and_the_latest_correction(site: Site) -> None:
    """Also where something else was told after it."""
    await site.take(STORY)
    told = await site.data(f"{PLACE}excerpt.json")
    assert told["state"]["kind"] == "correction"
    assert told["state"]["note"] == "It was seven, not eight."
    page = (await site.get(f"{PLACE}excerpt.html")).text
    card = (await site.data(asked(f"{SITE_URL}{PLACE}")))["html"]
    for form in (told["text"], told["html"], page, card):
        assert f"{SITE_URL}{PLACE}" in form
        assert "Correction: It was seven, not eight." in form
        assert SENTENCES[0] in form
        assert SENTENCES[6] not in form


async def test_the_page_holds_the_quote_and_leads_to_the_article(site: Site) -> None:
    await site.take(STORY)
    answer = await site.get(f"{PLACE}excerpt.html")
    page = read_page(answer.content)
    assert page.one("link", rel="canonical")["href"] == f"{SITE_URL}{PLACE}"
    assert page.one("blockquote")["cite"] == f"{SITE_URL}{PLACE}"
    assert page.one("blockquote").one("footer").one("a")["href"] == f"{SITE_URL}{PLACE}"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    "url",
    [PLACE, PLACE.rstrip("/"), f"{PLACE}#updates", f"{PLACE}?from=there", f"{PLACE}entries/1/#entry-e1"],
    ids=["page", "without a slash", "a place on it", "with a query", "an entry below it"],
)
async def test_oembed_knows_the_page_by_its_address(site: Site, url: str) -> None:
    await site.take(STORY)
    told = await site.data(asked(SITE_URL + url))
    assert (told["type"], told["version"]) == ("rich", "1.0")
    assert [type(told[size]) for size in ("width", "height", "cache_age")] == [int, int, int]
    assert told["title"] == "Hostages freed in Astana"
    assert told["author_name"] == "Aigerim Bekova, Tomas Lind"
    assert told["provider_name"] == "The Test"
    assert "<script" not in told["html"]


async def test_oembed_keeps_to_the_room_that_it_is_given(site: Site) -> None:
    await site.take(STORY)
    address = asked(f"{SITE_URL}{PLACE}")
    wide, narrow = await site.data(address), await site.data(f"{address}&maxwidth=320&maxheight=150")
    assert (narrow["width"], narrow["height"]) == (320, 150)
    assert wide["width"] == 600
    assert (await site.data(f"{address}&maxwidth=320"))["height"] > wide["height"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        (f"?url={SITE_URL}/nowhere/", 404),
        ("?url=http://other.test/kazakhstan/", 404),
        (f"?url={SITE_URL}.other.test{PLACE}", 404),
        (f"?url={SITE_URL}/", 404),
        ("", 422),
        (f"?url={SITE_URL}{PLACE}&format=xml", 422),
        (f"?url={SITE_URL}{PLACE}&maxwidth=0", 422),
    ],
)
async def test_oembed_refuses_what_it_cannot_answer(site: Site, query: str, status: int) -> None:
    await site.take(STORY)
    answer = await site.get(f"/oembed{query}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("name", ["excerpt.json", "excerpt.html"])
async def test_a_former_address_leads_on(site: Site, name: str) -> None:
    await site.take(STORY, moved(STORY))
    answer = await site.get(PLACE + name)
    assert answer.status_code == 301
    assert answer.headers["location"] == f"{moved(STORY).path}{name}"
    assert (await site.data(asked(f"{SITE_URL}{PLACE}")))["html"].count(str(moved(STORY).path)) == 2


async def test_of_a_retracted_article_only_the_retraction_is_told(site: Site) -> None:
    await site.take(STORY, a_retraction(STORY, "It was not so."))
    told = await site.data(f"{PLACE}excerpt.json")
    assert (told["headline"], told["excerpt"]) == ("This article has been retracted", "")
    assert (told["state"]["kind"], told["state"]["note"]) == ("retraction", "It was not so.")
    card = await site.data(asked(f"{SITE_URL}{PLACE}"))
    page = await site.get(f"{PLACE}excerpt.html")
    for form in (json.dumps(told), card["html"], page.text):
        assert "Retraction: It was not so." in form
        assert "Hostages" not in form
        assert "Sentence" not in form


async def test_of_a_withdrawn_article_nothing_is_told(site: Site) -> None:
    await site.take(STORY, a_withdrawn(STORY, 4))
    for path in (
        f"{PLACE}excerpt.json",
        f"{PLACE}excerpt.html",
        asked(f"{SITE_URL}{PLACE}"),
        "/articles/story/",
    ):
        answer = await site.get(path)
        assert answer.status_code == 410
        assert "Sentence" not in answer.text


async def test_an_article_that_was_never_public_is_as_unknown_as_any(site: Site) -> None:
    await site.take(a_draft("hidden"))
    for known, unknown in (
        ("/articles/hidden/", "/articles/nothing/"),
        ("/kazakhstan/2023/06/20/hidden/excerpt.json", "/kazakhstan/2023/06/20/nothing/excerpt.json"),
        ("/kazakhstan/2023/06/20/hidden/excerpt.html", "/kazakhstan/2023/06/20/nothing/excerpt.html"),
    ):
        one, other = await site.get(known), await site.get(unknown)
        assert (one.status_code, one.content) == (other.status_code, other.content)
        assert one.status_code == 404


async def test_an_id_leads_to_where_the_page_stands_now(site: Site) -> None:
    await site.take(STORY, moved(STORY))
    answer = await site.get("/articles/story/")
    assert (answer.status_code, answer.headers["location"]) == (302, moved(STORY).path)
    assert answer.headers["cache-control"] == "no-cache"


async def test_news_are_those_of_the_last_two_days(site: Site) -> None:
    """The clock alone takes them out; a retraction at once."""
    await site.take(STORY, a_story(a_text(headline="Second"), article_id="second"))
    page = (await site.get("/news-sitemap.xml")).text
    assert page.count("<news:news>") == 2
    await site.take(a_retraction(STORY, "It was not so."))
    assert "Hostages" not in (await site.get("/news-sitemap.xml")).text
    site.now = FIRST_PUBLISHED + timedelta(hours=49)
    assert "<news:news>" not in (await site.get("/news-sitemap.xml")).text


async def test_what_is_made_is_asked_for_again_each_time_and_sent_only_when_it_changed(site: Site) -> None:
    await site.take(STORY)
    for path in (
        f"{PLACE}excerpt.json",
        f"{PLACE}excerpt.html",
        asked(f"{SITE_URL}{PLACE}"),
        "/news-sitemap.xml",
    ):
        first = await site.get(path, accept_encoding="gzip")
        assert first.headers["cache-control"] == "no-cache"
        assert first.headers["access-control-allow-origin"] == "*"
        again = await site.get(path, accept_encoding="gzip", if_none_match=first.headers["etag"])
        assert (again.status_code, again.content) == (304, b"")
        plain = await site.get(path)
        assert plain.content == first.content
        assert "content-encoding" not in plain.headers


async def test_a_quote_speaks_the_article_s_language(site: Site) -> None:
    story = a_story(a_text(language="ar"), a_told(2, ChangeKind.CORRECTION, "سبعة."), article_id="arabic")
    await site.take(story)
    page = read_page((await site.get(f"{story.path}excerpt.html")).content)
    assert (page["lang"], page["dir"]) == ("ar", "rtl")
    assert page.one("blockquote").attributes["dir"] == "rtl"
    told = await site.data(f"{story.path}excerpt.json")
    assert told["state"]["label"] not in ("", "Correction")
