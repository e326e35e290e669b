"""The fold under any history: what changes nothing, and what may never happen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from newsroom.events import Event, EventKind
from newsroom.kafka.consumer import Delivery
from newsroom.outcomes import EventState
from newsroom.records import Record
from newsroom.updates import ArticleUpdate, ChangeKind, Status
from services.store.announcing import update_of
from services.store.articles import Article
from services.store.consumer import fold
from services.store.decisions import Decision, Loaded
from services.store.filing import apply
from tests.store_parts import a_delivery, a_text, an_event, an_event_id, minute, position

texts = st.builds(
    a_text,
    st.sampled_from(["Siege", "Siege over", "Осада банка", "!!!"]),
    section=st.sampled_from(["Kazakhstan", "World"]),
    slug=st.sampled_from([None, "siege"]),
    breaking=st.booleans(),
)


@st.composite
def events(draw: st.DrawFn, articles: Sequence[str] = ("a", "b", "c")) -> list[Event]:
    """A log: events of several articles, with conditions and clocks that go back."""
    made = []
    for number in range(draw(st.integers(1, 14))):
        event = an_event(
            draw(st.sampled_from(EventKind)),
            draw(st.sampled_from(list(articles))),
            text=draw(texts),
            create=draw(st.booleans()),
            at=minute(draw(st.integers(-5, 20))),
            event_id=an_event_id(number),
            if_match=draw(st.sampled_from([None, None, None, 1, 2, 3])),
        )
        made.append(event)
    return made


def as_batch(log: Sequence[Event]) -> list[Delivery[Event]]:
    return [a_delivery(event, offset) for offset, event in enumerate(log)]


def filed(log: Sequence[Event]) -> tuple[dict[str, Article], dict[str, Decision]]:
    folded = fold(Loaded({}, {}, {}), as_batch(log), minute(0))
    return folded.articles, folded.fresh


def site(articles: dict[str, Article]) -> dict[str, ArticleUpdate]:
    """All that pages are made from."""
    return {article_id: update_of(article) for article_id, article in articles.items()}


@given(events())
def test_a_batch_is_what_its_events_are_one_by_one(log: list[Event]) -> None:
    """However the log is cut into batches, the same revisions come of it."""
    articles: dict[str, Article] = {}
    for delivery in as_batch(log):
        event, record = delivery.item, delivery.record
        result = apply(articles.get(event.article_id), event, position(record.offset))
        if isinstance(result, Article):
            articles[result.id] = result
    assert filed(log)[0] == articles


@given(events(), st.data())
def test_duplicates_have_no_effect(log: list[Event], data: st.DataObject) -> None:
    """A repeated event, anywhere after the first, changes no page and keeps a rejection."""
    repeated = list(log)
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(repeated) - 1))
        repeated.insert(data.draw(st.integers(place + 1, len(repeated))), repeated[place])
    articles, decisions = filed(log)
    articles_again, decisions_again = filed(repeated)
    assert site(articles_again) == site(articles)
    assert {each: d.state for each, d in decisions_again.items()} == {
        e: d.state for e, d in decisions.items()
    }


@given(events(), st.data())
def test_articles_do_not_touch_each_other(log: list[Event], data: st.DataObject) -> None:
    """Any interleaving that keeps each article's own order gives the same site."""
    left = {each: [event for event in log if event.article_id == each] for each in ("a", "b", "c")}
    interleaved = []
    while any(left.values()):
        chosen = data.draw(st.sampled_from([each for each, rest in left.items() if rest]))
        interleaved.append(left[chosen].pop(0))
    assert site(filed(interleaved)[0]) == site(filed(log)[0])


@given(events(), st.integers(0, 14))
def test_a_second_reading_of_the_log_decides_nothing_anew(log: list[Event], cut: int) -> None:
    """A process that died after its writes reads again from any commit: everything is known."""
    articles, decisions = filed(log)
    loaded = Loaded(articles, {each: a.revision for each, a in articles.items()}, decisions)
    again = fold(loaded, as_batch(log)[cut:], minute(0))
    assert (again.articles, again.fresh, again.lost) == (articles, {}, [])


@given(events())
def test_revisions_count_up_without_a_gap(log: list[Event]) -> None:
    articles, decisions = filed(log)
    for article_id, article in articles.items():
        made = [d.revision for d in decisions.values() if d.article_id == article_id and d.revision]
        assert made == list(range(1, article.revision + 1))


@given(events(articles=("a",)))
def test_what_may_never_happen(log: list[Event]) -> None:
    """Step by step: final stays final, times and revisions never go back, first addresses stay."""
    article: Article | None = None
    for offset, event in enumerate(log):
        result = apply(article, event, position(offset))
        if not isinstance(result, Article):
            continue
        if article is not None:
            assert article.status is not Status.RETRACTED
            assert result.time >= article.time
            assert result.published_at == article.published_at or article.published_at is None
            assert result.day == article.day or article.day is None
            if event.kind is EventKind.DRAFTED:
                assert (result.public, result.path, result.changes) == (
                    article.public,
                    article.path,
                    article.changes,
                )
        article = result
        _check_public_face(article)


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
    articles, decisions = filed(log)
    forgotten = {each: d for each, d in decisions.items() if d.state is not EventState.STORED}
    loaded = Loaded(articles, {each: a.revision for each, a in articles.items()}, forgotten)
    again = fold(loaded, as_batch(log), minute(0))
    assert again.articles == articles
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
