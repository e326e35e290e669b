"""Pages made on request: the words that changed between two revisions, and previews by key."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr

from newsroom.articles import ArticleText
from newsroom.differences import Difference, Side
from newsroom.errors import Away
from newsroom.http.app import Health
from newsroom.keys import ApiKey, Role, digest
from newsroom.updates import Status
from services.render import onrequest
from services.render.app import create_site
from services.render.archive import Archive
from services.render.live import Hub
from services.render.onrequest import OnRequest
from services.render.pages import Pages
from services.render.previewing import preview_routes, secret_in
from services.render.readmodel import Address
from services.render.serving import SiteServer
from services.render.settings import RenderSettings
from services.render.site import SiteFolder
from services.store.diffs import field_differences
from tests.page_parts import Element, a_text, read_page
from tests.render_parts import SITE_URL, MemoryReadModel, a_site, until

PLACE = "/kazakhstan/2023/06/20/bank-aaaaaa/"
FORMER = "/world/2023/06/20/bank-aaaaaa/"
OLDEST = "/asia/2023/06/20/siege-aaaaaa/"
WHEN = datetime(2023, 6, 20, 4, 40, tzinfo=UTC)
PUBLISHER = "nrk_publisher"
PAGES = Pages(a_site())
OLD = a_text(headline="Eight freed", body="<p>Eight people were freed.</p>")
NEW = a_text(headline="Seven freed", body="<p>Seven people were freed.</p><p>They are well.</p>")


def a_difference(old: ArticleText = OLD, new: ArticleText = NEW, kind: str = "correction") -> Difference:
    return Difference(
        article_id="a1",
        older=Side(revision=1, kind="published", time=WHEN),
        newer=Side(revision=3, kind=kind, time=WHEN, note="It was seven."),
        fields=field_differences(old, new, whole=True),
        article=new.model_copy(update={"body": ""}),
    )


class Desk:
    """The store's read API as render sees it. `answers`: by path; others are unknown."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {"/articles/a1/diff": a_difference().model_dump(mode="json")}
        self.asked: list[httpx.Request] = []
        self.status = 200
        self.before_answer: Callable[[], None] = lambda: None
        self.open = asyncio.Event()
        self.open.set()
        self.at_once = self.most_at_once = 0

    async def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        await self.open.wait()
        self.at_once -= 1
        self.before_answer()
        if self.status == 0:
            raise httpx.ConnectError("nobody there")
        found = self.answers.get(request.url.path)
        if found is None:
            return httpx.Response(404, json={})
        return httpx.Response(self.status, json=found)


class Site:
    """A site in front of that store, with what the read model says about addresses."""

    def __init__(self, folder: SiteFolder, key: str | None = PUBLISHER) -> None:
        self.folder, self.desk = folder, Desk()
        self.addresses: dict[str, Address] = {PLACE: Address("a1", Status.PUBLIC, PLACE)}
        self._store = httpx.AsyncClient(transport=httpx.MockTransport(self.desk.handle))
        archive = Archive("http://store.test", SecretStr(key) if key else None, self._store)
        on_request = OnRequest(archive, PAGES)
        server = SiteServer(folder.root, PAGES, self._address, on_request=on_request)
        settings, hub = RenderSettings(), Hub(SITE_URL)
        routers = [preview_routes(on_request, PAGES)]
        self.app = create_site(settings, Health("render"), hub, MemoryReadModel(), server, routers)
        for role in Role:
            secret = f"nrk_{role.value}"
            self.app.state.keys.put(
                ApiKey(name=role.value, role=role, secret_sha256=digest(secret), created_at=WHEN)
            )
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url=SITE_URL)

    async def _address(self, path: str) -> Address | None:
        return self.addresses.get(path)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(path, headers={"accept-encoding": "identity"} | named)

    async def close(self) -> None:
        await self.client.aclose()
        await self._store.aclose()
        self.folder.close()


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    folder = SiteFolder(tmp_path)
    folder.open()
    made = Site(folder)
    yield made
    await made.close()


# --- the words that changed


async def test_the_words_that_changed_are_marked_in_headline_and_text(site: Site) -> None:
    """And told in a word to those who see neither line nor stroke."""
    page = read_page((await site.get(f"{PLACE}history/1-3/")).content)
    assert [mark.text for mark in page.one("h1").all("del")] == ["[removed] Eight"]
    assert [mark.text for mark in page.one("h1").all("ins")] == ["[added] Seven"]
    body = page.one("div", class_="body")
    assert body.text == "[removed] Eight [added] Seven people were freed.[added] They are well."
    assert "5 words added" in page.text
    assert "2 removed" in page.text


async def test_the_page_says_which_two_revisions_it_shows(site: Site) -> None:
    page = read_page((await site.get(f"{PLACE}history/1-3/")).content)
    sides = [side.text for side in page.one("dl", class_="pair").all("dd")]
    assert sides == [
        "Published 20 June, 2023 | 10:40 UTC+6 Revision 1 First published.",
        "Correction 20 June, 2023 | 10:40 UTC+6 Revision 3 It was seven.",
    ]
    links = [link["href"] for link in page.one("main").all("a")]
    assert links[-2:] == [PLACE, f"{PLACE}history/"]


async def test_a_comparison_is_no_page_for_engines_and_is_asked_for_each_time(site: Site) -> None:
    answer = await site.get(f"{PLACE}history/1-3/")
    page = read_page(answer.content)
    assert page.one("meta", name="robots")["content"] == "noindex"
    assert page.one("link", rel="canonical")["href"] == f"{SITE_URL}{PLACE}history/"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert answer.headers["cache-control"] == "no-cache"
    again = await site.get(f"{PLACE}history/1-3/", if_none_match=answer.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    assert not answer.headers["etag"].startswith("W/")


async def test_a_comparison_comes_packed_to_whoever_takes_it(site: Site) -> None:
    """Under an entity tag of its own, which is the same each time."""
    plain = await site.get(f"{PLACE}history/1-3/")
    packed = [await site.get(f"{PLACE}history/1-3/", accept_encoding="gzip") for _ in range(2)]
    assert packed[0].headers["content-encoding"] == "gzip"
    assert packed[0].content == plain.content
    assert packed[0].headers["etag"] == packed[1].headers["etag"] != plain.headers["etag"]


async def test_a_comparison_is_never_written(site: Site) -> None:
    await site.get(f"{PLACE}history/1-3/")
    assert [path async for path in _files(site)] == []


async def _files(site: Site) -> AsyncIterator[str]:
    for path in await site.folder.paths():
        yield path


async def test_the_store_is_asked_for_what_the_public_sees(site: Site) -> None:
    """With the publisher's key, by which it would see everything."""
    await site.get(f"{PLACE}history/1-3/")
    (asked,) = site.desk.asked
    assert dict(asked.url.params) == {"from": "1", "to": "3", "view": "public", "whole": "true"}
    assert asked.headers["authorization"] == f"Bearer {PUBLISHER}"


@pytest.mark.parametrize("rest", ["", "history/", "history/1-3/", "entries/2/", "entries/key/"])
@pytest.mark.parametrize("former", [FORMER, OLDEST])
async def test_every_former_address_leads_to_the_present_one_in_one_step(
    site: Site, former: str, rest: str
) -> None:
    """With what is below it, with and without the slash at the end, through a chain of moves."""
    site.addresses |= {path: Address("a1", Status.PUBLIC, PLACE) for path in (FORMER, OLDEST)}
    for asked in (f"{former}{rest}", f"{former}{rest}".removesuffix("/")):
        answer = await site.get(f"{asked}?utm=1")
        assert (answer.status_code, answer.headers["location"]) == (301, f"{PLACE}{rest}?utm=1")
    assert site.desk.asked == []


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (Address("a1", Status.WITHDRAWN, None), 410),
        (Address("a1", Status.UNPUBLISHED, None), 404),
        (Address("a1", Status.RETRACTED, PLACE), 404),
        (None, 404),
    ],
)
async def test_nothing_is_compared_of_what_is_not_public(
    site: Site, address: Address | None, status: int
) -> None:
    """The store is not even asked; one that is taken down while it answers is gone too."""

    def take_down() -> None:
        site.addresses.clear()
        site.addresses |= {PLACE: address} if address else {}

    site.desk.before_answer = take_down
    meanwhile = await site.get(f"{PLACE}history/1-3/")
    after = await site.get(f"{PLACE}history/1-3/")
    assert (meanwhile.status_code, after.status_code) == (status, status)
    assert b"Seven" not in meanwhile.content + after.content
    assert len(site.desk.asked) == 1


@pytest.mark.parametrize("pair", ["0-1", "01-3", "1-", "-3", "1-3-4", "a-b", "1", "1-" + "9" * 30])
async def test_no_other_address_below_a_history_is_a_page(site: Site, pair: str) -> None:
    assert (await site.get(f"{PLACE}history/{pair}/")).status_code == 404
    assert site.desk.asked == []


async def test_revisions_that_the_public_may_not_see_are_no_page(site: Site) -> None:
    site.desk.answers.clear()
    assert (await site.get(f"{PLACE}history/1-2/")).status_code == 404


@pytest.mark.parametrize("status", [0, 401, 500, 503])
async def test_a_store_that_is_away_is_told_as_such(site: Site, status: int) -> None:
    site.desk.status = status
    answer = await site.get(f"{PLACE}history/1-3/")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert b"We will be right back" in answer.content


async def test_without_a_publishers_key_there_are_no_comparisons(tmp_path: Path) -> None:
    folder = SiteFolder(tmp_path)
    folder.open()
    site = Site(folder, key=None)
    assert (await site.get(f"{PLACE}history/1-3/")).status_code == 503
    await site.close()


async def test_a_crowd_at_a_comparison_waits_or_comes_again(site: Site) -> None:
    """Few are made at once; beyond those that may wait, the answer is 503 at once. The desk's previews have
    room of their own.
    """
    site.desk.open.clear()
    crowd = [asyncio.create_task(site.get(f"{PLACE}history/1-3/")) for _ in range(onrequest.MOST + 3)]
    await until(lambda: sum(task.done() for task in crowd) == 3, "the last three are told to come again")
    assert site.desk.at_once == onrequest.AT_ONCE
    site.desk.answers["/articles/a1"] = HEAD
    preview = asyncio.create_task(site.get("/preview/a1", authorization=bearer(Role.EDITOR)))
    await until(lambda: site.desk.at_once == onrequest.AT_ONCE + 1, "the preview is asked for")
    site.desk.open.set()
    assert (await preview).status_code == 200
    answers = [answer.status_code for answer in await asyncio.gather(*crowd)]
    assert (answers.count(200), answers.count(503)) == (onrequest.MOST, 3)
    assert site.desk.most_at_once == onrequest.AT_ONCE + 1


def test_a_deck_that_came_or_went_is_shown() -> None:
    """Also the other fields that readers see, as they were and are."""
    new = NEW.model_copy(update={"deck": "", "tags": ("Astana",)})
    page = read_page(PAGES.versions(PLACE, a_difference(new=new)))
    assert page.one("p", class_="deck").text == "[removed] Nobody was hurt."
    assert "Tags: [removed] Astana, Police [added] Astana" in page.text


# --- previews

HEAD: dict[str, Any] = {
    "id": "a1",
    "revision": 4,
    "status": "unpublished",
    "article": NEW.model_dump(mode="json"),
    "time": "2023-06-20T04:40:00Z",
}
SCHEDULED = {"waiting": "scheduled", "due_at": "2023-06-21T04:40:00Z", "withheld_revision": 4}


def bearer(role: Role) -> str:
    return f"Bearer nrk_{role.value}"


def basic(role: Role, name: str = "") -> str:
    return "Basic " + base64.b64encode(f"{name}:nrk_{role.value}".encode()).decode()


async def previewed(site: Site, query: str = "", **head: Any) -> Element:
    site.desk.answers["/articles/a1"] = HEAD | head
    answer = await site.get(f"/preview/a1{query}", authorization=bearer(Role.REPORTER))
    assert answer.status_code == 200
    return read_page(answer.content)


async def test_a_preview_is_the_page_as_it_would_be(site: Site) -> None:
    """Under a banner, without anything that makes an open page follow an article."""
    page = await previewed(site, draft_revision=4)
    assert page.one("h1").text == "Seven freed"
    assert page.one("div", class_="body").text == "Seven people were freed.They are well."
    assert page.one("body").attributes == {"data-page": "preview"}
    assert page.all("button", role="switch") == []
    assert page.one("link", rel="stylesheet")["href"].startswith("/assets/")
    assert page.one("meta", name="robots")["content"] == "noindex"
    assert page.all("script", type="application/ld+json") == []
    assert [link for link in page.all("a") if "history" in link["href"]] == []


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ({"draft_revision": 4}, "Draft, not public. Revision 4."),
        (SCHEDULED, "Scheduled for 21 June, 2023 | 10:40 UTC+6. Revision 4."),
        (SCHEDULED | {"waiting": "embargoed"}, "Embargoed until 21 June, 2023 | 10:40 UTC+6. Revision 4."),
        (SCHEDULED | {"draft_revision": 5, "revision": 5}, "Draft, not public. Revision 5."),
        (SCHEDULED | {"revision": 6}, "Scheduled for 21 June, 2023 | 10:40 UTC+6. Revision 4."),
        ({"status": "withdrawn"}, "Withdrawn, not public. Revision 4."),
        (
            {"status": "public", "url": f"{SITE_URL}{PLACE}", "published_at": "2023-06-20T04:40:00Z"},
            "Public. Revision 4. The public page",
        ),
    ],
)
async def test_the_banner_says_what_is_shown(site: Site, head: dict[str, Any], words: str) -> None:
    page = await previewed(site, **head)
    assert page.one("aside", class_="preview").text == f"Preview. {words}"


@pytest.mark.parametrize(
    ("number", "is_public", "words"),
    [
        (2, True, "An earlier revision. Revision 2."),
        (3, False, "Was not public. Revision 3."),
        (4, False, "Scheduled for 21 June, 2023 | 10:40 UTC+6. Revision 4."),
        (5, False, "Draft, not public. Revision 5."),
    ],
)
async def test_one_revision_can_be_previewed(site: Site, number: int, is_public: bool, words: str) -> None:
    answer = {"revision": number, "is_public": is_public, "article": OLD.model_dump(mode="json")}
    site.desk.answers[f"/articles/a1/revisions/{number}"] = answer
    page = await previewed(site, f"?revision={number}", **SCHEDULED, draft_revision=5)
    assert page.one("aside", class_="preview").text == f"Preview. {words}"
    assert page.one("h1").text == "Eight freed"


@pytest.mark.parametrize("given", [None, "Bearer", "Bearer nrk_wrong", "Basic !", "Basic Zm9v", "Digest x"])
async def test_without_a_good_key_every_article_answers_alike(site: Site, given: str | None) -> None:
    """The store is not asked, so not even the time of the answer tells whether there is one."""
    site.desk.answers["/articles/a1"] = HEAD
    headers = {"authorization": given} if given else {}
    known, unknown = [await site.get(f"/preview/{name}", **headers) for name in ("a1", "b2")]
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert known.status_code == 401
    assert known.headers["www-authenticate"].startswith("Basic realm=")
    assert known.headers["cache-control"] == "no-store"
    assert site.desk.asked == []


async def test_a_reader_may_see_no_preview(site: Site) -> None:
    answer = await site.get("/preview/a1", authorization=bearer(Role.READER))
    assert answer.status_code == 403
    assert site.desk.asked == []


@pytest.mark.parametrize("role", [Role.REPORTER, Role.EDITOR, Role.PUBLISHER])
async def test_a_browser_and_a_tool_give_the_key_each_in_its_way(site: Site, role: Role) -> None:
    """The store is asked with that key, not with render's own, and judges it again."""
    site.desk.answers["/articles/a1"] = HEAD
    for given in (bearer(role), basic(role), basic(role, "anybody")):
        answer = await site.get("/preview/a1", authorization=given)
        assert answer.status_code == 200
        assert site.desk.asked.pop().headers["authorization"] == bearer(role)


async def test_very_many_bad_keys_for_previews_are_told_to_wait(site: Site) -> None:
    """As anywhere else; whoever sends none is asked for one each time."""
    bad = [await site.get("/preview/a1", authorization="Bearer nrk_nobody") for _ in range(61)]
    assert [answer.status_code for answer in bad] == [401] * 60 + [429]
    assert bad[-1].headers["retry-after"]
    assert (await site.get("/preview/a1")).status_code == 401
    assert (await site.get("/preview/a1", authorization=bearer(Role.READER))).status_code == 403


async def test_a_preview_is_kept_nowhere(site: Site) -> None:
    site.desk.answers["/articles/a1"] = HEAD
    answer = await site.get("/preview/a1", authorization=basic(Role.EDITOR))
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert "etag" not in answer.headers
    assert [path async for path in _files(site)] == []


@pytest.mark.parametrize("name", ["b2", "a%2F..%2Fa1", "..", "a1%3Fx", "x" * 65])
async def test_an_unknown_article_has_no_preview(site: Site, name: str) -> None:
    site.desk.answers["/articles/a1"] = HEAD
    answer = await site.get(f"/preview/{name}", authorization=bearer(Role.EDITOR))
    assert answer.status_code == 404
    assert "Seven" not in answer.text


async def test_a_retracted_article_has_no_preview(site: Site) -> None:
    """Not even of a revision, should the store show one."""
    site.desk.answers["/articles/a1"] = {"id": "a1", "revision": 4, "status": "retracted"}
    site.desk.answers["/articles/a1/revisions/1"] = {"revision": 1, "article": OLD.model_dump(mode="json")}
    for query in ("", "?revision=1"):
        answer = await site.get(f"/preview/a1{query}", authorization=bearer(Role.PUBLISHER))
        assert answer.status_code == 404


async def test_no_preview_before_the_keys_are_read(site: Site) -> None:
    """A key that is good may not be known yet: neither yes nor no can be said."""
    site.app.state.keys_are_known = lambda: False
    answer = await site.get("/preview/a1", authorization=bearer(Role.EDITOR))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert (await site.get("/preview/a1")).status_code == 401


async def test_a_revoked_key_sees_nothing_more(site: Site) -> None:
    site.desk.answers["/articles/a1"] = HEAD
    key = site.app.state.keys.by_name("editor")
    site.app.state.keys.put(key.model_copy(update={"revoked_at": WHEN}))
    assert (await site.get("/preview/a1", authorization=bearer(Role.EDITOR))).status_code == 401


def test_only_one_whole_header_is_a_key() -> None:
    assert secret_in(["bearer nrk_x"]) == "nrk_x"
    assert secret_in(["Basic " + base64.b64encode(b"me:nrk_a:b").decode()]) == "nrk_a:b"
    for given in ([], ["Bearer a", "Bearer b"], ["Basic " + base64.b64encode(b"\xff\xfe").decode()]):
        assert secret_in(given) is None


async def test_an_answer_that_cannot_be_read_counts_as_none() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={"id": 1}))
    async with httpx.AsyncClient(transport=transport) as client:
        with pytest.raises(Away):
            await Archive("http://store.test", None, client).head("a1", "nrk_x")
