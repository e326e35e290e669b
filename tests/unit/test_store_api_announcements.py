"""What a rebuild would announce, over HTTP: part by part, for publishers, with no word that is not public."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from newsroom.announced import AnnouncedEntries, AnnouncedPart
from newsroom.articles import EntryText
from newsroom.events import EntryAdded, Event
from newsroom.keys import Role
from newsroom.updates import ArticleUpdate, Status
from tests.store_api import EVERYBODY, Api
from tests.store_parts import an_event, minute

PATHS = ["/announcements", "/announcements/a", "/announcements/a/entries"]


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    """A public, a withdrawn and a drafted article."""
    made = Api()
    await made.filed("a", "published", "updated")
    await made.filed("b", "published", "withdrawn")
    await made.filed("c", "drafted")
    yield made
    await made.client.aclose()


def posted(number: int) -> Event:
    data = EntryAdded(entry_id=f"e{number}", entry=EntryText(headline=f"Entry {number}"))
    return an_event("entry_added", "live", data=data, at=minute(number))


async def part(api: Api, **query: object) -> AnnouncedPart:
    answer = await api.get("/announcements", Role.PUBLISHER, **query)
    assert answer.status_code == 200, answer.text
    return AnnouncedPart.model_validate_json(answer.content)


async def test_every_article_comes_once_by_its_id(api: Api) -> None:
    first = await part(api, limit=2)
    assert [update.article_id for update in first.updates] == ["a", "b"]
    assert first.total == 3
    rest = await part(api, limit=2, after=first.next)
    assert [update.article_id for update in rest.updates] == ["c"]
    assert rest.next is None


async def test_it_is_what_would_be_announced(api: Api) -> None:
    """Of what is not public only why."""
    public, withdrawn, draft = (await part(api)).updates
    assert public.public is not None
    assert public.public.text is not None
    assert public.public.text.headline == "a 2"
    assert (withdrawn.status, withdrawn.public) == (Status.WITHDRAWN, None)
    assert (draft.status, draft.public) == (Status.UNPUBLISHED, None)
    text = (await api.get("/announcements", Role.PUBLISHER)).text
    assert "b 1" not in text
    assert "c 1" not in text


async def test_one_article_may_be_asked_for(api: Api) -> None:
    answer = await api.get("/announcements/a", Role.PUBLISHER)
    assert ArticleUpdate.model_validate_json(answer.content) == (await part(api)).updates[0]
    assert (await api.get("/announcements/nothing", Role.PUBLISHER)).status_code == 404


async def test_entries_come_newest_first_and_hidden_with_their_article(api: Api) -> None:
    await api.filed("live", "published", live=True)
    await api.file(*(posted(number) for number in (1, 2, 3)))

    async def entries(**query: object) -> AnnouncedEntries:
        answer = await api.get("/announcements/live/entries", Role.PUBLISHER, **query)
        return AnnouncedEntries.model_validate_json(answer.content)

    first = await entries(limit=2)
    assert [entry.number for entry in first.entries] == [3, 2]
    assert [entry.number for entry in (await entries(limit=2, before=first.next)).entries] == [1]
    assert all(entry.entry is not None for entry in first.entries)
    await api.file(an_event("withdrawn", "live", at=minute(9)))
    assert all(entry.entry is None for entry in (await entries()).entries)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("role", [role for role in EVERYBODY if role is not Role.PUBLISHER])
async def test_it_is_for_publishers(api: Api, path: str, role: Role | None) -> None:
    assert (await api.get(path, role)).status_code == (403 if role else 401)


@pytest.mark.parametrize("path", PATHS)
async def test_nothing_is_answered_in_mid_replay(api: Api, path: str) -> None:
    api.is_open = False
    assert (await api.get(path, Role.PUBLISHER)).status_code == 503
