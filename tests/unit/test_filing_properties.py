"""The fold under any history, due times and entries included: what changes nothing, what may never happen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from newsroom.events import Due, Dues, EntryAdded, EntryChanged, Event, EventData, EventKind
from newsroom.kafka.consumer import Delivery
from newsroom.outcomes import EventState
from newsroom.records import Record
from newsroom.updates import ArticleUpdate, ChangeKind, EntryUpdate, Status
from services.store import effects
from services.store.announcing import entry_update_of, update_of
from services.store.articles import Article, Entry, due_events
from services.store.decisions import Decision, Loaded, article_after
from services.store.filing import ALLOWED, apply, stage_of
from services.store.folding import Folded, fold
from tests.store_parts import a_delivery, a_post, a_text, an_event, an_event_id, data_of, minute, position
from tests.story_parts import SENT, Story, due_data, with_dues

texts = st.builds(
    a_text,
    st.sampled_from(["Siege", "Siege over", "Осада банка", "!!!"]),
    section=st.sampled_from(["Kazakhstan", "World"]),
    slug=st.sampled_from([None, "siege"]),
    breaking=st.booleans(),
    live=st.sampled_from([True, True, False]),
)
times = st.sampled_from([None, None, None, Due(), Due(at=minute(8)), Due(at=minute(40))])
dues = st.builds(Dues, publish_at=times, embargo_until=times, breaking_until=times)


ENTRIES = (EventKind.ENTRY_ADDED, EventKind.ENTRY_CHANGED)


@st.composite
def data(draw: st.DrawFn, kind: EventKind, posted: Sequence[str], *, create: bool) -> EventData:
    """What an event of this kind may carry; a due event, a time that hardly ever stands.

    `posted` are the entries that stand.
    """
    news = [f"e{len(posted) + 1}"] if kind is EventKind.ENTRY_ADDED else []
    entry_id = draw(st.sampled_from([*posted, *news * 5] or ["e1"]))
    post = a_post(draw(st.sampled_from(["Shots", "Calm"])), pinned=draw(st.booleans()))
    if kind is EventKind.ENTRY_ADDED:
        return EntryAdded(entry_id=entry_id, entry=post)
    if kind is EventKind.ENTRY_CHANGED:
        return EntryChanged(entry_id=entry_id, entry=post)
    if kind in SENT:
        return with_dues(kind, draw(texts), draw(dues), create=create)
    return data_of(kind, draw(texts), create=create)


def likely(article: Article | None) -> list[EventKind]:
    """Kinds of events that may have an effect now."""
    if article is None:
        return [EventKind.PUBLISHED, EventKind.PUBLISHED, EventKind.DRAFTED]
    allowed = [kind for kind in EventKind if stage_of(article) in ALLOWED[kind]]
    posts = [kind for kind in allowed if kind in ENTRIES] * 3
    return [*allowed, *posts] or list(EventKind)


@st.composite
def events(draw: st.DrawFn, articles: Sequence[str] = ("a", "b", "c")) -> list[Event]:
    """A log: events of several articles, with conditions and clocks that go back.

    Most are what an editor could do then, and due events name the time that stands.
    """
    made: list[Event] = []
    stories = {each: Story() for each in articles}
    for number in range(draw(st.integers(1, 14))):
        article_id = draw(st.sampled_from(list(articles)))
        article = stories[article_id].standing
        is_odd = draw(st.sampled_from([False, False, False, True]))
        kind = draw(st.sampled_from(list(EventKind) if is_odd else likely(article)))
        create = draw(st.booleans()) if is_odd else article is None
        carried, at = (
            draw(data(kind, list(stories[article_id].entries), create=create)),
            minute(draw(st.integers(-5, 20))),
        )
        due = next((each for each in due_events(article) if each.kind is kind), None) if article else None
        if due is not None and not is_odd:
            carried, at = due_data(due), due.due.at
        event = an_event(
            kind,
            article_id,
            data=carried,
            at=at,
            event_id=an_event_id(number),
            if_match=draw(st.sampled_from([1, 2, 3])) if is_odd and draw(st.booleans()) else None,
        )
        stories[article_id].fold(event)
        made.append(event)
    return made


def as_batch(log: Sequence[Event]) -> list[Delivery[Event]]:
    return [a_delivery(event, offset) for offset, event in enumerate(log)]


def filed(log: Sequence[Event]) -> Folded:
    return fold(Loaded({}, {}, {}), as_batch(log), minute(0))


def all_of(folded: Folded) -> Loaded:
    """What a database has of it."""
    heads = {each: article.revision for each, article in folded.articles.items()}
    return Loaded(folded.articles, heads, folded.fresh, entries=folded.entries)


def site(folded: Folded) -> dict[str, ArticleUpdate | EntryUpdate]:
    """All that pages are made from."""
    articles = {article_id: update_of(article) for article_id, article in folded.articles.items()}
    entries = {
        key: entry_update_of(folded.articles[entry.article_id], entry)
        for key, entry in folded.entries.items()
    }
    return {**articles, **entries}


@given(events(), st.data())
def test_a_batch_is_what_its_events_are_one_by_one(log: list[Event], data: st.DataObject) -> None:
    """However the log is cut into batches, the same decisions come of it."""
    whole, pieces, left = filed(log), Folded({}), as_batch(log)
    decided: dict[str, Decision] = {}
    while left:
        cut = data.draw(st.integers(1, len(left)))
        heads = {each: article.revision for each, article in pieces.articles.items()}
        loaded = Loaded(pieces.articles, heads, decided, entries=pieces.entries)
        pieces, left = fold(loaded, left[:cut], minute(0)), left[cut:]
        decided |= pieces.fresh
    assert (pieces.articles, pieces.entries, decided) == (whole.articles, whole.entries, whole.fresh)


@given(events())
def test_decisions_alone_make_the_articles_again(log: list[Event]) -> None:
    """Also those of entries, which carry no article of their own."""
    folded = filed(log)
    articles: dict[str, Article] = {}
    entries: dict[str, Entry] = {}
    for decision in folded.fresh.values():
        if decision.state is EventState.STORED:
            former = articles.get(decision.article_id)
            articles[decision.article_id] = article_after(former, decision)
            assert (decision.entry is None) is (decision.article is not None)
            if decision.entry is not None:
                entries[decision.entry.key] = decision.entry
    assert (articles, entries) == (folded.articles, folded.entries)


@given(events(), st.data())
def test_duplicates_have_no_effect(log: list[Event], data: st.DataObject) -> None:
    """A repeated event, anywhere after the first, changes no page and keeps a rejection."""
    repeated = list(log)
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(repeated) - 1))
        repeated.insert(data.draw(st.integers(place + 1, len(repeated))), repeated[place])
    once, again = filed(log), filed(repeated)
    assert site(again) == site(once)
    assert {each: d.state for each, d in again.fresh.items()} == {
        each: d.state for each, d in once.fresh.items()
    }


@given(events(), st.data())
def test_articles_do_not_touch_each_other(log: list[Event], data: st.DataObject) -> None:
    """Any interleaving that keeps each article's own order gives the same site."""
    left = {each: [event for event in log if event.article_id == each] for each in ("a", "b", "c")}
    interleaved = []
    while any(left.values()):
        chosen = data.draw(st.sampled_from([each for each, rest in left.items() if rest]))
        interleaved.append(left[chosen].pop(0))
    assert site(filed(interleaved)) == site(filed(log))


@given(events(), st.integers(0, 14))
def test_a_second_reading_of_the_log_decides_nothing_anew(log: list[Event], cut: int) -> None:
    """A process that died after its writes reads again from any commit: everything is known."""
    folded = filed(log)
    again = fold(all_of(folded), as_batch(log)[cut:], minute(0))
    assert (again.articles, again.fresh, again.lost) == (folded.articles, {}, [])


@given(events())
def test_revisions_count_up_without_a_gap(log: list[Event]) -> None:
    """Those of an article, and the versions of an entry."""
    folded = filed(log)
    for article_id, article in folded.articles.items():
        made = [d.revision for d in folded.fresh.values() if d.article_id == article_id and d.revision]
        assert made == list(range(1, article.revision + 1))
    for key, entry in folded.entries.items():
        versions = [d.entry.version for d in folded.fresh.values() if d.entry and d.entry.key == key]
        assert versions == list(range(1, entry.version + 1))


@given(events())
def test_an_article_counts_its_entries(log: list[Event]) -> None:
    folded = filed(log)
    for article in folded.articles.values():
        posted = [entry for entry in folded.entries.values() if entry.article_id == article.id]
        live = article.live
        if live is None:
            assert posted == []
            continue
        assert sorted(entry.number for entry in posted) == list(range(1, live.entries + 1))
        assert {entry.page for entry in posted} == set(range(1, live.pages + 1))
        assert live.bytes == sum(effects.entry_bytes(entry.text) for entry in posted)
        assert live.entry_revision == max((entry.revision for entry in posted), default=0)
        assert live.pinned is None or folded.entries[f"{article.id}/{live.pinned}"].text.pinned


@given(events(articles=("a",)))
def test_what_may_never_happen(log: list[Event]) -> None:
    """Step by step: final stays final, times and revisions never go back, first addresses stay."""
    story = Story()
    for event in log:
        former = story.standing
        result = story.fold(event)
        if not isinstance(result, Article):
            continue
        if former is not None:
            assert former.status is not Status.RETRACTED
            assert stage_of(former) in ALLOWED[event.kind]
            assert result.time >= former.time
            assert result.published_at == former.published_at or former.published_at is None
            assert result.day == former.day or former.day is None
            if event.kind is EventKind.DRAFTED:
                assert _beside_the_text(result) == _beside_the_text(former)
        _check_public_face(result)
        _check_what_waits(result)


def _beside_the_text(article: Article) -> Mapping[str, object]:
    """All that a draft must leave as it stands."""
    moved = {"revision", "time", "partition", "offset", "text", "draft_revision"}
    return article.model_dump(exclude=moved)


def _check_what_waits(article: Article) -> None:
    """Something is withheld exactly while a time stands against it, and what shows is none of it."""
    due = [each for each in due_events(article) if each.kind is EventKind.RELEASED]
    assert bool(due) is (article.withheld is not None)
    if article.withheld is not None:
        assert article.status is not Status.RETRACTED
        shown = {change.revision for change in article.changes}
        assert shown.isdisjoint(change.revision for change in article.withheld.changes)


def _check_public_face(article: Article) -> None:
    told = update_of(article)
    assert (told.public is not None) == (article.status in (Status.PUBLIC, Status.RETRACTED))
    assert article.path not in article.former_paths
    if told.public is None:
        assert article.changes == ()
        return
    assert told.public.changes
    first = told.public.changes[0].kind
    assert first is (ChangeKind.RETRACTED if article.status is Status.RETRACTED else ChangeKind.PUBLISHED)
    assert (told.public.text is None) == (article.status is Status.RETRACTED)
    assert told.public.bumped_at <= told.public.updated_at
    assert [c.revision for c in told.public.changes] == sorted({c.revision for c in told.public.changes})


@given(events())
def test_an_event_that_is_lost_to_the_database_is_not_folded_again(log: list[Event]) -> None:
    """Where the article's log position says it was folded, it is told of and has no second effect."""
    folded = filed(log)
    forgotten = {each: d for each, d in folded.fresh.items() if d.state is not EventState.STORED}
    again = fold(replace(all_of(folded), decided=forgotten), as_batch(log), minute(0))
    assert again.articles == folded.articles
    assert all(d.state is EventState.REJECTED for d in again.fresh.values())


def test_the_position_counts_only_in_its_own_partition() -> None:
    """An article's log position says nothing of another partition (of a topic made anew)."""
    event = an_event("updated", event_id=an_event_id("u"))
    published = apply(None, an_event("published", create=True), position(50, 3))
    assert isinstance(published, Article)
    delivery = a_delivery(event, 7, 4)
    folded = fold(Loaded({"a": published}, {"a": 1}, {}), [delivery], minute(0))
    assert folded.articles["a"].revision == 2
    same: Record = replace(delivery.record, partition=3)
    lost = fold(Loaded({"a": published}, {"a": 1}, {}), [Delivery(same, event)], minute(0))
    assert [each.item.id for each in lost.lost] == [event.id]
