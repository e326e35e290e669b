"""One suite for the API's questions, in memory and in MongoDB; there, each must have its index."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import SecretStr

from newsroom import mongo
from newsroom.articles import EntryText
from newsroom.events import EntryAdded, EntryChanged, Event
from newsroom.outcomes import EventState, Rendering
from services.store.decisions import Revisions
from services.store.folding import fold, named_entries
from services.store.reading import Mark, MongoReading, Reading, WaitingFor, Wanted
from services.store.renderings import MongoRenderings
from services.store.revisions import MongoRevisions
from tests.due_parts import sent
from tests.running import RunningMongo
from tests.store_parts import FakeReading, FakeRevisions, a_delivery, a_text, an_event, file, minute


@dataclass
class Shelf:
    """Where articles are filed and read."""

    revisions: Revisions
    reading: Reading
    database: mongo.Database | None = None
    filed: int = 0

    async def file(self, article_id: str, *kinds: str, at: int = 0, **changes: Any) -> None:
        """File these events, a minute apart from `at` on."""
        events = [
            an_event(kind, article_id, text=a_text(**changes), create=not place, at=minute(at + place))
            for place, kind in enumerate(kinds)
        ]
        await self.post(*events)

    async def post(self, *events: Event) -> None:
        """File these events, of one article."""
        batch = [a_delivery(event, self.filed + place) for place, event in enumerate(events)]
        self.filed += len(events)
        loaded = await self.revisions.load([events[0].article_id], [], named_entries(batch))
        await file(self.revisions, fold(loaded, batch, minute(0)))


@pytest.fixture(params=["memory", pytest.param("mongodb", marks=pytest.mark.real)])
async def shelf(request: pytest.FixtureRequest) -> AsyncIterator[Shelf]:
    if request.param == "memory":
        revisions = FakeRevisions()
        yield Shelf(revisions, FakeReading(revisions))
        return
    running: RunningMongo = request.getfixturevalue("mongo")
    client = mongo.connect(SecretStr(running.url), app_name="test")
    database = client[f"reading_{secrets.token_hex(4)}"]
    real = MongoRevisions(database)
    await real.prepare()
    yield Shelf(real, MongoReading(database), database)
    await client.drop_database(database)
    client.close()


async def ids(shelf: Shelf, **wanted: Any) -> list[str]:
    return [head.id for head in await shelf.reading.public(Wanted(**{"most": 9, **wanted}))]


async def test_unknown_names_give_nothing(shelf: Shelf) -> None:
    assert await shelf.reading.article("a") is None
    assert await shelf.reading.history("a") == []
    assert await shelf.reading.revision("a", 1) is None
    assert await shelf.reading.decision("evt_x") is None
    assert await shelf.reading.rendering("a") is None
    assert await ids(shelf) == []


async def test_an_article_and_its_history(shelf: Shelf) -> None:
    await shelf.file("a", "published", "updated", "published", "drafted")
    article = await shelf.reading.article("a")
    history = await shelf.reading.history("a")
    second = await shelf.reading.revision("a", 2)
    assert article is not None
    assert article.revision == 3
    assert [(each.revision, each.kind, each.article) for each in history] == [
        (1, "published", None), (2, "updated", None), (3, "drafted", None)
    ]  # fmt: skip
    assert second is not None
    assert second.article is not None
    assert second.article.revision == 2
    assert await shelf.reading.decision(second.event_id) is not None


async def test_rejections_are_decisions_and_no_history(shelf: Shelf) -> None:
    await shelf.file("a", "updated")
    event = an_event("updated", "a", text=a_text(), at=minute(0), create=True)
    decision = await shelf.reading.decision(event.id)
    assert decision is not None
    assert decision.state is EventState.REJECTED
    assert await shelf.reading.history("a") == []


async def test_public_articles_newest_first_then_by_id(shelf: Shelf) -> None:
    await shelf.file("c", "published")
    await shelf.file("a", "published")
    await shelf.file("b", "published", at=5)
    await shelf.file("drafted", "drafted", at=9)
    await shelf.file("gone", "published", "withdrawn", at=9)
    await shelf.file("killed", "published", "retracted", at=9)
    await shelf.file("corrected", "published", "corrected", at=-2)
    assert await ids(shelf) == ["b", "a", "c", "corrected"]
    assert await ids(shelf, most=2) == ["b", "a"]
    assert await ids(shelf, since=minute(0)) == ["b", "a", "c"]


@pytest.mark.parametrize(
    ("mark", "rest"),
    [
        (Mark(minute(5), "b"), ["a", "c"]),
        (Mark(minute(0), "a"), ["c"]),
        (Mark(minute(0), "b"), ["c"]),
        (Mark(minute(0), "c"), []),
        (Mark(minute(3), "x"), ["a", "c"]),
        (Mark(minute(9), "x"), ["b", "a", "c"]),
    ],
)
async def test_what_stands_behind_a_mark(shelf: Shelf, mark: Mark, rest: list[str]) -> None:
    await shelf.file("c", "published")
    await shelf.file("a", "published")
    await shelf.file("b", "published", at=5)
    assert await ids(shelf, after=mark) == rest
    assert await ids(shelf, after=mark, since=minute(5)) == [each for each in rest if each == "b"]


async def test_public_articles_by_section_and_tag(shelf: Shelf) -> None:
    await shelf.file("a", "published", section="World", tags=("Bank", "Siege"))
    await shelf.file("b", "published", at=1, tags=("Bank", "bank"))
    await shelf.file("hidden", "drafted", tags=("Bank",))
    assert await ids(shelf, section="world") == ["a"]
    assert await ids(shelf, tag="bank") == ["b", "a"]
    assert await ids(shelf, tag="siege", section="kazakhstan") == []
    assert await ids(shelf, tag="bank", after=Mark(minute(1), "b")) == ["a"]


async def test_a_draft_moves_no_article_between_sections(shelf: Shelf) -> None:
    await shelf.file("a", "published")
    draft = an_event("drafted", "a", text=a_text(section="World"), at=minute(1))
    await shelf.post(draft)
    assert await ids(shelf, section="world") == []
    assert await ids(shelf, section="kazakhstan") == ["a"]


async def test_drafts_by_their_newest_revision(shelf: Shelf) -> None:
    await shelf.file("a", "drafted")
    await shelf.file("b", "published", "drafted", at=3)
    await shelf.file("c", "drafted", "published", at=5)
    await shelf.file("d", "published", "drafted", "retracted", at=5)
    found = await shelf.reading.drafts(Wanted(most=9))
    assert [head.id for head in found] == ["b", "a"]
    behind = await shelf.reading.drafts(Wanted(most=9, after=Mark(minute(4), "b")))
    assert [head.id for head in behind] == ["a"]
    assert await shelf.reading.drafts(Wanted(most=9, since=minute(5))) == []


async def test_what_waits_by_its_due_time(shelf: Shelf) -> None:
    """Soonest first; what was released, cancelled or lifted waits no more."""
    for name, at in (("c", 30), ("b", 20), ("a", 20), ("gone", 10), ("out", 10)):
        await shelf.post(sent("published", name, at=minute(0), create=True, publish_at=minute(at)))
    await shelf.post(sent("published", "e", at=minute(0), create=True, embargo_until=minute(5)))
    await shelf.post(sent("withdrawn", "gone", at=minute(1)))
    await shelf.post(sent("updated", "out", at=minute(1), publish_at=None))
    await shelf.file("public", "published")
    await shelf.file("held", "published")
    await shelf.post(sent("updated", "held", at=minute(2), embargo_until=minute(40)))

    async def waiting(what: WaitingFor, **wanted: Any) -> list[str]:
        found = await shelf.reading.waiting(what, Wanted(**{"most": 9, **wanted}))
        return [head.id for head in found]

    assert await waiting("scheduled") == ["a", "b", "c"]
    assert await waiting("scheduled", most=2) == ["a", "b"]
    assert await waiting("scheduled", after=Mark(minute(20), "a")) == ["b", "c"]
    assert await waiting("scheduled", after=Mark(minute(20), "b"), since=minute(25)) == ["c"]
    assert await waiting("scheduled", after=Mark(minute(1), "z"), since=minute(25)) == ["c"]
    assert await waiting("embargoed") == ["e", "held"]


async def test_entries_newest_first(shelf: Shelf) -> None:
    await shelf.file("a", "published", live=True)
    for number in range(1, 5):
        await shelf.post(posted(f"e{number}", at=number))
    await shelf.post(changed("e2", at=9))
    assert [entry.id for entry in await shelf.reading.entries("a", 9)] == ["e4", "e3", "e2", "e1"]
    assert [entry.id for entry in await shelf.reading.entries("a", 2, before=4)] == ["e3", "e2"]
    assert await shelf.reading.entries("a", 9, before=1) == []
    assert await shelf.reading.entries("other", 9) == []
    second = await shelf.reading.entry("a", "e2")
    assert second is not None
    assert (second.revision, second.text.headline, second.changed_at) == (6, "Entry e2, changed", minute(9))
    assert await shelf.reading.entry("a", "e9") is None
    assert await shelf.reading.entry("other", "e2") is None


async def test_entries_in_the_history(shelf: Shelf) -> None:
    """Without their words, which stand in the single revision."""
    await shelf.file("a", "published", live=True)
    await shelf.post(posted("e1", at=1), changed("e1", at=2))
    history = await shelf.reading.history("a")
    assert [(each.revision, each.entry.id if each.entry else None) for each in history] == [
        (1, None), (2, "e1"), (3, "e1")
    ]  # fmt: skip
    assert [each.entry.text for each in history if each.entry] == [EntryText(), EntryText()]
    first = await shelf.reading.revision("a", 2)
    assert first is not None
    assert first.entry is not None
    assert first.entry.text.headline == "Entry e1"


def posted(name: str, *, at: int, article_id: str = "a") -> Event:
    data = EntryAdded(entry_id=name, entry=EntryText(headline=f"Entry {name}"))
    return an_event("entry_added", article_id, data=data, at=minute(at))


def changed(name: str, *, at: int) -> Event:
    data = EntryChanged(entry_id=name, entry=EntryText(headline=f"Entry {name}, changed"))
    return an_event("entry_changed", data=data, at=minute(at))


@pytest.mark.real
async def test_no_question_walks_through_a_whole_collection(mongo_shelf: Shelf) -> None:
    """Nor sorts in memory: the profiler tells how each query was carried out."""
    database = mongo_shelf.database
    assert database is not None
    for number in range(30):
        await mongo_shelf.file(f"a{number}", "published", "drafted", at=number, tags=("Bank",))
        await mongo_shelf.post(sent("updated", f"a{number}", at=minute(number + 2), embargo_until=minute(90)))
    await mongo_shelf.file("live", "published", live=True)
    await mongo_shelf.post(*(posted(f"e{number}", at=number, article_id="live") for number in range(30)))
    await database.command("profile", 2)
    mark = Mark(minute(9), "a9")
    for wanted in (Wanted(most=5), Wanted(most=5, after=mark), Wanted(most=5, since=minute(3))):
        await mongo_shelf.reading.public(wanted)
        await mongo_shelf.reading.drafts(wanted)
        await mongo_shelf.reading.waiting("embargoed", wanted)
    await mongo_shelf.reading.entries("live", 5)
    await mongo_shelf.reading.entries("live", 5, before=3)
    await mongo_shelf.reading.entry("live", "e1")
    await mongo_shelf.reading.public(Wanted(most=5, section="kazakhstan", after=mark))
    await mongo_shelf.reading.public(Wanted(most=5, tag="bank", after=mark))
    await mongo_shelf.reading.history("a1")
    await mongo_shelf.reading.revision("a1", 1)
    await mongo_shelf.reading.article("a1")
    await mongo_shelf.revisions.load(["a1", "a2"], ["evt_x"])
    await mongo_shelf.revisions.heads_from("a1", 5)
    await mongo_shelf.revisions.heads_from("a1", 5, partition=0, before=10_000)
    await mongo_shelf.revisions.newest_offsets()
    await database.command("profile", 0)
    profiled = [
        entry async for entry in database["system.profile"].find({"op": {"$in": ["query", "command"]}})
        if "find" in entry["command"] or "aggregate" in entry["command"]
    ]  # fmt: skip
    assert len(profiled) >= 21
    for entry in profiled:
        assert "COLLSCAN" not in entry["planSummary"], entry["command"]
        assert not entry.get("hasSortStage"), entry["command"]


@pytest.fixture
async def mongo_shelf(mongo: RunningMongo) -> AsyncIterator[Shelf]:
    client = _client(mongo)
    database = client[f"reading_{secrets.token_hex(4)}"]
    revisions = MongoRevisions(database)
    await revisions.prepare()
    yield Shelf(revisions, MongoReading(database), database)
    await client.drop_database(database)
    client.close()


def _client(running: RunningMongo) -> mongo.Client:
    return mongo.connect(SecretStr(running.url), app_name="test")


@pytest.mark.real
async def test_a_rendering_never_goes_back(mongo_shelf: Shelf) -> None:
    assert mongo_shelf.database is not None
    renderings = MongoRenderings(mongo_shelf.database)
    newest = Rendering(article_id="a", revision=3, path="/here/", times={"rendered": minute(3)})
    await renderings.note([newest, Rendering(article_id="b", revision=1)])
    await renderings.note([Rendering(article_id="a", revision=2), Rendering(article_id="b", revision=2)])
    assert await mongo_shelf.reading.rendering("a") == newest
    assert await mongo_shelf.reading.rendering("b") == Rendering(article_id="b", revision=2)
