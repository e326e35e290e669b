"""The store's loop on live articles: entries are written, told before their article, and lost by nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from newsroom.errors import Away
from newsroom.events import EntryAdded, EntryChanged, Event, event_message
from newsroom.kafka.cluster import partition_for
from newsroom.kafka.consumer import Delivery
from newsroom.kafka.fake import FakePublisher
from newsroom.outcomes import EventState, RejectionCode
from newsroom.topics import ALL, EVENTS, UPDATES
from newsroom.updates import EntryAnnouncement, EntryUpdate
from services.store import again
from services.store.again import announce_again
from services.store.articles import Article
from services.store.consumer import Filer
from tests.store_parts import StoreInMemory, a_delivery, a_post, a_text, an_event, an_event_id, minute
from tests.unit.loops import until
from tests.unit.test_store_consumer import is_settled
from tests.unit.test_store_recent import Reads

PARTITION = partition_for(b"a", next(spec.partitions for spec in ALL if spec.name == EVENTS))
LIVE = a_text("Siege, live", live=True)


def begun(article_id: str = "a") -> Event:
    return an_event("published", article_id, text=LIVE, create=True)


def posted(entry_id: str, at: int, headline: str = "Shots", *, event: str = "") -> Event:
    data = EntryAdded(entry_id=entry_id, entry=a_post(headline))
    return an_event("entry_added", data=data, at=minute(at), event_id=an_event_id(("+", entry_id, at, event)))


def changed(entry_id: str, at: int, headline: str, *, if_match: int | None = None) -> Event:
    data = EntryChanged(entry_id=entry_id, entry=a_post(headline))
    event_id = an_event_id(("!", entry_id, at, headline))
    return an_event("entry_changed", data=data, at=minute(at), event_id=event_id, if_match=if_match)


def sent(kind: str, at: int) -> Event:
    return an_event(kind, text=LIVE, at=minute(at))


class Store:
    """A store in memory whose filers come and go, and the log that they read."""

    def __init__(self) -> None:
        self.parts = StoreInMemory()
        self.heard: list[Article] = []
        self._next = 0

    async def filer(self) -> Filer:
        replay = await self.parts.replay()
        return Filer(self.parts.revisions, FakePublisher(self.parts.log), replay, self._hear)

    def _hear(self, articles: Iterable[Article]) -> None:
        self.heard += articles

    def batch(self, *events: Event) -> list[Delivery[Event]]:
        """These events as they come next on the log."""
        first, self._next = self._next, self._next + len(events)
        return [a_delivery(event, first + place, PARTITION) for place, event in enumerate(events)]

    async def file(self, *events: Event) -> None:
        """File them as a process that remembers nothing."""
        await (await self.filer()).handle(self.batch(*events))

    def told(self) -> list[str]:
        """The records on the log in order: entries as `e1@2`, hidden ones with `-`, articles as `=2`."""
        return [
            f"{'' if each.update.entry else '-'}{each.update.entry_id}@{each.update.as_of}"
            if isinstance(each, EntryAnnouncement)
            else f"={each.update.revision}"
            for each in self.parts.told()
        ]

    def headlines(self) -> dict[str, str | None]:
        """What compaction would keep of each entry."""
        newest: dict[str, EntryUpdate] = {
            each.update.entry_id: each.update
            for each in self.parts.told()
            if isinstance(each, EntryAnnouncement)
        }
        return {each: update.entry.text.headline if update.entry else None for each, update in newest.items()}

    def clear(self) -> None:
        """Forget what was told so far."""
        for where in self.parts.log.partitions(UPDATES):
            self.parts.log.truncate(where, self.parts.log.end_offsets(UPDATES)[where])


@pytest.fixture
def store() -> Store:
    return Store()


# --- told before the article, in its partition


async def test_an_entry_is_told_before_its_article_and_as_of_it(store: Store) -> None:
    await store.file(begun())
    await store.file(posted("e1", 1))
    await store.file(posted("e2", 2))
    assert store.told() == ["=1", "e1@2", "=2", "e2@3", "=3"]


async def test_each_entry_of_a_batch_is_told_once_as_it_stands_after_it(store: Store) -> None:
    await store.file(begun(), posted("e1", 1), posted("e2", 2), changed("e1", 3, "Put right"))
    assert store.told() == ["e1@4", "e2@4", "=4"]
    assert store.headlines() == {"e1": "Put right", "e2": "Shots"}
    revisions = {each.id: each.revision for each in store.parts.revisions.entries.values()}
    assert revisions == {"e1": 4, "e2": 3}


async def test_an_entry_stands_in_the_partition_of_its_article() -> None:
    """By the key of the article, as Kafka's own partitioner places that: the topics have as many."""
    partitions = {spec.name: spec.partitions for spec in ALL}
    assert partitions[EVENTS] == partitions[UPDATES]
    store = StoreInMemory()
    names = [f"a{number}" for number in range(20)]
    async with store.running():
        await store.post(*(begun(each) for each in names))
        for each in names:
            data = EntryAdded(entry_id="e", entry=a_post())
            await store.post(an_event("entry_added", each, data=data, at=minute(1)))
        await until(lambda: is_settled(store))
    places = {record.key: record.partition for record in store.log.records(UPDATES)}
    assert len(places) == 40
    for name in names:
        at = partition_for(name.encode(), partitions[UPDATES])
        assert places[name.encode()] == places[f"{name}/e".encode()] == at


async def test_the_event_of_an_entry_is_told_with_the_page_it_stands_on(store: Store) -> None:
    await store.file(begun(), posted("e1", 1))
    outcome = store.parts.outcomes()[-1]
    assert (outcome.state, outcome.revision, outcome.renders) == (EventState.STORED, 2, True)
    assert outcome.path == store.parts.revisions.standing["a"].path


async def test_an_entry_changed_while_its_article_is_withdrawn_renders_nothing(store: Store) -> None:
    await store.file(begun(), posted("e1", 1), sent("withdrawn", 2), changed("e1", 3, "Put right"))
    outcome = store.parts.outcomes()[-1]
    assert (outcome.state, outcome.renders, outcome.path) == (EventState.STORED, False, None)


# --- all of them, where the article goes or comes


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries are read and told two at a time."""
    monkeypatch.setattr(again, "_ENTRIES_AT_ONCE", 2)


@pytest.mark.usefixtures("in_parts")
@pytest.mark.parametrize("kind", ["withdrawn", "retracted"])
async def test_entries_are_hidden_before_their_article_goes(store: Store, kind: str) -> None:
    await store.file(begun(), *(posted(f"e{number}", number) for number in (1, 2, 3)))
    store.clear()
    await store.file(sent(kind, 5))
    assert store.told() == ["-e1@5", "-e2@5", "-e3@5", "=5"]
    bytes_told = b"".join(record.value or b"" for record in store.parts.log.records(UPDATES))
    assert b"Shots" not in bytes_told


@pytest.mark.usefixtures("in_parts")
async def test_entries_show_again_before_their_article_does(store: Store) -> None:
    """With what was mended meanwhile."""
    await store.file(begun(), *(posted(f"e{number}", number) for number in (1, 2, 3)))
    await store.file(sent("withdrawn", 5))
    await store.file(changed("e2", 6, "Put right"))
    store.clear()
    await store.file(sent("published", 7))
    assert store.told() == ["e1@7", "e2@7", "e3@7", "=7"]
    assert store.headlines()["e2"] == "Put right"


@pytest.mark.usefixtures("in_parts")
async def test_entries_of_an_article_that_goes_in_the_batch_that_adds_them_never_show(store: Store) -> None:
    await store.file(begun(), posted("e1", 1), posted("e2", 2), sent("withdrawn", 3))
    assert store.told() == ["-e1@4", "-e2@4", "=4"]


async def test_an_update_of_the_article_leaves_its_entries_untold(store: Store) -> None:
    await store.file(begun(), posted("e1", 1))
    store.clear()
    await store.file(sent("updated", 2))
    assert store.told() == ["=3"]


# --- what anybody guessed, wrote or told before


async def test_an_entry_is_added_without_reading(store: Store) -> None:
    filer, reads = await store.filer(), Reads(store.parts)
    await filer.handle(store.batch(begun()))
    for number in range(1, 30):
        await filer.handle(store.batch(posted(f"e{number}", number)))
    assert reads.count == 0
    await filer.handle(store.batch(changed("e7", 40, "Put right")))
    assert reads.count == 1
    assert store.headlines()["e7"] == "Put right"


async def test_an_entry_that_stands_is_not_added_again_on_a_guess(store: Store) -> None:
    """The article is remembered and its entries are not: the database refuses the second."""
    filer = await store.filer()
    await filer.handle(store.batch(begun()))
    await filer.handle(store.batch(posted("e1", 1, "First")))
    second = posted("e1", 2, "Second")
    await filer.handle(store.batch(second, posted("e2", 3)))
    outcome = next(each for each in store.parts.outcomes() if each.event_id == second.id)
    assert outcome.rejection is not None
    assert outcome.rejection.code is RejectionCode.ENTRY_EXISTS
    assert store.headlines() == {"e1": "First", "e2": "Shots"}
    assert store.parts.revisions.standing["a"].revision == 3


async def test_two_owners_lose_no_entry_and_no_change(store: Store) -> None:
    """Both get the same events; one of them is late."""
    await store.file(begun(), posted("e1", 1))
    events = [
        posted("e2", 2),
        changed("e1", 3, "Once"),
        changed("e2", 4, "Twice"),
        posted("e3", 5),
        changed("e1", 6, "Last"),
    ]
    batch = store.batch(*events)
    first, second = await store.filer(), await store.filer()
    await asyncio.gather(first.handle(batch[:3]), second.handle(batch))
    await first.handle(batch[3:])
    assert store.headlines() == {"e1": "Last", "e2": "Twice", "e3": "Shots"}
    entries = store.parts.revisions.entries
    assert {each.id: (each.version, each.revision) for each in entries.values()} == {
        "e1": (3, 7), "e2": (2, 5), "e3": (1, 6)
    }  # fmt: skip
    assert set(store.parts.states().values()) == {EventState.STORED}


async def test_of_two_changes_of_one_entry_on_one_revision_the_second_hears_of_it(store: Store) -> None:
    await store.file(begun(), posted("e1", 1), posted("e2", 2))
    mine, other = changed("e1", 4, "Mine", if_match=2), changed("e1", 5, "Yours", if_match=2)
    await store.file(mine, other)
    assert store.parts.states()[mine.id] is EventState.STORED
    assert store.parts.states()[other.id] is EventState.REJECTED
    assert store.headlines()["e1"] == "Mine"


class _DiedError(Exception):
    pass


def die() -> None:
    raise _DiedError


@pytest.mark.parametrize("step", ["before_write", "before_entries", "before_heads"])
async def test_a_process_that_dies_between_its_writes_leaves_no_entry_out(store: Store, step: str) -> None:
    """Whoever gets the events again completes what stands, before anything is told."""
    await store.file(begun(), posted("e1", 1))
    store.clear()
    batch = store.batch(changed("e1", 2, "Put right"), posted("e2", 3))
    setattr(store.parts.revisions, step, die)
    with pytest.raises(_DiedError):
        await (await store.filer()).handle(batch)
    assert store.told() == []
    setattr(store.parts.revisions, step, lambda: None)
    await (await store.filer()).handle(batch)
    assert store.told() == ["e1@4", "e2@4", "=4"]
    assert {each.id: each.revision for each in store.parts.revisions.entries.values()} == {"e1": 3, "e2": 4}
    assert store.parts.revisions.standing["a"].revision == 4


async def test_what_comes_again_after_an_outage_tells_entries_as_they_stand_now(store: Store) -> None:
    """Not as the event left them: that may be long ago."""
    filer, batch = await store.filer(), store.batch(begun(), posted("e1", 1))
    await filer.handle(batch)
    await filer.handle(store.batch(changed("e1", 2, "Put right")))
    store.clear()
    await (await store.filer()).handle(batch)
    assert store.told() == ["e1@3", "=3"]
    assert store.headlines() == {"e1": "Put right"}


async def test_entries_of_an_article_whose_withdrawal_comes_again_stay_hidden(store: Store) -> None:
    batch = store.batch(begun(), posted("e1", 1), sent("withdrawn", 2))
    store.parts.log.go_away()
    with pytest.raises(Away):
        await (await store.filer()).handle(batch)
    await store.parts.log.come_back()
    await (await store.filer()).handle(batch)
    assert store.told() == ["-e1@3", "=3"]


async def test_an_entry_that_only_the_log_position_knows_is_told(store: Store) -> None:
    """A restored database may lack a decision whose effect its heads and entries have."""
    batch = store.batch(begun(), posted("e1", 1))
    await (await store.filer()).handle(batch)
    store.parts.revisions.decisions.clear()
    store.clear()
    await (await store.filer()).handle(batch)
    assert store.told() == ["e1@2", "=2"]


# --- announced again


@pytest.mark.usefixtures("in_parts")
async def test_entries_are_announced_again_before_their_article(store: Store) -> None:
    await store.file(begun(), *(posted(f"e{number}", number) for number in (1, 2, 3)))
    store.clear()
    revisions = store.parts.revisions
    await announce_again(revisions, FakePublisher(store.parts.log), await revisions.heads(["a"]))
    assert store.told() == ["e1@4", "e2@4", "e3@4", "=4"]
    assert all(each.again for each in store.parts.told())


async def test_what_was_posted_since_is_left_to_who_tells_of_it(store: Store) -> None:
    """A re-announcement brings no notice; an entry first met in one would never have any."""
    await store.file(begun(), posted("e1", 1))
    head = store.parts.revisions.standing["a"]
    await store.file(posted("e2", 2), changed("e1", 3, "Put right"))
    store.clear()
    store.parts.revisions.standing["a"] = head  # it is replaced after the entries
    await announce_again(store.parts.revisions, FakePublisher(store.parts.log), [head])
    assert store.told() == ["=2"]


async def test_entries_of_an_article_that_goes_meanwhile_are_hidden_last(store: Store) -> None:
    """The compacted topic keeps the last record of each key."""
    await store.file(begun(), posted("e1", 1))
    former = store.parts.revisions.standing["a"]
    await store.file(sent("withdrawn", 2))
    store.clear()
    await announce_again(store.parts.revisions, FakePublisher(store.parts.log), [former])
    assert store.told() == ["e1@2", "=2", "-e1@3", "=3"]


async def test_an_empty_database_announces_entries_as_they_stand_at_the_end_of_the_history() -> None:
    store = StoreInMemory()
    past = [
        begun(),
        posted("e1", 1, "Wrong"),
        changed("e1", 2, "Put right"),
        begun("gone"),
        an_event("entry_added", "gone", at=minute(1)),
        an_event("withdrawn", "gone", at=minute(2)),
    ]
    for event in past:
        await store.log.append(event_message(event))
    async with store.running():
        await until(lambda: is_settled(store))
    told = store.told()
    assert len(told) == 4
    assert all(each.again for each in told)
    by_article = {
        name: [each.update for each in told if each.update.article_id == name] for name in ("a", "gone")
    }
    assert [isinstance(each, EntryUpdate) for each in by_article["a"]] == [True, False]
    assert [isinstance(each, EntryUpdate) for each in by_article["gone"]] == [True, False]
    bytes_told = b"".join(record.value or b"" for record in store.log.records(UPDATES))
    assert b"Put right" in bytes_told
    assert b"Wrong" not in bytes_told
    assert b"Shots heard" not in bytes_told


# --- who hears of what was filed


async def test_articles_are_heard_of_once_they_stand(store: Store) -> None:
    """The scheduler relies on it: what it hears is in the database already."""
    await store.file(begun(), posted("e1", 1))
    assert store.heard == [store.parts.revisions.standing["a"]]
    store.parts.revisions.before_heads = die
    with pytest.raises(_DiedError):
        await store.file(posted("e2", 2))
    assert len(store.heard) == 1
