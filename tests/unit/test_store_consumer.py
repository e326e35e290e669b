"""The store's loop on a log and a database in memory: once, in order, through rivals, crashes and outages."""

from __future__ import annotations

import asyncio

import pytest

from newsroom.envelope import CONTENT_TYPE
from newsroom.errors import Away
from newsroom.events import event_message
from newsroom.kafka.fake import FakeLog, FakePublisher
from newsroom.outcomes import EventState, RejectionCode
from newsroom.records import Message
from newsroom.topics import DEAD_LETTERS, EVENTS
from newsroom.updates import Status
from services.store.consumer import Filer
from services.store.decisions import Decision, Overtaken
from tests.store_parts import StoreInMemory, a_delivery, a_text, an_article, an_event, an_event_id, minute
from tests.unit.loops import until


async def a_filer(store: StoreInMemory) -> Filer:
    return Filer(store.revisions, FakePublisher(store.log), await store.replay())


def is_settled(store: StoreInMemory) -> bool:
    """Whether everything on the log is committed."""
    ends = {place: end for place, end in store.log.end_offsets(EVENTS).items() if end}
    return store.log.group("store-test").committed == ends


async def test_an_event_becomes_a_revision_an_update_and_an_outcome() -> None:
    store = StoreInMemory()
    event = an_event("published", create=True)
    async with store.running():
        await store.post(event)
        await until(lambda: is_settled(store))
    (announced,) = store.announced()
    (outcome,) = store.outcomes()
    assert announced.update.event_ids == (event.id,)
    assert (announced.trace, announced.again) == (event.trace, False)
    assert announced.update.public is not None
    assert announced.update.public.text == a_text()
    assert (outcome.state, outcome.revision, outcome.renders) == (EventState.STORED, 1, True)
    assert outcome.path == announced.update.path
    assert {"accepted", "taken", "stored"} <= outcome.times.keys()
    assert store.revisions.standing["a"].revision == 1


async def test_a_rejection_is_told_and_kept() -> None:
    store = StoreInMemory()
    async with store.running():
        await store.post(an_event("updated"))
        await until(lambda: is_settled(store))
    (outcome,) = store.outcomes()
    assert outcome.rejection is not None
    assert outcome.rejection.code is RejectionCode.UNKNOWN_ARTICLE
    assert store.announced() == []


async def test_a_rejected_event_stays_rejected_when_it_comes_again() -> None:
    """Though by now it would be accepted."""
    store = StoreInMemory()
    early = an_event("updated", text=a_text("Early"))
    async with store.running():
        await store.post(early, an_event("published", create=True), early)
        await until(lambda: is_settled(store))
    assert store.states()[early.id] is EventState.REJECTED
    assert store.revisions.standing["a"].revision == 1


async def test_a_duplicate_makes_no_second_revision_and_is_told_again() -> None:
    """Whoever sent it a second time hears what became of it."""
    store = StoreInMemory()
    event = an_event("published", create=True)
    async with store.running():
        await store.post(event)
        await until(lambda: is_settled(store))
        await store.post(event)
        await until(lambda: is_settled(store))
    assert [each.revision for each in store.outcomes()] == [1, 1]
    assert store.revisions.standing["a"].revision == 1


async def test_a_draft_is_announced_without_a_word_of_it() -> None:
    store = StoreInMemory()
    async with store.running():
        await store.post(an_event("drafted", text=a_text("Secret"), create=True))
        await until(lambda: is_settled(store))
    (announced,) = store.announced()
    assert (announced.update.status, announced.update.public) == (Status.UNPUBLISHED, None)
    assert store.outcomes()[0].renders is False
    assert all(b"Secret" not in (record.value or b"") for record in store.log.records("newsroom.updates"))


async def test_a_rival_that_writes_the_same_revision_first_is_folded_upon() -> None:
    """Another owner filed the record before ours, and ours too, between our reading and our writing."""
    store, rival = StoreInMemory(), StoreInMemory()
    first = a_delivery(an_event("published", create=True), 0)
    second = a_delivery(an_event("updated", at=minute(1)), 1)
    third = a_delivery(an_event("published", at=minute(2)), 2)
    await (await a_filer(rival)).handle([first, second])
    store.revisions.before_write = lambda: store.revisions.decisions.update(rival.revisions.decisions)
    await (await a_filer(store)).handle([first, second, third])
    assert [each.state for each in store.outcomes()] == [
        EventState.STORED, EventState.STORED, EventState.REJECTED
    ]  # fmt: skip
    assert store.revisions.standing["a"].revision == 2
    assert store.newest()["a"].update.revision == 2


async def test_two_owners_of_one_partition_file_every_event_once() -> None:
    """After a pause a late owner works on: both get the same batch, neither makes a second history."""
    store = StoreInMemory()
    filers = [await a_filer(store) for _ in range(2)]
    kinds = ["published", "updated", "amended", "corrected", "drafted", "updated"]
    batch = [
        a_delivery(an_event(kind, create=not place, at=minute(place)), place)
        for place, kind in enumerate(kinds)
    ]
    await asyncio.gather(*(filer.handle(batch) for filer in filers))
    revisions = sorted(d.revision or 0 for d in store.revisions.decisions.values())
    assert revisions == [1, 2, 3, 4, 5, 6]
    assert store.revisions.standing["a"].revision == 6


async def test_an_owner_that_loses_every_race_waits() -> None:
    """It is no bug: the loop tries again later."""
    store = StoreInMemory()

    def always() -> None:
        raise Overtaken

    store.revisions.before_write = always
    with pytest.raises(Away, match="other owners"):
        await (await a_filer(store)).handle([a_delivery(an_event("published", create=True), 0)])


async def test_a_head_that_stayed_behind_is_replaced_before_anything_is_told() -> None:
    """The process died between the two writes."""
    store = StoreInMemory()

    class _DiedError(Exception):
        pass

    def die() -> None:
        raise _DiedError

    store.revisions.before_heads = die
    batch = [a_delivery(an_event("published", create=True), 0)]
    with pytest.raises(_DiedError):
        await (await a_filer(store)).handle(batch)
    assert (store.revisions.standing, store.announced(), store.outcomes()) == ({}, [], [])
    store.revisions.before_heads = lambda: None
    await (await a_filer(store)).handle(batch)
    assert store.revisions.standing["a"].revision == 1
    assert [each.update.revision for each in store.announced()] == [1]
    assert [each.revision for each in store.outcomes()] == [1]


async def test_what_was_written_and_not_told_is_told_after_a_restart() -> None:
    store = StoreInMemory()
    filer = await a_filer(store)
    batch = [
        a_delivery(an_event("published", create=True), 0),
        a_delivery(an_event("updated", at=minute(1)), 1),
    ]
    store.log.go_away()
    with pytest.raises(Away):
        await filer.handle(batch)
    assert store.revisions.standing["a"].revision == 2
    await store.log.come_back()
    await (await a_filer(store)).handle(batch)
    assert store.newest()["a"].update.revision == 2
    assert [each.revision for each in store.outcomes()] == [1, 2]


async def test_an_event_that_only_the_log_position_knows_is_announced_and_not_folded() -> None:
    """A restored database may lack a decision whose effect its heads have."""
    store = StoreInMemory()
    filer = await a_filer(store)
    batch = [a_delivery(an_event("published", create=True), 5)]
    await filer.handle(batch)
    store.revisions.decisions.clear()
    await filer.handle(batch)
    assert store.revisions.decisions == {}
    assert [each.update.revision for each in store.announced()] == [1, 1]


async def test_a_database_that_is_away_stops_nobody_for_good() -> None:
    store = StoreInMemory()
    store.revisions.is_away = True
    async with store.running():
        await store.post(an_event("published", create=True))
        await asyncio.sleep(0.05)
        assert store.outcomes() == []
        assert store.log.records(DEAD_LETTERS) == []
        store.revisions.is_away = False
        await until(lambda: is_settled(store))
    assert list(store.states().values()) == [EventState.STORED]


# --- dead letters


def broken(event_id: str, article_id: str = "a") -> Message:
    """A record that names an event of ours and has no article in it."""
    sound = event_message(an_event("published", article_id, create=True, event_id=event_id))
    return Message(EVENTS, sound.key, b"{}", sound.headers)


async def test_a_bad_record_is_dead_lettered_with_its_bytes_and_told() -> None:
    store = StoreInMemory()
    event_id = an_event_id("broken")
    async with store.running():
        await store.log.append(broken(event_id))
        await store.post(an_event("published", create=True))
        await until(lambda: is_settled(store))
    (letter,) = store.log.records(DEAD_LETTERS)
    assert letter.value == b"{}"
    outcome = next(each for each in store.outcomes() if each.event_id == event_id)
    assert (outcome.state, outcome.article_id) == (EventState.DEAD_LETTERED, "a")
    assert outcome.reason is not None
    assert "/article" in outcome.reason
    assert "accepted" in outcome.times


async def test_a_bad_record_that_names_no_article_is_told_by_its_event() -> None:
    store = StoreInMemory()
    sound = broken(an_event_id("nameless"))
    headers = tuple((name, b"" if name == "ce_subject" else value) for name, value in sound.headers)
    async with store.running():
        await store.log.append(Message(EVENTS, sound.key, sound.value, headers))
        await until(lambda: is_settled(store))
    (outcome,) = store.outcomes()
    assert (outcome.event_id, outcome.article_id) == (an_event_id("nameless"), "")


async def test_a_dead_letter_that_is_mended_may_still_be_stored() -> None:
    """The same event id with sound bytes: its end is a better one."""
    store = StoreInMemory()
    event = an_event("published", create=True)
    async with store.running():
        await store.log.append(broken(event.id))
        await until(lambda: is_settled(store))
        await store.post(event)
        await until(lambda: is_settled(store))
    assert [each.state for each in store.outcomes()] == [EventState.DEAD_LETTERED, EventState.STORED]
    assert store.revisions.decisions[event.id].state is EventState.STORED


async def test_a_bad_copy_of_a_stored_event_does_not_undo_it() -> None:
    """A state never goes back."""
    store = StoreInMemory()
    event = an_event("published", create=True)
    async with store.running():
        await store.post(event)
        await until(lambda: is_settled(store))
        await store.log.append(broken(event.id))
        await until(lambda: is_settled(store))
    assert store.states()[event.id] is EventState.STORED
    assert len(store.log.records(DEAD_LETTERS)) == 1


@pytest.mark.parametrize(
    "headers", [(), (("ce_id", b"other"), ("content-type", CONTENT_TYPE.encode())), (("ce_id", b"\xff"),)]
)
async def test_bytes_that_name_no_event_are_dead_lettered_and_told_to_nobody(
    headers: tuple[tuple[str, bytes], ...],
) -> None:
    store = StoreInMemory()
    async with store.running():
        await store.log.append(Message(EVENTS, b"x", b"\x00\x01", headers))
        await store.post(an_event("published", create=True))
        await until(lambda: is_settled(store))
    assert len(store.log.records(DEAD_LETTERS)) == 1
    assert list(store.states().values()) == [EventState.STORED]


# --- several instances


async def test_instances_that_come_and_go_file_everything_once() -> None:
    store = StoreInMemory()
    articles = [f"a{number}" for number in range(12)]
    begun = [an_event("published", each, create=True) for each in articles]
    async with store.running(2):
        await store.post(*begun)
        async with store.running():
            await store.post(*(an_event("updated", each, at=minute(1)) for each in articles))
            await until(lambda: is_settled(store))
        await store.post(*(an_event("corrected", each, at=minute(2)) for each in articles))
        await until(lambda: is_settled(store))
    assert {each.revision for each in store.revisions.standing.values()} == {3}
    assert set(store.states().values()) == {EventState.STORED}
    assert {each: told.update.revision for each, told in store.newest().items()} == dict.fromkeys(articles, 3)
    kinds: list[Decision] = [d for d in store.revisions.decisions.values() if d.article_id == "a7"]
    assert sorted(d.revision or 0 for d in kinds) == [1, 2, 3]


# --- replay


async def history(log: FakeLog) -> None:
    """A past in which one article was taken down, one retracted, one drafted and one is public."""
    past = [
        an_event("published", "down", create=True, text=a_text("Taken down")),
        an_event("withdrawn", "down", at=minute(1)),
        an_event("published", "killed", create=True, text=a_text("Killed")),
        an_event("retracted", "killed", at=minute(1)),
        an_event("drafted", "draft", create=True, text=a_text("Drafted")),
        an_event("published", "public", create=True, text=a_text("Old")),
        an_event("updated", "public", text=a_text("New"), at=minute(1)),
        an_event("updated", "nobody"),
    ]
    for event in past:
        await log.append(event_message(event))


async def test_an_empty_database_announces_only_what_stands_at_the_end_of_the_history() -> None:
    store = StoreInMemory()
    await history(store.log)
    async with store.running():
        await until(lambda: is_settled(store))
    assert store.outcomes() == []
    announced = store.announced()
    assert {each.update.article_id: each.update.revision for each in announced} == {
        "down": 2, "killed": 2, "draft": 1, "public": 2
    }  # fmt: skip
    assert len(announced) == 4
    assert all(each.again for each in announced)
    told = b"".join(record.value or b"" for record in store.log.records("newsroom.updates"))
    for word in (b"Taken down", b"Killed", b"Drafted", b"Old"):
        assert word not in told
    assert store.identities.standing is not None
    assert store.identities.standing.is_replayed


async def test_what_comes_after_the_history_is_told_as_ever() -> None:
    store = StoreInMemory()
    await history(store.log)
    live = an_event("corrected", "public", at=minute(5))
    async with store.running():
        await store.post(live)
        await until(lambda: is_settled(store))
    assert [each.event_id for each in store.outcomes()] == [live.id]
    mine = [
        (each.update.revision, each.again) for each in store.announced() if each.update.article_id == "public"
    ]
    assert mine == [(2, True), (3, False)]


async def test_two_instances_replay_together() -> None:
    store = StoreInMemory()
    for number in range(40):
        await store.post(an_event("published", f"a{number}", create=True))
    async with store.running(2):
        await until(lambda: store.identities.standing is not None and store.identities.standing.is_replayed)
    assert store.newest().keys() == {f"a{number}" for number in range(40)}
    assert all(each.again for each in store.announced())
    assert store.outcomes() == []


@pytest.mark.parametrize("place", ["first", "middle", "last", "all"])
async def test_a_bad_record_in_the_history_does_not_keep_the_replay_from_its_end(place: str) -> None:
    store = StoreInMemory()
    sound = [event_message(an_event("published", "a", create=True)), event_message(an_event("updated", "a"))]
    bad = broken(an_event_id("bad"))
    records = {
        "first": [bad, *sound],
        "middle": [sound[0], bad, sound[1]],
        "last": [*sound, bad],
        "all": [bad],
    }
    for message in records[place]:
        await store.log.append(message)
    async with store.running():
        await until(lambda: store.identities.standing is not None and store.identities.standing.is_replayed)
    assert store.outcomes() == []
    assert len(store.announced()) == (0 if place == "all" else 1)


async def test_a_replay_that_dies_before_it_is_noted_announces_again() -> None:
    store = StoreInMemory()
    batch = [a_delivery(an_event("published", create=True), 0)]
    await store.post(an_event("published", create=True))
    where = store.log.records(EVENTS)[0].partition
    batch = [a_delivery(an_event("published", create=True), 0, where)]
    filer = await a_filer(store)
    store.log.go_away()
    with pytest.raises(Away):
        await filer.handle(batch)
    await store.log.come_back()
    assert store.identities.standing is not None
    assert not store.identities.standing.is_replayed
    await (await a_filer(store)).handle(batch)
    assert [each.again for each in store.announced()] == [True]
    assert store.identities.standing.is_replayed


async def test_a_late_announcement_of_the_history_leaves_alone_what_moved_on() -> None:
    """Whoever filed the newer event tells it; met as a repetition first, nobody would hear of it."""
    store = StoreInMemory()
    await history(store.log)
    late = await store.replay()
    for place, end in store.log.end_offsets(EVENTS).items():
        fresh = an_article("published", article_id=f"fresh{place.partition}", first_offset=end)
        moved = fresh.model_copy(update={"partition": place.partition})
        store.revisions.standing[moved.id] = moved
    await late.cross(range(12))
    assert store.announced() == []
    assert late.is_over


async def test_one_instance_hears_that_another_finished_the_replay() -> None:
    store = StoreInMemory()
    await store.post(an_event("published", create=True))
    onlooker = await store.replay()
    watching = asyncio.create_task(onlooker.watch())
    async with store.running():
        await asyncio.wait_for(watching, 30)
    assert onlooker.is_over
