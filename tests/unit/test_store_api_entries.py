"""The store's API on live articles: entries newest first, one by its id, and their place in the history."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from newsroom.articles import EntryText
from newsroom.events import EntryAdded, EntryChanged, Event
from newsroom.keys import Role
from newsroom.times import rfc3339
from tests.store_api import EVERYBODY, INSIDERS, NOBODY, OUTSIDERS, READER, REPORTER, Api
from tests.store_parts import a_text, an_event, minute


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    """With a live article of three entries."""
    made = Api()
    await made.filed("x", "published", live=True)
    await made.file(*(posted(f"e{number}", at=number) for number in (1, 2, 3)))
    yield made
    await made.client.aclose()


def an_entry(name: str, **changes: Any) -> EntryText:
    body = f"<p>Of {name} first. Then a second sentence. And a third one, longer than the others.</p>"
    return EntryText(**{"headline": f"Entry {name}", "body": body, "author": "A. Reporter"} | changes)


def posted(name: str, *, at: int, **changes: Any) -> Event:
    data = EntryAdded(entry_id=name, entry=an_entry(name, **changes))
    return an_event("entry_added", "x", data=data, at=minute(at))


def changed(name: str, *, at: int, **changes: Any) -> Event:
    data = EntryChanged(entry_id=name, entry=an_entry(name, **changes))
    return an_event("entry_changed", "x", data=data, at=minute(at))


async def listed(api: Api, role: Role | None = NOBODY, **query: Any) -> list[str]:
    answer = await api.get("/articles/x/entries", role, **query)
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["entries"]]


@pytest.mark.parametrize("role", EVERYBODY)
async def test_entries_are_listed_newest_first(api: Api, role: Role | None) -> None:
    """A change of one does not move it."""
    await api.file(changed("e1", at=9))
    assert await listed(api, role) == ["e3", "e2", "e1"]


async def test_the_head_tells_of_its_entries(api: Api) -> None:
    await api.file(posted("e4", at=4, pinned=True))
    head = (await api.get("/articles/x")).json()
    assert head["article"]["live"] is True
    assert head["live"] == {"entries": 4, "pages": 1, "pinned": "e4", "entry_at": rfc3339(minute(4))}
    await api.file(an_event("updated", "x", text=a_text("x closed"), at=minute(5)))
    head = (await api.get("/articles/x")).json()
    assert head["article"]["live"] is False
    assert head["live"]["closed_at"] == rfc3339(minute(5))
    await api.filed("plain", "published")
    assert "live" not in (await api.get("/articles/plain")).json()


async def test_an_entry_has_its_own_revision_and_place(api: Api) -> None:
    """The revision is what `If-Match` of a change means, so it is the `ETag`."""
    await api.file(changed("e2", at=9, pinned=True, headline="Entry two", key_event=True))
    answer = await api.get("/articles/x/entries/e2", READER)
    page = (await api.get("/articles/x")).json()["url"]
    assert answer.headers["etag"] == '"5"'
    assert answer.json() == {
        "id": "e2",
        "article_id": "x",
        "number": 2,
        "revision": 5,
        "url": f"{page}entries/1/#entry-e2",
        "entry": {
            "headline": "Entry two",
            "body": an_entry("e2").body,
            "key_event": True,
            "pinned": True,
            "author": "A. Reporter",
        },
        "excerpt": "Of e2 first.",
        "is_on_top": True,
        "added_at": rfc3339(minute(2)),
        "changed_at": rfc3339(minute(9)),
    }
    assert (await api.get("/articles/x/entries/e1")).headers["etag"] == '"2"'


@pytest.mark.parametrize("path", ["/articles/x/entries", "/articles/x/entries/e1", "/articles/x/revisions/2"])
async def test_nobody_sees_more_of_an_entry_than_the_excerpt_without_a_key(api: Api, path: str) -> None:
    outside, inside = await api.get(path), await api.get(path, READER)
    assert "Of e1 first." in outside.text
    assert "second sentence" not in outside.text
    assert "second sentence" in inside.text


async def test_entries_are_walked_to_their_end_by_cursors(api: Api) -> None:
    """Though others are added meanwhile."""
    await api.file(*(posted(f"e{number}", at=number) for number in (4, 5)))
    walked: list[str] = []
    cursor: str | None = None
    while True:
        answer = (await api.get("/articles/x/entries", limit=2, cursor=cursor)).json()
        walked += [each["id"] for each in answer["entries"]]
        await api.file(posted(f"new{len(walked)}", at=20 + len(walked)))
        if "next" not in answer:
            break
        cursor = answer["next"]
    assert walked == ["e5", "e4", "e3", "e2", "e1"]


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "!!!"},
        {"cursor": "é"},
        {"cursor": "IzEyeA"},
        {"cursor": "MTI"},
        {"limit": "0"},
        {"page": "1"},
    ],
)
async def test_a_question_that_makes_no_sense_is_answered_by_its_name(
    api: Api, query: dict[str, str]
) -> None:
    answer = await api.client.get("/articles/x/entries", params=query)
    assert answer.status_code == 422
    assert next(iter(query)) in answer.json()["detail"]


async def test_an_article_that_is_not_live_has_no_entries(api: Api) -> None:
    await api.filed("plain", "published")
    answer = await api.get("/articles/plain/entries")
    assert (answer.status_code, answer.json()) == (200, {"article_id": "plain", "entries": []})
    assert (await api.get("/articles/plain/entries/e1")).status_code == 404
    assert (await api.get("/articles/x/entries/e9")).status_code == 404


@pytest.mark.parametrize("role", OUTSIDERS)
async def test_entries_go_with_a_withdrawal_and_come_back_with_the_article(
    api: Api, role: Role | None
) -> None:
    """What was changed in between shows once the article is public again, and not before."""
    await api.file(an_event("withdrawn", "x", at=minute(5)))
    await api.file(changed("e1", at=6, headline="Changed in the dark"))
    for path in ("/articles/x/entries", "/articles/x/entries/e1", "/articles/x/revisions/2"):
        assert (await api.get(path, role)).status_code == 404
    assert (await api.get("/articles/x/entries/e1", REPORTER)).json()["entry"][
        "headline"
    ] == "Changed in the dark"
    await api.file(an_event("published", "x", text=a_text("x back", live=True), at=minute(7)))
    assert await listed(api, role) == ["e3", "e2", "e1"]
    assert "Changed in the dark" in (await api.get("/articles/x/entries", role)).text


@pytest.mark.parametrize("role", OUTSIDERS)
async def test_an_entry_that_is_filed_ahead_of_its_article_does_not_show(api: Api, role: Role | None) -> None:
    """It was changed while the article was withdrawn, but the head that says so is not written yet."""
    head = api.revisions.standing["x"]
    await api.file(an_event("withdrawn", "x", at=minute(5)))
    await api.file(changed("e1", at=6, headline="Changed in the dark"))
    api.revisions.standing["x"] = head
    assert await listed(api, role) == ["e3", "e2"]
    assert (await api.get("/articles/x/entries/e1", role)).status_code == 404
    assert (await api.get("/articles/x/revisions/6", role)).status_code == 404
    history = (await api.get("/articles/x/revisions", role)).json()["revisions"]
    assert [each["revision"] for each in history] == [1, 2, 3, 4]


@pytest.mark.parametrize("role", EVERYBODY)
async def test_nobody_sees_an_entry_of_a_retracted_article(api: Api, role: Role | None) -> None:
    await api.file(an_event("retracted", "x", at=minute(5)))
    assert (await api.get("/articles/x/entries", role, limit=1)).json() == {"article_id": "x", "entries": []}
    assert (await api.get("/articles/x/entries/e1", role)).status_code == 404
    for path in ("/articles/x", "/articles/x/revisions", "/articles/x/revisions/2"):
        shown = await api.get(path, role)
        assert "Entry" not in shown.text
        assert "Of e1" not in shown.text
    assert "live" not in (await api.get("/articles/x", role)).json()


@pytest.mark.parametrize("role", EVERYBODY)
async def test_entries_stand_in_the_history(api: Api, role: Role | None) -> None:
    """By kind and id, without their words; those show in the single revision, as they read then."""
    await api.file(changed("e1", at=9, headline="Entry one"))
    history = (await api.get("/articles/x/revisions", role)).json()["revisions"]
    assert [(each["revision"], each["kind"], each.get("entry_id")) for each in history] == [
        (1, "published", None),
        (2, "entry_added", "e1"),
        (3, "entry_added", "e2"),
        (4, "entry_added", "e3"),
        (5, "entry_changed", "e1"),
    ]
    assert "Of e1" not in str(history)
    shown = [(await api.get(f"/articles/x/revisions/{number}", role)).json() for number in (2, 5)]
    assert [each["entry"]["headline"] for each in shown] == ["Entry e1", "Entry one"]
    assert "article" not in shown[0]
    assert ("actor" in shown[0]) == (role in INSIDERS)


@pytest.mark.parametrize("role", OUTSIDERS)
async def test_the_public_history_of_entries_begins_anew_after_a_withdrawal(
    api: Api, role: Role | None
) -> None:
    await api.file(an_event("withdrawn", "x", at=minute(5)), changed("e1", at=6))
    await api.file(
        an_event("published", "x", text=a_text("x back", live=True), at=minute(7)), posted("e4", at=8)
    )
    history = (await api.get("/articles/x/revisions", role)).json()["revisions"]
    assert [(each["revision"], each["kind"]) for each in history] == [(7, "published"), (8, "entry_added")]
    assert [(await api.get(f"/articles/x/revisions/{n}", role)).status_code for n in (2, 6, 8)] == [
        404,
        404,
        200,
    ]
    inside = (await api.get("/articles/x/revisions", REPORTER)).json()["revisions"]
    assert [each["is_public"] for each in inside] == [True, True, True, True, False, False, True, True]
