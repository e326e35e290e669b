"""One suite for the decisions and heads in memory and in MongoDB: what the filer relies on."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence

import pytest
from pydantic import SecretStr

from newsroom import mongo
from newsroom.events import Event
from newsroom.outcomes import EventState
from services.store.consumer import fold
from services.store.decisions import Decision, Loaded, Overtaken, Revisions
from services.store.articles import Article
from services.store.revisions import MongoRevisions
from tests.running import RunningMongo
from tests.store_parts import FakeRevisions, a_delivery, a_text, an_event, an_event_id, minute


@pytest.fixture(params=["memory", pytest.param("mongodb", marks=pytest.mark.real)])
async def revisions(request: pytest.FixtureRequest) -> AsyncIterator[Revisions]:
    if request.param == "memory":
        yield FakeRevisions()
        return
    running: RunningMongo = request.getfixturevalue("mongo")
    client = mongo.connect(SecretStr(running.url), app_name="test")
    name = f"revisions_{secrets.token_hex(4)}"
    real = MongoRevisions(client[name])
    await real.prepare()
    yield real
    await client.drop_database(name)
    client.close()


def folded(
    *events: Event, onto: Loaded | None = None, offset: int = 0, partition: int = 0
) -> tuple[list[Decision], list[Article]]:
    """Decisions and articles that these events come to."""
    batch = [a_delivery(event, offset + place, partition) for place, event in enumerate(events)]
    result = fold(onto or Loaded({}, {}, {}), batch, minute(0))
    return list(result.fresh.values()), list(result.articles.values())


async def filed(revisions: Revisions, *events: Event, offset: int = 0, partition: int = 0) -> list[Decision]:
    """File events and their heads."""
    onto = await revisions.load({event.article_id for event in events}, {event.id for event in events})
    decisions, articles = folded(*events, onto=onto, offset=offset, partition=partition)
    await revisions.write(decisions)
    await revisions.replace_heads(articles)
    return decisions


PUBLISHED = an_event("published", create=True)
UPDATED = an_event("updated", text=a_text("Siege over"), at=minute(1))
CORRECTED = an_event("corrected", at=minute(2))
DRAFTED = an_event("drafted", text=a_text("Not yet"), at=minute(3))


async def test_nothing_stands_of_unknown_articles_and_events(revisions: Revisions) -> None:
    assert await revisions.load({"a"}, {PUBLISHED.id}) == Loaded({}, {}, {})
    assert await revisions.heads(["a"]) == []


async def test_what_was_filed_is_loaded_as_it_was(revisions: Revisions) -> None:
    """History, draft beside the public text, times and positions included."""
    decisions, articles = folded(PUBLISHED, UPDATED, CORRECTED, DRAFTED)
    await revisions.write(decisions)
    await revisions.replace_heads(articles)
    loaded = await revisions.load({"a"}, {UPDATED.id})
    assert loaded.articles == {"a": articles[0]}
    assert loaded.heads == {"a": 4}
    assert loaded.decided == {UPDATED.id: decisions[1]}


@pytest.mark.parametrize("heads_at", [0, 1, 3, 4])
async def test_an_article_is_loaded_from_its_newest_revision_however_far_its_head_is(
    revisions: Revisions, heads_at: int
) -> None:
    events = [PUBLISHED, UPDATED, CORRECTED, DRAFTED]
    decisions, articles = folded(*events)
    await revisions.write(decisions)
    if heads_at:
        await revisions.replace_heads(folded(*events[:heads_at])[1])
    loaded = await revisions.load({"a"}, set())
    assert loaded.articles == {"a": articles[0]}
    assert loaded.heads == ({"a": heads_at} if heads_at else {})


@pytest.mark.parametrize(
    "kinds", [["published", "withdrawn"], ["published", "withdrawn", "published"], ["published", "retracted"]]
)
async def test_the_history_is_put_together_as_the_fold_made_it(
    revisions: Revisions, kinds: Sequence[str]
) -> None:
    """Though the head is behind, and decisions carry no history of their own."""
    events = [an_event(kind, create=not place, at=minute(place)) for place, kind in enumerate(kinds)]
    decisions, articles = folded(*events)
    await revisions.write(decisions)
    assert (await revisions.load({"a"}, set())).articles == {"a": articles[0]}


async def test_a_rejection_is_decided_and_makes_no_article(revisions: Revisions) -> None:
    decisions, _ = folded(UPDATED)
    await revisions.write(decisions)
    loaded = await revisions.load({"a"}, {UPDATED.id})
    assert (loaded.articles, loaded.decided) == ({}, {UPDATED.id: decisions[0]})


async def test_many_rejections_of_one_article_stand_beside_each_other(revisions: Revisions) -> None:
    decisions, _ = folded(UPDATED, CORRECTED, an_event("amended"))
    await revisions.write(decisions)
    loaded = await revisions.load({"a"}, {each.event_id for each in decisions})
    assert len(loaded.decided) == 3


async def test_an_event_is_decided_once(revisions: Revisions) -> None:
    decisions, _ = folded(UPDATED)
    await revisions.write(decisions)
    with pytest.raises(Overtaken):
        await revisions.write(decisions)


async def test_an_article_has_one_revision_of_a_number(revisions: Revisions) -> None:
    """Two owners filed different events as revision 2: the second hears of it."""
    await filed(revisions, PUBLISHED)
    onto = await revisions.load({"a"}, set())
    await revisions.write(folded(UPDATED, onto=onto, offset=1)[0])
    with pytest.raises(Overtaken):
        await revisions.write(folded(CORRECTED, onto=onto, offset=2)[0])
    assert (await revisions.load({"a"}, {CORRECTED.id})).decided == {}


async def test_what_stands_before_a_lost_race_stays_and_nothing_after_it(revisions: Revisions) -> None:
    """Ordered: no revision stands without the ones before it."""
    other = an_event("published", "b", create=True)
    third = an_event("published", "c", create=True)
    await filed(revisions, PUBLISHED)
    first_rival = an_event("published", create=True, event_id=an_event_id("rival"))
    decisions, _ = folded(other, first_rival, third, offset=1)
    with pytest.raises(Overtaken):
        await revisions.write(decisions)
    loaded = await revisions.load({"a", "b", "c"}, {other.id, first_rival.id, third.id})
    assert loaded.articles.keys() == {"a", "b"}
    assert loaded.decided.keys() == {other.id}


async def test_a_head_never_goes_back(revisions: Revisions) -> None:
    await filed(revisions, PUBLISHED, UPDATED)
    await revisions.replace_heads(folded(PUBLISHED)[1])
    assert [head.revision for head in await revisions.heads(["a"])] == [2]


async def test_heads_that_lag_move_on_beside_one_that_does_not(revisions: Revisions) -> None:
    await filed(revisions, PUBLISHED, UPDATED)
    other = an_event("published", "b", create=True)
    _, (old, new) = folded(PUBLISHED, other)
    await revisions.replace_heads([old, new])
    assert [(head.id, head.revision) for head in await revisions.heads(["a", "b"])] == [("a", 2), ("b", 1)]


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
    decisions, _ = folded(PUBLISHED)
    await revisions.write(decisions, instead={PUBLISHED.id})
    loaded = await revisions.load({"a"}, {PUBLISHED.id})
    assert (loaded.decided, loaded.parked) == ({PUBLISHED.id: decisions[0]}, frozenset())


async def test_a_mended_dead_letter_is_replaced_once(revisions: Revisions) -> None:
    await revisions.park(a_dead_letter(UPDATED))
    decisions, _ = folded(UPDATED)
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
