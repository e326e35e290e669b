"""What machines read, of a whole site: every feed as a feed reader reads it, every sitemap by its schema."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import feedparser  # type: ignore[import-untyped]
import httpx
import pytest
import pytest_asyncio
import xmlschema
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]

from tests.node_tools import asked
from tests.page_parts import read_page
from tests.schema_org import faults
from tests.whole_site import WholeSite

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCHEMAS = Path(__file__).parent.parent / "schemas"
ASYNCAPI = Path(__file__).parent.parent.parent / "docs" / "asyncapi.yaml"
JSON_FEED = Draft202012Validator(
    json.loads((SCHEMAS / "json-feed.json").read_text()), format_checker=FormatChecker()
)
SITEMAP = xmlschema.XMLSchema(SCHEMAS / "sitemap.xsd")
ON_REQUEST = ("/news-sitemap.xml",)
VERSIONS = {".atom": "atom10", ".rss": "rss20"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def files(site: WholeSite) -> AsyncIterator[Mapping[str, bytes]]:
    """What lies in the folder, and what machines may ask for besides."""
    async with httpx.AsyncClient(base_url=site.url) as client:
        made = {path: (await client.get(path)).content for path in ON_REQUEST}
    yield site.files() | made


def named(files: Mapping[str, bytes], *suffixes: str) -> dict[str, bytes]:
    return {path: content for path, content in files.items() if PurePosixPath(path).suffix in suffixes}


def sitemaps_of(files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {path: content for path, content in named(files, ".xml").items() if "sitemap" in path}


async def test_every_feed_is_read_without_a_complaint(files: Mapping[str, bytes]) -> None:
    """And each is of the version that its name says."""
    feeds = named(files, ".atom", ".rss")
    assert {"/feed.atom", "/feed.rss", "/kazakhstan/feed.atom", "/updates/feed.rss"} <= feeds.keys()
    for path, content in feeds.items():
        feed = feedparser.parse(content)
        assert not feed.bozo, (path, feed.get("bozo_exception"))
        assert feed.version == VERSIONS[PurePosixPath(path).suffix], path
        ids = [entry.id for entry in feed.entries]
        assert len(set(ids)) == len(ids), path
        assert all(entry.link.startswith("http") and entry.title for entry in feed.entries), path


async def test_every_json_feed_is_one_by_its_rules(files: Mapping[str, bytes]) -> None:
    feeds = {path: content for path, content in files.items() if path.endswith("feed.json")}
    assert {"/feed.json", "/tags/astana/feed.json", "/updates/feed.json"} <= feeds.keys()
    for path, content in feeds.items():
        problems = [
            f"{error.json_path}: {error.message}" for error in JSON_FEED.iter_errors(json.loads(content))
        ]
        assert problems == [], path


async def test_the_three_feeds_of_a_listing_tell_the_same(files: Mapping[str, bytes]) -> None:
    """The same entries under the same names in the same order, and no listing without all three."""
    stems = {path.rpartition(".")[0] for path in named(files, ".atom")}
    assert len(stems) > 5
    for stem in stems:
        atom, rss = (feedparser.parse(files[f"{stem}.{suffix}"]) for suffix in ("atom", "rss"))
        items: list[dict[str, Any]] = json.loads(files[f"{stem}.json"])["items"]
        ids = [entry.id for entry in atom.entries]
        assert [entry.id for entry in rss.entries] == ids, stem
        assert [item["id"] for item in items] == ids, stem


async def test_every_sitemap_is_valid(files: Mapping[str, bytes]) -> None:
    sitemaps = sitemaps_of(files)
    assert {
        "/sitemap.xml",
        "/sitemaps/pages.xml",
        "/sitemaps/2023-06.xml",
        "/news-sitemap.xml",
    } <= sitemaps.keys()
    assert sitemaps["/news-sitemap.xml"].count(b"<news:news>") > 10
    for path, content in sitemaps.items():
        problems = [error.reason for error in SITEMAP.iter_errors(content.decode())]
        assert problems == [], path


async def test_every_address_in_a_sitemap_is_a_page(site: WholeSite, files: Mapping[str, bytes]) -> None:
    """Of the index, a sitemap."""
    for path, content in sitemaps_of(files).items():
        for address in re.findall(r"<loc>(.+?)</loc>", content.decode()):
            place = address.removeprefix(site.pages.site.url)
            assert f"{place}index.html" in files or place in files, (path, address)


async def test_every_page_that_engines_may_list_stands_in_a_sitemap(files: Mapping[str, bytes]) -> None:
    """Articles and what stands always; not what listings lead to."""
    told = b" ".join(sitemaps_of(files).values()).decode()
    for path, page in named(files, ".html").items():
        if b'"og:type" content="article"' in page:
            assert f"{path.removesuffix('index.html')}</loc>" in told, path


@pytest.mark.parametrize(
    "wrong", ["<url/>", "<url><loc>/a/</loc></url>", "<url><loc>http://a.test/</loc><x/></url>"]
)
async def test_a_sitemap_that_is_wrong_is_found(wrong: str) -> None:
    """So that the test above can fail."""
    assert not SITEMAP.is_valid(
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{wrong}</urlset>'
    )


@pytest.mark.usefixtures("checkers")
async def test_the_reference_parser_has_nothing_to_say_of_the_asyncapi_document(tmp_path: Path) -> None:
    """And of one that is wrong it has."""
    assert asked("asyncapi.mjs", str(ASYNCAPI)) == []
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(ASYNCAPI.read_text().replace("operations:", "operation:", 1))
    assert asked("asyncapi.mjs", str(wrong)) != []


async def test_every_graph_is_sound_by_schema_org_s_vocabulary(files: Mapping[str, bytes]) -> None:
    """And no page that search engines may list is without one."""
    for path, content in named(files, ".html").items():
        page = read_page(content)
        scripts = page.all("script", type="application/ld+json")
        is_listed = page.one("meta", name="robots")["content"] != "noindex"
        assert len(scripts) == int(is_listed), path
        for script in scripts:
            assert faults(json.loads("".join(str(child) for child in script.children))) == [], path
