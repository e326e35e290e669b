"""What is read again from the log, how much of it, and what the replays add up to."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from bench import replaying
from bench.chronicle import Chronicle
from bench.finish import Standing
from bench.replaying import PLANS, Plan, Replay, Stage, chapter, grown
from bench.stack import Broken, Newsroom
from bench.table import Chapter, Size
from bench.traffic import SHARES
from newsroom.events import EntryAdded, decode_event, event_message
from newsroom.records import Position, Record
from newsroom.topics import EVENTS
from services.store.articles import Article, has_page
from services.store.filing import apply

MANY = 600
PLAN = PLANS[Size.TABLE]


def a_replay(events: int = 1000, store: float = 2, seconds: float = 10, articles: int = 3) -> Replay:
    sizes = {f"/{number}/history/index.html": 9 for number in range(articles)}
    return Replay(events, store, seconds, {"store": 0.4, "render": 1.0}, Standing(sizes, 0))


def values(found: Chapter, what: str) -> list[float]:
    (row,) = (row for row in found.rows if what in row.what)
    return list(row.values)


def test_the_store_accepts_every_event_and_has_the_pages_that_are_foretold() -> None:
    chronicle = Chronicle()
    articles: dict[str, Article] = {}
    for offset, event in enumerate(chronicle.events(MANY)):
        result = apply(articles.get(event.article_id), event, Position(EVENTS, 0, offset))
        assert isinstance(result, Article), result
        articles[event.article_id] = result
    assert {name for name, article in articles.items() if has_page(article)} == chronicle.standing
    assert len(chronicle.standing) < len(articles) < MANY


def test_events_of_every_kind_are_told_and_counted() -> None:
    chronicle = Chronicle()
    kinds = Counter(event.kind.value for event in chronicle.events(MANY))
    assert kinds.total() == chronicle.told.total() == MANY
    assert kinds == chronicle.told
    assert set(kinds) == set(SHARES) - {"published again"}


def test_a_chronicle_goes_on_where_it_stopped() -> None:
    whole, parts = Chronicle(), Chronicle()
    assert list(whole.events(MANY)) == [*parts.events(200), *parts.events(MANY - 200)]


def test_events_have_ids_of_their_own_and_come_one_after_another() -> None:
    events = list(Chronicle().events(MANY))
    assert len({event.id for event in events}) == MANY
    assert [event.time for event in events] == sorted({event.time for event in events})


def test_the_log_reads_each_event_as_it_was_written() -> None:
    for event in Chronicle().events(100):
        message = event_message(event)
        record = Record(EVENTS, 0, 0, message.key, message.value, message.headers, 0)
        assert event_message(decode_event(record)) == message


def test_entries_are_among_the_events() -> None:
    assert any(isinstance(event.data, EntryAdded) for event in Chronicle().events(MANY))


class Reader:
    """Replays at a given rate, after a second to start."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.events = 0

    def add(self, events: int) -> None:
        self.events += events

    def replay(self) -> Replay:
        return a_replay(self.events, seconds=1 + self.events / self.rate)


@pytest.mark.parametrize(
    ("rate", "replayed"),
    [(10, [500]), (50, [500, 1590]), (1_000, [500, 2_000, 8_000, 20_000])],
)
def test_events_grow_as_long_as_they_are_replayed_in_time(rate: float, replayed: list[int]) -> None:
    reader = Reader(rate)
    found = grown(Plan(20_000, 500, 35, 3), reader.add, reader.replay)
    assert [each.events for each in found] == replayed


def test_a_smoke_test_replays_its_few_events() -> None:
    reader = Reader(10)
    assert [each.events for each in grown(PLANS[Size.SMOKE], reader.add, reader.replay)] == [60]


def test_the_store_and_all_pages_have_a_rate_of_their_own() -> None:
    found = chapter([a_replay()], [a_replay(seconds=10), a_replay(seconds=5)], Chronicle(), PLAN)
    assert values(found, "all pages") == [100, 200]
    assert values(found, "store is ready") == [500, 500]
    assert values(found, "files") == pytest.approx([0.3, 0.6])


@pytest.mark.parametrize(("events", "is_met"), [(20_000, True), (19_900, False)])
def test_the_goal_counts_until_all_pages_stand(events: int, is_met: bool) -> None:
    rows = chapter([], [a_replay(events, store=1, seconds=10)], Chronicle(), PLAN).rows
    assert [row.is_met for row in rows if row.goal] == [is_met]


def test_it_is_told_where_there_was_no_time_for_all_events() -> None:
    assert "(not 20,000" in chapter([], [a_replay(19_999)], Chronicle(), PLAN).how
    assert "(not" not in chapter([], [a_replay(20_000)], Chronicle(), PLAN).how


def test_kinds_and_processor_time_are_told() -> None:
    chronicle = Chronicle()
    list(chronicle.events(100))
    details = "\n".join(chapter([a_replay()], [a_replay()], chronicle, PLAN).details)
    assert f"{chronicle.told['published']} published" in details
    assert "store 0.40, render 1.00" in details


def test_a_stage_that_forgets_keeps_its_former_pages_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "drop", lambda *_: None)
    public = tmp_path / "site/public"
    stage = Stage(Newsroom("", "", "", "", "", public, "", {}), tmp_path / "former")
    for _ in range(2):
        public.mkdir(parents=True)
        (public / "index.html").write_text("a page")
        stage._forget()
        assert list(public.parent.iterdir()) == []
    assert len(list((tmp_path / "former").rglob("index.html"))) == 2


def test_pages_that_are_missing_are_no_measurement() -> None:
    replaying.check([a_replay(articles=3)], 3)
    with pytest.raises(Broken, match="4 articles are to have pages after a replay, and 3 have"):
        replaying.check([a_replay(articles=3)], 4)


def test_replays_that_differ_are_no_measurement() -> None:
    other = Standing(dict.fromkeys(a_replay().standing.sizes, 10), 0)
    differing = Replay(1000, 2, 10, {}, other)
    with pytest.raises(Broken, match="did not make files of the same paths and sizes"):
        replaying.check([a_replay(), differing], 3)
