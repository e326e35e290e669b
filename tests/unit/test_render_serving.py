"""From the pages folder to a reader: encodings, validators, former addresses, and nothing that is no page."""

from __future__ import annotations

import gzip
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import brotli  # type: ignore[import-untyped]
import httpx
import pytest
import pytest_asyncio
from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from newsroom.errors import Away
from newsroom.http.app import Health
from newsroom.updates import Status
from services.render.app import create_site
from services.render.headers import SECURITY
from services.render.live import Hub
from services.render.negotiation import accepted_encodings, matches
from services.render.onrequest import OnRequest
from services.render.previewing import preview_routes
from services.render.readmodel import Address
from services.render.reuse import reuse_routes
from services.render.serving import SiteServer
from services.render.settings import RenderSettings
from services.render.site import SiteFolder
from services.render.verification import Comparison, verification_routes
from tests.render_parts import SITE_URL, MemoryReadModel, PlainPages

PLACE = "/kazakhstan/2023/06/20/bank-aaaaaa/"
FORMER = "/world/2023/06/20/bank-aaaaaa/"
PAGE = b"<p>words</p>" * 100


class Site:
    """A served folder, with what the read model says about addresses."""

    def __init__(self, folder: SiteFolder, *, serves_pages: bool = True) -> None:
        self.folder = folder
        self.addresses: dict[str, Address] = {}
        self.is_away = False
        server = SiteServer(folder.root, PlainPages(), self._address, serves_pages=serves_pages)
        settings = RenderSettings()
        hub = Hub(SITE_URL)
        app = create_site(settings, Health("render"), hub, MemoryReadModel(), server)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=SITE_URL)

    async def _address(self, path: str) -> Address | None:
        if self.is_away:
            raise Away("mongodb")
        return self.addresses.get(path)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(SITE_URL + path, headers={"accept-encoding": "identity"} | named)


@pytest_asyncio.fixture(params=["serves pages", "behind an edge"])
async def any_site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Site]:
    folder = SiteFolder(tmp_path)
    folder.open()
    site = Site(folder, serves_pages=request.param == "serves pages")
    yield site
    await site.client.aclose()
    folder.close()


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    folder = SiteFolder(tmp_path)
    folder.open()
    await folder.settle({f"{PLACE}index.html": PAGE, "/index.html": b"front", "/assets/site.1.css": b"p {}"})
    site = Site(folder)
    yield site
    await site.client.aclose()
    folder.close()


@pytest.mark.parametrize(
    ("accepts", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("BR", "br"),
        ("identity", None),
        ("", None),
        ("br;q=0.000, gzip; q=0", None),
        ("br;q=nonsense", None),
    ],
)
async def test_a_page_comes_in_the_best_encoding_that_the_reader_takes(
    site: Site, accepts: str, coding: str | None
) -> None:
    """All say the same, each under an entity tag of its own."""
    async with site.client.stream("GET", PLACE, headers={"accept-encoding": accepts}) as response:
        raw = b"".join([part async for part in response.aiter_raw()])
    assert response.status_code == 200
    assert response.headers.get("content-encoding") == coding
    assert response.headers["vary"] == "Accept-Encoding"
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[coding]
    assert unpack(raw) == PAGE
    assert response.headers["content-type"] == "text/html; charset=utf-8"


async def test_each_encoding_has_an_entity_tag_of_its_own(site: Site) -> None:
    """A cache that holds one of them is not told that it has the other."""
    tags = {
        (await site.get(PLACE, accept_encoding=coding)).headers["etag"]
        for coding in ("identity", "br", "gzip")
    }
    assert len(tags) == 3


async def test_a_missing_sibling_falls_back_to_the_page_itself(site: Site) -> None:
    """As between the rename of a page and that of its siblings."""
    (site.folder.root / f"{PLACE}index.html.br".lstrip("/")).unlink()
    response = await site.get(PLACE, accept_encoding="br")
    assert "content-encoding" not in response.headers
    assert response.content == PAGE


async def test_what_the_reader_has_is_not_sent_again(site: Site) -> None:
    """304 with the headers that a 200 would have had, and no body."""
    first = await site.get(PLACE)
    for names in (
        first.headers["etag"],
        f"W/{first.headers['etag']}",
        f'"other", {first.headers["etag"]}',
        "*",
    ):
        again = await site.get(PLACE, if_none_match=names)
        assert again.status_code == 304
        assert again.content == b""
        for header in ("etag", "cache-control", "vary", "content-security-policy"):
            assert again.headers[header] == first.headers[header]
    assert (await site.get(PLACE, if_none_match='"other"')).status_code == 200


@pytest.fixture
def _settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that stood for a while: they are kept in memory from the first time that they are asked for."""
    monkeypatch.setattr("services.render.copies.time", SimpleNamespace(time=lambda: time.time() + 60))


@pytest.mark.usefixtures("_settled")
async def test_each_reader_of_a_page_that_is_kept_gets_the_same(site: Site) -> None:
    """Under a trace of his own; with what he has in mind and not what others have."""
    first, second = await site.get(PLACE), await site.get(PLACE)
    assert first.headers.pop("x-trace-id") != second.headers.pop("x-trace-id")
    assert (first.headers.multi_items(), first.content) == (second.headers.multi_items(), second.content)
    has = await site.get(PLACE, if_none_match=first.headers["etag"])
    assert (has.status_code, (await site.get(PLACE)).status_code) == (304, 200)
    assert len(has.headers.get_list("x-trace-id")) == 1
    assert (await site.client.head(PLACE)).content == b""
    assert (await site.get(PLACE)).content == PAGE


@pytest.mark.usefixtures("_settled")
@pytest.mark.parametrize("coding", ["identity", "br", "gzip"])
async def test_a_page_that_is_kept_goes_with_its_file(site: Site, coding: str) -> None:
    """A new one is served at once; what was withdrawn to nobody, in no encoding."""
    assert (await site.get(PLACE, accept_encoding=coding)).content == PAGE
    await site.folder.settle({f"{PLACE}index.html": PAGE[::-1]})
    assert (await site.get(PLACE, accept_encoding=coding)).content == PAGE[::-1]
    await site.folder.settle({}, [PLACE])
    site.addresses[PLACE] = Address("a1", Status.WITHDRAWN, None)
    assert (await site.get(PLACE, accept_encoding=coding)).status_code == 410


@pytest.mark.usefixtures("_settled")
async def test_an_encoding_that_comes_later_is_served_from_then_on(site: Site) -> None:
    sibling = site.folder.root / f"{PLACE}index.html.br".lstrip("/")
    packed = sibling.read_bytes()
    sibling.unlink()
    assert "content-encoding" not in (await site.get(PLACE, accept_encoding="br")).headers
    sibling.write_bytes(packed)
    assert (await site.get(PLACE, accept_encoding="br")).headers["content-encoding"] == "br"


FEED = "/kazakhstan/feed.json"


async def came(site: Site, content: bytes, at: float, clock: pytest.MonkeyPatch, now: float) -> None:
    """A feed that was put in its place at one time, looked at at another."""
    await site.folder.settle({FEED: content})
    clock.setattr("services.render.negotiation._came", lambda _: at)
    clock.setattr("services.render.negotiation.time", SimpleNamespace(time=lambda: now))


async def test_a_feed_says_when_it_was_written_and_is_not_sent_twice(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    await came(site, b"{}", 1_687_236_000.3, monkeypatch, now=1_687_236_009)
    first = await site.get(FEED)
    assert first.headers["last-modified"] == "Tue, 20 Jun 2023 04:40:00 GMT"
    assert first.headers["content-type"] == "application/feed+json; charset=utf-8"
    assert first.headers["access-control-allow-origin"] == "*"
    again = await site.get(FEED, if_modified_since=first.headers["last-modified"])
    assert again.status_code == 304
    assert again.headers["last-modified"] == first.headers["last-modified"]
    older = await site.get(FEED, if_modified_since="Tue, 20 Jun 2023 04:39:59 GMT")
    assert older.status_code == 200


async def test_two_feeds_of_one_second_are_told_apart(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who fetched the first of them within that second gets the second one."""
    await came(site, b"{}", 1_687_236_000.3, monkeypatch, now=1_687_236_000.5)
    first = await site.get(FEED)
    await came(site, b"[]", 1_687_236_000.7, monkeypatch, now=1_687_236_009)
    again = await site.get(FEED, if_modified_since=first.headers["last-modified"])
    assert again.status_code == 200
    assert again.content == b"[]"


async def test_an_entity_tag_settles_it_alone(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await came(site, b"{}", 1_687_236_000.3, monkeypatch, now=1_687_236_009)
    late = "Wed, 21 Jun 2023 04:40:00 GMT"
    assert (await site.get(FEED, if_none_match='"another"', if_modified_since=late)).status_code == 200
    assert (await site.get(FEED, if_modified_since="yesterday")).status_code == 200


async def test_pages_have_no_other_validator_than_their_entity_tag(site: Site) -> None:
    """A second is too coarse for what must never be shown once it was taken back."""
    assert "last-modified" not in (await site.get(PLACE)).headers


async def test_head_answers_as_get_does_without_the_body(site: Site) -> None:
    """Same status and headers."""
    got, head = await site.get(PLACE), await site.client.head(PLACE, headers={"accept-encoding": "identity"})
    assert head.status_code == 200
    of_the_request = {"x-trace-id": ""}
    assert {**head.headers} | of_the_request == {**got.headers} | of_the_request


async def test_pages_are_asked_for_each_time_and_assets_never_again(site: Site) -> None:
    """A correction is never hidden by a cache; what is named by its content never changes."""
    assert (await site.get(PLACE)).headers["cache-control"] == "no-cache"
    assert (await site.get("/assets/site.1.css")).headers[
        "cache-control"
    ] == "public, max-age=31536000, immutable"


async def test_every_answer_carries_the_security_headers(site: Site) -> None:
    """Pages, redirects and errors."""
    site.addresses[FORMER] = Address("a1", Status.PUBLIC, PLACE)
    for path in (PLACE, PLACE.rstrip("/"), FORMER, "/nowhere/"):
        headers = (await site.get(path)).headers
        assert {name: headers.get(name) for name in SECURITY} == dict(SECURITY)


async def test_a_former_address_leads_to_the_present_one(any_site: Site) -> None:
    """With its history, its query, with and without the slash at the end."""
    any_site.addresses[FORMER] = Address("a1", Status.PUBLIC, PLACE)
    for asked, there in (
        (FORMER, PLACE),
        (FORMER.rstrip("/"), PLACE),
        (f"{FORMER}history/", f"{PLACE}history/"),
        (f"{FORMER}?utm=1", f"{PLACE}?utm=1"),
    ):
        response = await any_site.get(asked)
        assert (response.status_code, response.headers["location"]) == (301, there)
        assert response.headers["cache-control"] == "no-cache"


async def test_a_withdrawn_article_is_gone_and_one_that_was_never_public_is_unknown(any_site: Site) -> None:
    """410 says that there was something; 404 answers alike for whatever there never was."""
    any_site.addresses[PLACE] = Address("a1", Status.WITHDRAWN, None)
    any_site.addresses[FORMER] = Address("b2", Status.UNPUBLISHED, None)
    assert (await any_site.get(PLACE)).status_code == 410
    assert (await any_site.get(f"{PLACE}history/")).status_code == 410
    draft, unknown = await any_site.get(FORMER), await any_site.get("/world/2023/06/20/none-bbbbbb/")
    assert (draft.status_code, draft.content) == (unknown.status_code, unknown.content)
    assert unknown.status_code == 404
    assert unknown.headers["cache-control"] == "no-store"


async def test_a_page_that_comes_while_it_is_looked_for_is_served(any_site: Site) -> None:
    """An edge server found no file a moment ago, the read model says that it stands here: by now it does."""
    any_site.addresses[PLACE] = Address("a1", Status.PUBLIC, PLACE)
    assert (await any_site.get(PLACE)).status_code == 404
    await any_site.folder.settle({f"{PLACE}index.html": PAGE})
    assert (await any_site.get(PLACE)).content == PAGE


async def test_a_page_has_one_address(any_site: Site) -> None:
    """Its folder with a slash; the others lead there."""
    await any_site.folder.settle({"/kazakhstan/index.html": b"front"})
    for asked in ("/kazakhstan", "/kazakhstan/index.html"):
        response = await any_site.get(asked)
        assert (response.status_code, response.headers["location"]) == (301, "/kazakhstan/")


@pytest.mark.parametrize(
    "path",
    [
        "/index.html.br", "/index.html.gz", f"{PLACE}index.html.br", "/fingerprint.json",
        "/../fingerprint.json", "/%2e%2e/fingerprint.json", "/a/%2e%2e/%2e%2e/fingerprint.json",
        "//evil.example/", "/%2f%2fevil.example/", "/%5c%5cevil.example/", "/a//b/", "/%00", "/%7f",
        "/" + "a" * 3000, f"{PLACE}nothing.html", "/index.htm", "/assets/", "/.hidden",
    ],
)  # fmt: skip
async def test_nothing_but_pages_has_an_address(site: Site, path: str) -> None:
    """No compressed sibling, nothing beside the served root, no way out of the site."""
    (site.folder.root.parent / "fingerprint.json").write_text("{}")
    response = await site.get(path)
    assert response.status_code == 404
    assert b"<h1>404</h1>" in response.content


async def test_a_link_in_the_folder_is_not_followed(site: Site, tmp_path: Path) -> None:
    """Whoever put it there."""
    outside = tmp_path / "secret.html"
    outside.write_text("secret")
    (site.folder.root / "linked.html").symlink_to(outside)
    assert (await site.get("/linked.html")).status_code == 404


async def test_a_database_that_is_away_takes_no_page_away(site: Site) -> None:
    """Files are served; what only it can tell answers 503 with a time to come back."""
    site.is_away = True
    assert (await site.get(PLACE)).status_code == 200
    unknown = await site.get("/nowhere/")
    assert (unknown.status_code, unknown.headers["retry-after"]) == (503, "5")


@pytest.mark.parametrize("path", ["/", "/kazakhstan/", "/live/", "/articles/", "/updates/", PLACE])
def test_what_is_looked_at_first_is_a_page_and_nothing_else(path: str, tmp_path: Path) -> None:
    """None of the routes between would have answered."""
    for method in ("GET", "HEAD", "POST", "DELETE"):
        first, *others, last = all_routes(tmp_path)
        scope: Scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
        assert first.matches(dict(scope))[0] is last.matches(dict(scope))[0] is not Match.NONE
        assert [route for route in others if route.matches(dict(scope))[0] is not Match.NONE] == []


@pytest.mark.parametrize(
    "path", ["/articles/a1/", "/live", "/live/a1", "/preview/a1", "/metrics", f"{PLACE}excerpt.json", "/a\n/"]
)
def test_what_others_answer_comes_to_them(path: str, tmp_path: Path) -> None:
    first, *_ = all_routes(tmp_path)
    scope: Scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
    assert first.matches(scope)[0] is Match.NONE


def all_routes(root: Path) -> Sequence[BaseRoute]:
    """Those of the whole service."""
    model, pages = MemoryReadModel(), PlainPages()
    routers = [
        preview_routes(cast("OnRequest", None), pages),
        reuse_routes(model, pages),
        verification_routes(cast("Callable[[], Comparison]", None)),
    ]
    server = SiteServer(root, pages, model.address)
    return create_site(RenderSettings(), Health("render"), Hub(SITE_URL), model, server, routers).routes


async def test_only_reading_is_answered(site: Site) -> None:
    """A page takes nothing in."""
    assert (await site.client.post(PLACE)).status_code == 405


def test_accept_encoding_takes_only_what_is_named() -> None:
    """`*` is not taken for Brotli."""
    assert accepted_encodings("*") == {"*"}
    assert accepted_encodings(" gzip ;q=1.0 , br") == {"gzip", "br"}


def test_entity_tags_are_compared_weakly() -> None:
    assert matches('W/"a", "b"', '"a"')
    assert not matches(None, '"a"')
    assert not matches('"ab"', '"a"')
