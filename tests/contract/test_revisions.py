"""One suite for decisions, entries and heads in memory and in MongoDB: what the filer relies on."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from newsroom import mongo
from newsroom.events import EntryAdded, EntryChanged, Event, Released
from newsroom.outcomes import EventState
from services.store.articles import Entry
from services.store.decisions import Decision, Loaded, Overtaken, Revisions
from services.store.documents import DECISIONS
from services.store.folding import Folded, fold
from services.store.revisions import MongoRevisions
from tests.due_parts import sent
from tests.running import RunningMongo
from tests.store_parts import (
    FakeRevisions,
    a_delivery,
    a_post,
    a_text,
    an_event,
    an_event_id,
    file,
    file_batch,
    minute,
)


@asynccontextmanager
async def a_database(running: RunningMongo) -> AsyncIterator[mongo.Database]:
    """An empty database of its own."""
    client = mongo.connect(SecretStr(running.url), app_name="test")
    name = f"revisions_{secrets.token_hex(4)}"
    yield client[name]
    await client.drop_database(name)
    client.close()


@pytest.fixture(params=["memory", pytest.param("mongodb", marks=pytest.mark.real)])
async def revisions(request: pytest.FixtureRequest) -> AsyncIterator[Revisions]:
    if request.param == "memory":
        yield FakeRevisions()
        return
    async with a_database(request.getfixturevalue("mongo")) as database:
        real = MongoRevisions(database)
        await real.prepare()
        yield real


@pytest.fixture
async def database(request: pytest.FixtureRequest) -> AsyncIterator[mongo.Database]:
    async with a_database(request.getfixturevalue("mongo")) as empty:
        yield empty


def folded(*events: Event, onto: Loaded | None = None, offset: int = 0, partition: int = 0) -> Folded:
    """What these events come to."""
    batch = [a_delivery(event, offset + place, partition) for place, event in enumerate(events)]
    return fold(onto or Loaded({}, {}, {}), batch, minute(0))


def decisions_of(result: Folded) -> list[Decision]:
    return list(result.fresh.values())


async def filed(revisions: Revisions, *events: Event, offset: int = 0, partition: int = 0) -> list[Decision]:
    """File events with what is derived from them."""
    batch = [a_delivery(event, offset + place, partition) for place, event in enumerate(events)]
    return decisions_of(await file_batch(revisions, batch))


PUBLISHED = an_event("published", create=True)
UPDATED = an_event("updated", text=a_text("Siege over"), at=minute(1))
CORRECTED = an_event("corrected", at=minute(2))
DRAFTED = an_event("drafted", text=a_text("Not yet"), at=minute(3))


async def test_nothing_stands_of_unknown_articles_and_events(revisions: Revisions) -> None:
    assert await revisions.load({"a"}, {PUBLISHED.id}) == Loaded({}, {}, {})
    assert await revisions.heads(["a"]) == []


async def test_what_was_filed_is_loaded_as_it_was(revisions: Revisions) -> None:
    """History, draft beside the public text, times and positions included."""
    result = folded(PUBLISHED, UPDATED, CORRECTED, DRAFTED)
    await file(revisions, result)
    loaded = await revisions.load({"a"}, {UPDATED.id})
    assert loaded.articles == result.articles
    assert loaded.heads == {"a": 4}
    assert loaded.decided == {UPDATED.id: result.fresh[UPDATED.id]}


@pytest.mark.parametrize("heads_at", [0, 1, 3, 4])
async def test_an_article_is_loaded_from_its_newest_revision_however_far_its_head_is(
    revisions: Revisions, heads_at: int
) -> None:
    events = [PUBLISHED, UPDATED, CORRECTED, DRAFTED]
    result = folded(*events)
    await revisions.write(decisions_of(result))
    if heads_at:
        await revisions.replace_heads(list(folded(*events[:heads_at]).articles.values()))
    loaded = await revisions.load({"a"}, set())
    assert loaded.articles == result.articles
    assert loaded.heads == ({"a": heads_at} if heads_at else {})


@pytest.mark.parametrize(
    "kinds", [["published", "withdrawn"], ["published", "withdrawn", "published"], ["published", "retracted"]]
)
async def test_the_history_is_put_together_as_the_fold_made_it(
    revisions: Revisions, kinds: Sequence[str]
) -> None:
    """Though the head is behind, and decisions carry no history of their own."""
    events = [an_event(kind, create=not place, at=minute(place)) for place, kind in enumerate(kinds)]
    result = folded(*events)
    await revisions.write(decisions_of(result))
    assert (await revisions.load({"a"}, set())).articles == result.articles


async def test_a_rejection_is_decided_and_makes_no_article(revisions: Revisions) -> None:
    decisions = decisions_of(folded(UPDATED))
    await revisions.write(decisions)
    loaded = await revisions.load({"a"}, {UPDATED.id})
    assert (loaded.articles, loaded.decided) == ({}, {UPDATED.id: decisions[0]})


async def test_many_rejections_of_one_article_stand_beside_each_other(revisions: Revisions) -> None:
    decisions = decisions_of(folded(UPDATED, CORRECTED, an_event("amended")))
    await revisions.write(decisions)
    loaded = await revisions.load({"a"}, {each.event_id for each in decisions})
    assert len(loaded.decided) == 3


async def test_an_event_is_decided_once(revisions: Revisions) -> None:
    decisions = decisions_of(folded(UPDATED))
    await revisions.write(decisions)
    with pytest.raises(Overtaken):
        await revisions.write(decisions)


async def test_an_article_has_one_revision_of_a_number(revisions: Revisions) -> None:
    """Two owners filed different events as revision 2: the second hears of it."""
    await filed(revisions, PUBLISHED)
    onto = await revisions.load({"a"}, set())
    await revisions.write(decisions_of(folded(UPDATED, onto=onto, offset=1)))
    with pytest.raises(Overtaken):
        await revisions.write(decisions_of(folded(CORRECTED, onto=onto, offset=2)))
    assert (await revisions.load({"a"}, {CORRECTED.id})).decided == {}


async def test_what_stands_before_a_lost_race_stays_and_nothing_after_it(revisions: Revisions) -> None:
    """Ordered: no revision stands without the ones before it."""
    other = an_event("published", "b", create=True)
    third = an_event("published", "c", create=True)
    await filed(revisions, PUBLISHED)
    first_rival = an_event("published", create=True, event_id=an_event_id("rival"))
    decisions = decisions_of(folded(other, first_rival, third, offset=1))
    with pytest.raises(Overtaken):
        await revisions.write(decisions)
    loaded = await revisions.load({"a", "b", "c"}, {other.id, first_rival.id, third.id})
    assert loaded.articles.keys() == {"a", "b"}
    assert loaded.decided.keys() == {other.id}


async def test_a_head_never_goes_back(revisions: Revisions) -> None:
    await filed(revisions, PUBLISHED, UPDATED)
    await revisions.replace_heads(list(folded(PUBLISHED).articles.values()))
    assert [head.revision for head in await revisions.heads(["a"])] == [2]


async def test_heads_that_lag_move_on_beside_one_that_does_not(revisions: Revisions) -> None:
    await filed(revisions, PUBLISHED, UPDATED)
    other = an_event("published", "b", create=True)
    await revisions.replace_heads(list(folded(PUBLISHED, other).articles.values()))
    assert [(head.id, head.revision) for head in await revisions.heads(["a", "b"])] == [("a", 2), ("b", 1)]


async def test_how_far_heads_are_is_told_without_them(revisions: Revisions) -> None:
    await filed(revisions, PUBLISHED, UPDATED, an_event("published", "b", create=True))
    assert await revisions.head_revisions(["a", "b", "unknown"]) == {"a": 2, "b": 1}


def a_dead_letter(event: Event) -> Decision:
    return Decision(
        event_id=event.id,
        article_id=event.article_id,
        state=EventState.DEAD_LETTERED,
        partition=0,
        offset=0,
        reason="broken",
    )


async def test_a_dead_letter_is_kept_and_leaves_its_event_open(revisions: Revisions) -> None:
    assert (await revisions.park(a_dead_letter(PUBLISHED))).reason == "broken"
    loaded = await revisions.load({"a"}, {PUBLISHED.id})
    assert loaded.decided == {}
    assert loaded.parked == {PUBLISHED.id}


async def test_a_mended_dead_letter_is_replaced_by_its_decision(revisions: Revisions) -> None:
    await revisions.park(a_dead_letter(PUBLISHED))
    decisions = decisions_of(folded(PUBLISHED))
    await revisions.write(decisions, instead={PUBLISHED.id})
    loaded = await revisions.load({"a"}, {PUBLISHED.id})
    assert (loaded.decided, loaded.parked) == ({PUBLISHED.id: decisions[0]}, frozenset())


async def test_a_mended_dead_letter_is_replaced_once(revisions: Revisions) -> None:
    await revisions.park(a_dead_letter(UPDATED))
    decisions = decisions_of(folded(UPDATED))
    await revisions.write(decisions, instead={UPDATED.id})
    with pytest.raises(Overtaken):
        await revisions.write(decisions, instead={UPDATED.id})


async def test_a_dead_letter_does_not_undo_a_decision(revisions: Revisions) -> None:
    (decision,) = await filed(revisions, PUBLISHED)
    assert await revisions.park(a_dead_letter(PUBLISHED)) == decision


async def test_heads_are_walked_by_id_part_by_part(revisions: Revisions) -> None:
    for place, article_id in enumerate(["d", "a", "c", "b"]):
        await filed(
            revisions, an_event("published", article_id, create=True), offset=place, partition=place % 2
        )
    walked: list[str] = []
    while part := await revisions.heads_from(walked[-1] if walked else "", 3):
        walked += [head.id for head in part]
    assert walked == ["a", "b", "c", "d"]
    assert [head.id for head in await revisions.heads_from("", 9, partition=1)] == ["a", "b"]
    assert [head.id for head in await revisions.heads_from("", 9, partition=1, before=3)] == ["a"]
    assert [head.id for head in await revisions.heads_from("a", 9, partition=1, before=3)] == []


async def test_the_newest_position_of_each_partition_is_known(revisions: Revisions) -> None:
    assert await revisions.newest_offsets() == {}
    await filed(revisions, an_event("published", "a", create=True), offset=7, partition=3)
    await filed(revisions, an_event("published", "b", create=True), offset=9, partition=3)
    await filed(revisions, an_event("published", "c", create=True), offset=2, partition=0)
    assert await revisions.newest_offsets() == {3: 9, 0: 2}


async def test_articles_are_counted(revisions: Revisions) -> None:
    await filed(revisions, PUBLISHED, an_event("drafted", "b", create=True))
    assert await revisions.count() == 2


# --- what is withheld


SCHEDULED = sent("published", at=minute(0), create=True, publish_at=minute(60), breaking_until=minute(90))
HELD = sent("updated", at=minute(1), text=a_text("Secret"), embargo_until=minute(60))


@pytest.mark.parametrize(
    "events", [[SCHEDULED], [SCHEDULED, DRAFTED], [PUBLISHED, HELD], [PUBLISHED, HELD, DRAFTED]]
)
@pytest.mark.parametrize("with_heads", [False, True])
async def test_what_is_withheld_is_loaded_as_it_was(
    revisions: Revisions, events: list[Event], with_heads: bool
) -> None:
    """Text, due times and changes to be told; whether the text is the newest or stands under a draft."""
    result = folded(*events)
    await revisions.write(decisions_of(result))
    if with_heads:
        await revisions.replace_heads(list(result.articles.values()))
    assert (await revisions.load({"a"}, set())).articles == result.articles


async def test_what_a_release_tells_is_put_together_from_the_decisions(revisions: Revisions) -> None:
    data = Released(set_by=2, due_at=minute(60))
    result = folded(PUBLISHED, HELD, CORRECTED, an_event("released", data=data, at=minute(60)))
    assert [change.revision for change in result.articles["a"].changes] == [1, 2, 3]
    await revisions.write(decisions_of(result))
    assert (await revisions.load({"a"}, set())).articles == result.articles


# --- entries


OPENED = an_event("published", text=a_text(live=True), create=True)
TOGETHER = ["a/e1", "a/e2"]


def added(entry_id: str, at: int = 1) -> Event:
    data = EntryAdded(entry_id=entry_id, entry=a_post(f"Post {entry_id}", key_event=True))
    return an_event("entry_added", data=data, at=minute(at), event_id=an_event_id(("+", entry_id, at)))


def changed(entry_id: str, at: int) -> Event:
    data = EntryChanged(entry_id=entry_id, entry=a_post("Put right"))
    return an_event("entry_changed", data=data, at=minute(at), event_id=an_event_id(("!", entry_id, at)))


async def test_entries_are_loaded_as_they_were_filed_and_only_those_asked_for(revisions: Revisions) -> None:
    result = folded(OPENED, added("e1"), added("e2", 2), added("e3", 3), changed("e2", 4))
    await file(revisions, result)
    loaded = await revisions.load({"a"}, set(), TOGETHER)
    assert loaded.entries == {key: result.entries[key] for key in TOGETHER}
    assert loaded.articles == result.articles
    assert loaded.late == ()
    assert (await revisions.load({"a"}, set())).entries == {}
    assert (await revisions.load({"a"}, set(), ["a/e9", "b/e1"])).entries == {}


@pytest.mark.parametrize("heads_at", [1, 2, 3, 5])
@pytest.mark.parametrize("entries_at", [1, 3, 5])
async def test_entries_are_loaded_in_their_newest_state_however_far_anything_is(
    revisions: Revisions, heads_at: int, entries_at: int
) -> None:
    """A process died between the decisions and what is derived from them; a head means its entries stand."""
    events = [OPENED, added("e1"), added("e2", 2), changed("e1", 3), changed("e2", 4)]
    result = folded(*events)
    await revisions.write(decisions_of(result))
    await revisions.replace_entries(list(folded(*events[: max(heads_at, entries_at)]).entries.values()))
    await revisions.replace_heads(list(folded(*events[:heads_at]).articles.values()))
    loaded = await revisions.load({"a"}, set(), TOGETHER)
    assert loaded.articles == result.articles
    assert loaded.entries == result.entries
    newer = {each.entry.key for each in decisions_of(result)[heads_at:] if each.entry}
    assert {entry.key: entry for entry in loaded.late} == {key: result.entries[key] for key in newer}


async def test_an_entry_has_one_version_of_a_number(revisions: Revisions) -> None:
    """Somebody guessed that no such entry stood: though the article's revision is free, he hears of it."""
    await filed(revisions, OPENED, added("e1"))
    blind = await revisions.load({"a"}, set())
    again = folded(added("e1", 5), onto=blind, offset=9)
    assert [each.state for each in decisions_of(again)] == [EventState.STORED]
    with pytest.raises(Overtaken):
        await revisions.write(decisions_of(again))
    assert (await revisions.load({"a"}, set())).articles == blind.articles


async def test_entries_of_one_name_stand_in_two_articles(revisions: Revisions) -> None:
    other = an_event("published", "b", text=a_text(live=True), create=True)
    data = EntryAdded(entry_id="e1", entry=a_post())
    await filed(revisions, OPENED, added("e1"), other, an_event("entry_added", "b", data=data, at=minute(1)))
    assert len((await revisions.load({"a", "b"}, set(), ["a/e1", "b/e1"])).entries) == 2


async def test_an_entry_never_goes_back(revisions: Revisions) -> None:
    old = folded(OPENED, added("e1"))
    new = folded(OPENED, added("e1"), changed("e1", 2), added("e2", 3))
    await file(revisions, new)
    await revisions.replace_entries(list(old.entries.values()))
    assert (await revisions.load({"a"}, set(), TOGETHER)).entries == new.entries


async def test_entries_are_walked_by_number_part_by_part(revisions: Revisions) -> None:
    names = ["z", "b", "y", "a", "x"]
    await filed(revisions, OPENED, *(added(name, place) for place, name in enumerate(names, 1)))
    walked: list[Entry] = []
    while part := await revisions.entries_from(["a"], walked[-1].number if walked else 0, 2):
        walked += part
    assert [entry.id for entry in walked] == names
    assert await revisions.entries_from(["b"], 0, 9) == []


async def test_entries_of_several_articles_are_walked_article_by_article(revisions: Revisions) -> None:
    """A part may end in the middle of an article: of the first, only what comes after it is given."""
    for article_id in ("c", "a", "b"):
        opened = an_event("published", article_id, text=a_text(live=True), create=True)
        posted = [
            an_event(
                "entry_added",
                article_id,
                data=EntryAdded(entry_id=f"{article_id}{number}", entry=a_post()),
                at=minute(number),
            )
            for number in (1, 2)
        ]
        await filed(revisions, opened, *posted)
    entries = await revisions.entries_from(["a", "c"], 0, 9)
    assert [entry.id for entry in entries] == ["a1", "a2", "c1", "c2"]
    assert [entry.id for entry in await revisions.entries_from(["a", "c"], 1, 2)] == ["a2", "c1"]


@pytest.mark.real
async def test_an_entry_costs_the_same_on_disk_in_an_article_of_any_length(database: mongo.Database) -> None:
    """Neither the article's text nor the entries before it are written again."""
    real = MongoRevisions(database)
    await real.prepare()
    long = an_event("published", text=a_text(live=True, body=f"<p>{'x' * 50_000}</p>"), create=True)
    await filed(real, long, *(added(f"e{number}") for number in range(1, 101)))
    sizes = [
        document["size"]
        async for document in database[DECISIONS].aggregate(
            [{"$match": {"revision": {"$gt": 1}}}, {"$sort": {"revision": 1}},
             {"$project": {"size": {"$bsonSize": "$$ROOT"}}}]
        )
    ]  # fmt: skip
    assert len(sizes) == 100
    assert max(sizes) < min(sizes) + 60
    assert max(sizes) < 2_500


# --- what an earlier version wrote


@pytest.mark.real
async def test_decisions_of_before_texts_were_withheld_are_read(database: mongo.Database) -> None:
    """They name the one change they added, and whether they showed follows from their kind."""
    real = MongoRevisions(database)
    await real.prepare()
    events = [PUBLISHED, DRAFTED, UPDATED, an_event("withdrawn", at=minute(4))]
    result = folded(*events)
    await real.write(decisions_of(result))
    async for document in database[DECISIONS].find({}):
        former = {key: value for key, value in document.items() if key not in {"added", "renders", "path"}}
        former |= {"change": document["added"][0]} if document["added"] else {}
        await database[DECISIONS].replace_one({"_id": document["_id"]}, former)
    loaded = await real.load({"a"}, {event.id for event in events})
    assert loaded.articles == result.articles
    assert loaded.decided == result.fresh
