"""What the store remembers of articles saves reading, and never decides."""

from __future__ import annotations

import pytest

from newsroom.errors import Away
from newsroom.kafka.fake import FakePublisher
from newsroom.outcomes import EventState, RejectionCode
from services.store.articles import Withheld
from services.store.consumer import Filer
from services.store.recent import ARTICLES, LARGEST_CHARACTERS, Recent
from tests.store_parts import StoreInMemory, a_delivery, a_text, an_article, an_event, minute


class Reads:
    """How often a filer read what stands, and of which articles."""

    def __init__(self, store: StoreInMemory) -> None:
        self.count = 0
        self.article_ids: list[set[str]] = []
        load = store.revisions.load

        async def counted(article_ids: set[str], *args: object) -> object:
            self.count += 1
            self.article_ids.append(article_ids)
            return await load(article_ids, *args)  # type: ignore[arg-type]

        store.revisions.load = counted  # type: ignore[method-assign,assignment]


async def a_filer(store: StoreInMemory) -> Filer:
    return Filer(store.revisions, FakePublisher(store.log), await store.replay())


async def test_a_story_is_filed_without_reading() -> None:
    store = StoreInMemory()
    reads, filer = Reads(store), await a_filer(store)
    await filer.handle([a_delivery(an_event("published", create=True), 0)])
    for place in range(1, 4):
        await filer.handle([a_delivery(an_event("updated", at=minute(place)), place)])
    assert reads.count == 0
    assert [each.revision for each in store.outcomes()] == [1, 2, 3, 4]
    assert store.revisions.standing["a"].revision == 4


async def test_an_article_that_is_not_remembered_is_read() -> None:
    store = StoreInMemory()
    await (await a_filer(store)).handle([a_delivery(an_event("published", create=True), 0)])
    reads, newcomer = Reads(store), await a_filer(store)
    await newcomer.handle([a_delivery(an_event("updated", at=minute(1)), 1)])
    assert reads.count == 1
    assert store.revisions.standing["a"].revision == 2


async def test_of_a_batch_only_what_is_not_remembered_is_read() -> None:
    """A rejection is decided on what was read, and sends nobody to read the others."""
    store = StoreInMemory()
    filer = await a_filer(store)
    await filer.handle([a_delivery(an_event("published", "known", create=True), 0)])
    await (await a_filer(store)).handle([a_delivery(an_event("published", "old", create=True), 1)])
    reads, updates = Reads(store), [an_event("updated", each) for each in ("known", "old", "none")]
    await filer.handle([a_delivery(update, place) for place, update in enumerate(updates, 2)])
    assert reads.article_ids == [{"old", "none"}]
    assert {each: head.revision for each, head in store.revisions.standing.items()} == {"known": 2, "old": 2}
    assert [store.states()[update.id].value for update in updates] == ["stored", "stored", "rejected"]


async def test_a_batch_that_comes_again_after_an_outage_is_told_whole() -> None:
    """What was written and not told must not pass for lost."""
    store = StoreInMemory()
    filer = await a_filer(store)
    batch = [a_delivery(an_event("published", create=True), 0)]
    store.log.go_away()
    with pytest.raises(Away):
        await filer.handle(batch)
    await store.log.come_back()
    await filer.handle(batch)
    assert [each.revision for each in store.outcomes()] == [1]


async def test_a_creation_of_an_article_that_stands_is_rejected() -> None:
    store = StoreInMemory()
    await (await a_filer(store)).handle([a_delivery(an_event("published", create=True), 0)])
    second = an_event("published", create=True, at=minute(1))
    await (await a_filer(store)).handle([a_delivery(second, 1)])
    outcome = store.outcomes()[-1]
    assert outcome.rejection is not None
    assert outcome.rejection.code is RejectionCode.ARTICLE_EXISTS
    assert store.revisions.standing["a"].revision == 1


async def test_an_event_that_comes_twice_has_one_effect_though_it_fits_what_is_remembered() -> None:
    store = StoreInMemory()
    filer = await a_filer(store)
    update = an_event("updated", at=minute(1))
    await filer.handle([a_delivery(an_event("published", create=True), 0)])
    await filer.handle([a_delivery(update, 1)])
    await filer.handle([a_delivery(update, 2)])
    assert store.revisions.standing["a"].revision == 2
    assert [each.state for each in store.outcomes()] == [EventState.STORED] * 3


async def test_a_new_assignment_knows_nothing() -> None:
    """Another owner filed in between, and the article is withdrawn by now."""
    store = StoreInMemory()
    filer, other = await a_filer(store), await a_filer(store)
    await filer.handle([a_delivery(an_event("published", create=True), 0)])
    await other.handle([a_delivery(an_event("withdrawn", at=minute(1)), 1)])
    await filer.begin([])
    update = an_event("updated", at=minute(2))
    await filer.handle([a_delivery(update, 2)])
    assert store.states()[update.id] is EventState.REJECTED


def test_long_texts_and_many_articles_are_not_kept() -> None:
    recent = Recent()
    long = an_article("published", article_id="long")
    long = long.model_copy(update={"text": a_text(body="x" * (LARGEST_CHARACTERS + 1))})
    short = an_article("published", article_id="short")
    recent.remember([long, short])
    assert recent.guess([a_delivery(an_event("updated", "long"), 9)]).unknown
    assert not recent.guess([a_delivery(an_event("updated", "short"), 9)]).unknown
    recent.remember(short.model_copy(update={"id": f"a{number}"}) for number in range(ARTICLES))
    assert recent.guess([a_delivery(an_event("updated", "short"), 9)]).unknown


async def test_no_rejection_is_decided_on_a_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    """It writes no revision that could collide, so a wrong one would stay."""
    store = StoreInMemory()
    await (await a_filer(store)).handle([a_delivery(an_event("published", create=True), 0)])
    monkeypatch.setattr("services.store.filing.MAX_EVENT_BYTES", 2000)
    too_large = an_event("published", create=True, at=minute(1), text=a_text(body="x" * 2000))
    update = an_event("updated", at=minute(2))
    await (await a_filer(store)).handle([a_delivery(too_large, 1), a_delivery(update, 2)])
    assert store.states()[too_large.id] is EventState.REJECTED
    assert store.states()[update.id] is EventState.STORED


def test_a_long_public_text_behind_a_short_draft_is_not_kept() -> None:
    recent = Recent()
    article = an_article("published", "drafted")
    assert article.public is not None
    long = article.public.model_copy(update={"text": a_text(body="x" * (LARGEST_CHARACTERS + 1))})
    recent.remember([article.model_copy(update={"public": long})])
    assert recent.guess([a_delivery(an_event("drafted"), 9)]).unknown


def test_an_entry_that_is_changed_has_to_be_read() -> None:
    """Which version comes next stands in the database alone; that a new one is new may be guessed."""
    recent = Recent()
    recent.remember([an_article("published")])
    assert not recent.guess([a_delivery(an_event("entry_added"), 9)]).unknown
    assert recent.guess([a_delivery(an_event("entry_changed"), 9)]).unknown


def test_a_long_text_that_waits_behind_a_short_draft_is_not_kept() -> None:
    recent = Recent()
    long = Withheld(text=a_text(body="x" * (LARGEST_CHARACTERS + 1)))
    recent.remember([an_article("drafted").model_copy(update={"withheld": long})])
    assert recent.guess([a_delivery(an_event("drafted"), 9)]).unknown
