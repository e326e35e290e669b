"""`GET /articles/{id}/diff`: which revisions each may compare, with the text that the public saw."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from newsroom.articles import ArticleText
from newsroom.events import Released
from newsroom.keys import Role
from services.render.archive import Archive
from services.store import comparing
from services.store.articles import release_due
from services.store.diffs import field_differences
from tests.due_parts import sent
from tests.render_parts import until
from tests.store_api import EVERYBODY, INSIDERS, NOBODY, OUTSIDERS, READER, REPORTER, SECRETS, Api
from tests.store_parts import a_text, an_event, minute


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    made = Api()
    yield made
    await made.client.aclose()


async def diff(api: Api, older: int, newer: int, role: Role | None = None, **query: Any) -> httpx.Response:
    return await api.get("/articles/x/diff", role, **{"from": older, "to": newer}, **query)


async def told(api: Api, older: int, newer: int, role: Role | None = None, **query: Any) -> dict[str, Any]:
    """The differences by field."""
    answer = await diff(api, older, newer, role, **query)
    assert answer.status_code == 200, answer.text
    return {each["field"]: each for each in answer.json()["fields"]}


async def release(api: Api) -> None:
    due = release_due(api.revisions.standing["x"])
    assert due is not None
    await api.file(an_event("released", "x", data=Released(set_by=due.set_by, due_at=due.at), at=due.at))


def headline_of(difference: dict[str, Any]) -> str:
    return "".join(f"[{each['op'][0]}:{each['text'].strip()}]" for each in difference["segments"])


async def test_a_reader_is_told_the_words(api: Api) -> None:
    await api.filed("x", "published", "updated", "corrected")
    answer = await diff(api, 1, 3, READER)
    fields = {each["field"]: each for each in answer.json()["fields"]}
    assert headline_of(fields["headline"]) == "[e:x][r:1][a:3]"
    assert fields["body"]["html"].startswith("<p>x <del>1,</del> <ins>3,</ins> first.")
    assert (fields["body"]["added"], fields["body"]["removed"]) == (1, 1)
    assert answer.json()["older"]["kind"] == "published"
    assert (answer.json()["newer"]["kind"], answer.json()["newer"]["note"]) == (
        "correction", "It was 3, not 4."
    )  # fmt: skip
    assert answer.headers["vary"] == "Authorization"


async def test_without_a_key_only_fields_and_counts_are_told(api: Api) -> None:
    """A comparison would be a way around the excerpt; nor does asking for the whole change that."""
    await api.filed("x", "published", "updated")
    for query in ({}, {"whole": True}, {"view": "public", "whole": True}):
        answer = await diff(api, 1, 2, NOBODY, **query)
        assert answer.json()["fields"] == [
            {"field": "headline", "added": 1, "removed": 1}, {"field": "body", "added": 1, "removed": 1}
        ]  # fmt: skip
        assert "article" not in answer.json()
        assert "sentence" not in answer.text


@pytest.mark.parametrize("role", EVERYBODY)
async def test_a_revision_compared_with_itself_differs_in_nothing(api: Api, role: Role | None) -> None:
    await api.filed("x", "published")
    assert await told(api, 1, 1, role) == {}


@pytest.mark.parametrize("role", EVERYBODY)
async def test_the_earlier_revision_comes_first(api: Api, role: Role | None) -> None:
    await api.filed("x", "published", "updated")
    assert (await diff(api, 2, 1, role)).status_code == 422


@pytest.mark.parametrize("role", OUTSIDERS)
async def test_a_draft_is_compared_by_reporters_only(api: Api, role: Role | None) -> None:
    await api.filed("x", "published", "drafted", "updated")
    for pair in ((1, 2), (2, 3), (2, 2)):
        assert (await diff(api, *pair, role)).status_code == 404
    assert set(await told(api, 1, 3, role)) == {"headline", "body"}
    assert headline_of((await told(api, 1, 2, REPORTER))["headline"]) == "[e:x][r:1][a:2]"


@pytest.mark.parametrize("role", OUTSIDERS)
async def test_drafts_before_the_first_publication_never_show(api: Api, role: Role | None) -> None:
    """Neither before it nor after."""
    await api.filed("x", "drafted", "drafted")
    hidden = await diff(api, 1, 2, role)
    unknown = await api.get("/articles/y/diff", role, **{"from": 1, "to": 2})
    assert (hidden.status_code, hidden.json()) == (unknown.status_code, unknown.json())
    await api.file(an_event("published", "x", text=a_text("x 3"), at=minute(5)))
    assert [(await diff(api, n, 3, role)).status_code for n in (1, 2, 3)] == [404, 404, 200]
    assert (await diff(api, 1, 3, REPORTER)).status_code == 200


@pytest.mark.parametrize("role", EVERYBODY)
async def test_a_retracted_article_is_compared_by_nobody(api: Api, role: Role | None) -> None:
    await api.filed("x", "published", "updated", "retracted")
    for pair in ((1, 2), (1, 3), (3, 3)):
        answer = await diff(api, *pair, role)
        assert answer.status_code == 404
        assert "x 1" not in answer.text


@pytest.mark.parametrize("role", OUTSIDERS)
async def test_what_stood_before_a_withdrawal_is_compared_by_reporters_only(
    api: Api, role: Role | None
) -> None:
    """Also once the article is back."""
    await api.filed("x", "published", "updated", "withdrawn")
    assert (await diff(api, 1, 2, role)).status_code == 404
    await api.file(an_event("published", "x", text=a_text("x 4"), at=minute(9)))
    assert (await diff(api, 1, 4, role)).status_code == 404
    assert (await diff(api, 1, 4, REPORTER)).status_code == 200


async def test_a_withheld_text_is_compared_by_reporters_until_its_release(api: Api) -> None:
    """Afterwards readers compare what they saw, which is not the draft that lies over it."""
    await api.file(
        sent("published", "x", at=minute(0), create=True, text=a_text("x 1")),
        sent("updated", "x", at=minute(1), text=a_text("x 2"), embargo_until=minute(60)),
        an_event("corrected", "x", at=minute(2), text=a_text("x 3")),
        sent("drafted", "x", at=minute(3), text=a_text("x 4")),
    )
    for role in OUTSIDERS:
        assert [(await diff(api, 1, n, role)).status_code for n in (2, 3, 4)] == [404, 404, 404]
    assert headline_of((await told(api, 2, 3, REPORTER))["headline"]) == "[e:x][r:2][a:3]"
    assert (await diff(api, 2, 3, REPORTER, view="public")).status_code == 404
    await release(api)
    for newer in (2, 3):
        for query in ({}, {"view": "public"}):
            role = REPORTER if query else READER
            assert headline_of((await told(api, 1, newer, role, **query))["headline"]) == "[e:x][r:1][a:3]"
    assert await told(api, 2, 3, READER) == {}
    assert [(await diff(api, 1, n, READER)).status_code for n in (4, 5)] == [404, 404]
    assert headline_of((await told(api, 4, 5, REPORTER))["headline"]) == "[e:x][r:4][a:3]"


async def test_the_whole_is_what_a_page_can_be_made_of(api: Api) -> None:
    """Asked for as render asks, with a key that would see more."""
    await api.filed("x", "published", "amended", "drafted", deck="A deck.")
    transport = httpx.ASGITransport(app=api.app)
    async with httpx.AsyncClient(transport=transport) as client:
        archive = Archive("http://store.test", SecretStr(SECRETS[Role.PUBLISHER]), client)
        difference = await archive.difference("x", 1, 2)
        assert difference is not None
        assert [each.field for each in difference.fields] == ["headline", "deck", "body"]
        assert difference.article is not None
        assert (difference.article.headline, difference.article.body) == ("x 2", "")
        assert await archive.difference("x", 1, 3) is None
        assert await archive.difference("y", 1, 2) is None


async def test_previews_are_read_by_the_key_of_whoever_asks(api: Api) -> None:
    """What render reads of the store's answers is what the store answers."""
    await api.file(
        sent("published", "x", at=minute(0), create=True, text=a_text("x 1"), publish_at=minute(60)),
        sent("drafted", "x", at=minute(1), text=a_text("x 2")),
    )
    transport = httpx.ASGITransport(app=api.app)
    async with httpx.AsyncClient(transport=transport) as client:
        archive = Archive("http://store.test", None, client)
        head = await archive.head("x", SECRETS[Role.REPORTER])
        assert head is not None
        assert head.article == a_text("x 2")
        assert (head.draft_revision, head.withheld_revision, head.waiting) == (2, 1, "scheduled")
        assert head.due_at == minute(60)
        first = await archive.revision("x", 1, SECRETS[Role.REPORTER])
        assert first is not None
        assert (first.article, first.is_public) == (a_text("x 1"), False)
        assert await archive.head("x", SECRETS[Role.READER]) is None
        assert await archive.revision("x", 1, SECRETS[Role.READER]) is None


@pytest.mark.parametrize("role", INSIDERS)
async def test_an_unknown_revision_is_told_by_its_number(api: Api, role: Role) -> None:
    await api.filed("x", "published")
    answer = await diff(api, 1, 7, role)
    assert answer.status_code == 404
    assert "revision 7" in answer.json()["detail"]


class Held:
    """Comparisons that wait until they are let go, in their threads."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = self.ended = self.most_at_once = 0
        self.go = threading.Event()
        monkeypatch.setattr(comparing, "field_differences", self._compare)

    def _compare(self, old: ArticleText, new: ArticleText, *, whole: bool) -> object:
        self.begun += 1
        self.most_at_once = max(self.most_at_once, self.begun - self.ended)
        self.go.wait(30)
        self.ended += 1
        return field_differences(old, new, whole=whole)


async def test_what_is_taken_down_while_it_is_compared_is_not_answered(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.filed("x", "published", "updated")
    held = Held(monkeypatch)
    asked = asyncio.create_task(diff(api, 1, 2, READER))
    await until(lambda: held.begun == 1, "the comparison begins")
    await api.file(an_event("withdrawn", "x", at=minute(9)))
    held.go.set()
    assert (await asked).status_code == 404


async def test_few_comparisons_are_made_at_once_and_a_crowd_is_told_to_come_again(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    await api.filed("x", "published", "updated")
    held = Held(monkeypatch)
    crowd = [asyncio.create_task(diff(api, 1, 2, READER)) for _ in range(comparing.MOST + 2)]
    await until(lambda: sum(task.done() for task in crowd) == 2, "the last two are told to come again")
    await until(lambda: held.begun == comparing.AT_ONCE, "as many as may are made")
    held.go.set()
    statuses = [answer.status_code for answer in await asyncio.gather(*crowd)]
    assert (statuses.count(200), statuses.count(503)) == (comparing.MOST, 2)
    assert held.most_at_once == comparing.AT_ONCE
