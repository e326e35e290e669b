"""Fronts, feeds and ledgers: always from the current state, however many marks came, whoever else writes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest

from newsroom import topics
from newsroom.addresses import HOME, TRANSLATIONS_SITEMAP, UPDATES_LEDGER
from newsroom.errors import Away
from newsroom.kafka.backoff import Backoff
from newsroom.kafka.consumer import Delivery
from newsroom.listings import Haste, ListingMark, Marked, decode_mark, mark_message
from newsroom.records import Record
from newsroom.telemetry import metrics
from newsroom.times import now
from newsroom.updates import ChangeKind
from services.render import listings
from services.render.cards import Card
from services.render.listingkinds import LIMIT, Listing
from tests.render_parts import (
    MemoryReadModel,
    PlainPages,
    a_change,
    a_history,
    a_public,
    a_retracted,
    a_translation,
    a_withdrawn,
)
from tests.render_world import SmallRender


@pytest.fixture
def render(tmp_path: Path) -> SmallRender:
    return SmallRender(tmp_path)


async def test_a_listing_has_its_newest_entries_first(render: SmallRender) -> None:
    """By the time that moves an article up; ties by article id."""
    await render.take(a_public("a1", 1), a_public("b2", 3), a_public("c3", 1))
    await render.list_marked()
    listed = [line.split(" ")[-1] for line in render.text(HOME).splitlines()[1:4]]
    assert listed == [a_public("b2").path, a_public("a1").path, a_public("c3").path]


async def test_many_marks_make_one_listing(tmp_path: Path) -> None:
    """However many articles moved in it."""
    pages = CountingPages()
    render = SmallRender(tmp_path, pages=pages)
    await render.take(*(a_public(f"a{number}") for number in range(20)))
    await render.list_marked()
    assert pages.drawn.count(HOME) == 1
    assert render.text(HOME).count("Headline") == 20


@pytest.mark.parametrize(
    ("took", "is_busy", "rests"),
    [
        (0.01, True, 0.24),
        (0.1, True, 0.2),
        (0.2, True, 0.4),
        (600.0, True, 1.0),
        (0.2, False, 0.05),
        (3.0, False, 0.0),
    ],
)
async def test_listings_rest_for_articles(
    render: SmallRender, took: float, is_busy: bool, rests: float
) -> None:
    """These have the processor meanwhile, and what is marked again is written once."""
    render.listings.is_busy = lambda: is_busy
    assert render.listings.rest_seconds(took, 100) == pytest.approx(rests)


async def test_only_for_what_is_new_readers_of_its_page_come_first(tmp_path: Path) -> None:
    """A rebuild has none who wait for its articles, so its listings are begun without a pause."""
    pages = CountingPages()
    render = SmallRender(tmp_path, pages=pages)
    render.listings._first_seconds = 3_600.0
    await render.listings.handle([a_mark_on("/", Haste.AT_LEISURE)])
    assert pages.drawn == ["/"]
    writing = asyncio.create_task(render.listings.handle([a_mark_on("/"), a_mark_on("/", Haste.AT_LEISURE)]))
    await asyncio.wait([writing], timeout=0.2)
    assert pages.drawn == ["/"]
    writing.cancel()


async def test_what_a_turn_does_not_come_to_is_left_for_the_next(tmp_path: Path) -> None:
    """Which may hold what is due before it. While articles are under way a turn comes to fewer."""
    pages = CountingPages()
    render = SmallRender(tmp_path, pages=pages)
    render.listings._turn_seconds = 0.0
    await render.take(a_public("a1"))
    pages.drawn.clear()
    marks = marks_of(render)
    left = await render.listings.handle(marks)
    assert len(pages.drawn) == listings.AT_ONCE
    assert {each.item.mark.path for each in left} == {each.item.mark.path for each in marks} - {*pages.drawn}
    render.listings.is_busy = lambda: True
    fewer = await render.listings.handle(left)
    assert len(left) - len(fewer) == listings.AT_ONCE_BUSY < listings.AT_ONCE


async def test_what_was_taken_from_the_public_goes_first_and_without_a_turn(tmp_path: Path) -> None:
    pages = CountingPages()
    render = SmallRender(tmp_path, pages=pages)
    render.listings._turn_seconds = 0.0
    render.listings.is_busy = lambda: True
    await render.take(a_public("a1"))
    await render.list_marked()
    await render.take(a_withdrawn(a_public("a1"), 2))
    gone = marks_of(render, Haste.AT_ONCE)
    others = [a_mark_on(f"/tags/t{number}/") for number in range(3)]
    pages.drawn.clear()
    left = await render.listings.handle([*others, *gone])
    assert {*pages.drawn[: len(gone)]} == {each.item.mark.path for each in gone}
    assert len(render.renderings) == 2
    assert len(left) == len(others) - listings.AT_ONCE_BUSY


async def test_a_withdrawal_in_every_batch_keeps_no_rebuild_from_its_end(render: SmallRender) -> None:
    """What is at leisure has its turn behind it."""
    render.listings._turn_seconds = 0.0
    await render.take(a_public("a1"))
    await render.list_marked()
    await render.take(a_withdrawn(a_public("a1"), 2))
    gone = marks_of(render, Haste.AT_ONCE)
    waiting = [a_mark_on(f"/tags/t{number}/", Haste.AT_LEISURE) for number in range(2 * listings.AT_ONCE)]
    left = await render.listings.handle(gone + waiting)
    assert len(left) == listings.AT_ONCE
    assert metrics.listings_waiting._value.get() == listings.AT_ONCE


async def test_of_what_is_only_made_again_one_mark_is_left_and_of_all_else_each(render: SmallRender) -> None:
    """A mark may be the one of a withdrawal, from a version that did not say so."""
    render.listings._turn_seconds = 0.0
    taken = [a_public("a1"), a_public("b2")]
    for update in taken * 2:
        await render.take(update, again=update.article_id in render.model.states)
    for haste in (Haste.AT_LEISURE, Haste.SOON):
        marks = marks_of(render, haste)
        left = await render.listings.handle(marks)
        written = {each.item.mark.path for each in marks} - {each.item.mark.path for each in left}
        assert len(written) == listings.AT_ONCE
        waiting = [each for each in marks if each.item.mark.path not in written]
        each_once = {each.item.mark.path: each for each in reversed(waiting)}
        assert {*left} == {*(each_once.values() if haste is Haste.AT_LEISURE else waiting)}
        assert len(waiting) > len(each_once)


async def test_each_listing_of_a_long_batch_is_a_sign_of_life(render: SmallRender) -> None:
    """Or render would be ended in the middle of it, and begin it again."""
    await render.take(a_public())
    signs: list[int] = []
    render.listings.is_busy = lambda: True  # so few are side by side
    render.listings.progressed = lambda: signs.append(len(render.files()))
    await render.list_marked()
    assert len(signs) == len(set(render.marks))
    assert len(set(signs)) > len(signs) / 2, "they come as the listings do, not at the end"


async def test_a_mark_on_what_once_was_a_feed_alone_is_one_on_its_front(render: SmallRender) -> None:
    """It may stand on the log from before a listing carried its feeds, and a withdrawal wait for it."""
    await render.take(a_public())
    await render.mark("/feed.atom")
    assert "Headline 1" in render.text(HOME)
    await render.take(a_withdrawn(a_public(), 2))
    state = render.model.states["a1"]
    render.model.states["a1"] = state.model_copy(update={"leaving": ("/feed.atom",)})
    await render.mark("/feed.atom", "a1", 2)
    assert [rendering.revision for rendering in render.renderings] == [1, 2]


async def test_a_translation_and_its_original_share_a_sitemap_that_either_marks(render: SmallRender) -> None:
    """An original that moves while nobody has translated it leaves the sitemap alone."""
    await render.take(a_public())
    assert TRANSLATIONS_SITEMAP not in render.marks
    await render.take(a_translation("b2", "a1"))
    await render.list_marked()
    assert str(a_public().path) in render.text(TRANSLATIONS_SITEMAP)
    moved = a_public(revision=2, section="World", former_paths=(str(a_public().path),))
    await render.take(moved)
    await render.list_marked()
    assert str(moved.path) in render.text(TRANSLATIONS_SITEMAP)
    await render.take(a_retracted(moved, 3))
    await render.list_marked()
    assert str(moved.path) not in render.text(TRANSLATIONS_SITEMAP)


async def test_a_mark_without_any_change_writes_the_same_file(render: SmallRender) -> None:
    """Marks may come as often as they like."""
    await render.take(a_public())
    await render.list_marked()
    before = render.files()
    await render.mark(HOME)
    assert render.files() == before


async def test_a_front_keeps_its_newest_and_links_to_the_months_of_all(render: SmallRender) -> None:
    """A publication costs the same at any number of articles."""
    await render.take(*(a_public(f"a{number:03}") for number in range(LIMIT + 5)))
    await render.list_marked()
    lines = render.text(HOME).splitlines()
    assert len(lines) == 1 + LIMIT + 1
    assert lines[-1] == "2023/06"
    for archive in ("/2023/06/", "/2023/06/20/", "/kazakhstan/2023/06/", "/tags/astana/2023/06/"):
        assert render.text(archive).count("Headline") == LIMIT + 5
    assert render.text("/2023/06/").splitlines()[-1] == "2023/06/20"


async def test_a_listing_that_loses_its_last_entry_goes_unless_it_always_stands(render: SmallRender) -> None:
    """Home and the configured sections stay, with nothing in them."""
    await render.take(a_public())
    await render.list_marked()
    await render.take(a_withdrawn(a_public(), 2))
    await render.list_marked()
    left = {path for path in render.files() if not path.endswith((".br", ".gz"))}
    assert "/tags/astana/index.html" not in left
    assert {"/index.html", "/kazakhstan/index.html", "/feed.atom"} <= left
    assert "Headline" not in render.text(HOME)


async def test_a_withdrawal_is_told_when_the_last_listing_it_leaves_is_written(render: SmallRender) -> None:
    """Not before: whoever waits for it may then look anywhere."""
    await render.take(a_public())
    await render.list_marked()
    await render.take(a_withdrawn(a_public(), 2))
    leaving = list(render.model.states["a1"].leaving)
    assert HOME in leaving
    for path in leaving:
        assert [rendering.revision for rendering in render.renderings] == [1]
        await render.mark(path, "a1", 2)
    assert [rendering.revision for rendering in render.renderings] == [1, 2]


async def test_a_withdrawal_waits_for_a_listing_that_the_article_had_just_left(render: SmallRender) -> None:
    """Which may be another process's, and does not hurry: it was left by an update."""
    await render.take(a_public(tags=("Astana", "Banks")))
    await render.list_marked()
    moved = a_public(revision=2)
    await render.take(moved)
    assert "/tags/banks/" in render.model.states["a1"].lingering
    await render.take(a_withdrawn(moved, 3))
    left = [path for path in render.model.states["a1"].leaving if not path.startswith("/tags/banks/")]
    assert len(left) > len(render.model.states["a1"].leaving) - len(left) > 0
    for path in left:
        await render.mark(path, "a1", 3)
    assert [rendering.revision for rendering in render.renderings] == [1, 2]
    await render.list_marked()
    assert "/tags/banks/index.html" not in render.files()
    assert [rendering.revision for rendering in render.renderings] == [1, 2, 3]


async def test_a_listing_that_was_left_and_written_is_forgotten(render: SmallRender) -> None:
    """However many left it at once, and told nobody."""
    names = ("a1", "a2")
    await render.take(*(a_public(name, tags=("Astana", "Banks")) for name in names))
    await render.list_marked()
    await render.take(*(a_public(name, 2) for name in names))
    assert all(render.model.states[name].lingering for name in names)
    await render.list_marked()
    assert not any(render.model.states[name].lingering for name in names)
    assert len(render.renderings) == 4
    await render.take(*(a_withdrawn(a_public(name, 2), 3) for name in names))
    assert not any("banks" in path for name in names for path in render.model.states[name].leaving)


async def test_a_listing_that_was_left_lingers_until_it_is_written_or_entered_again(
    render: SmallRender,
) -> None:
    """A mark of an older revision says nothing of it: each later one marks it anew."""
    await render.take(a_public(tags=("Astana", "Banks")))
    await render.list_marked()
    await render.take(a_public(revision=2))
    left = set(render.model.states["a1"].lingering)
    await render.take(a_public(revision=3))
    await render.mark("/tags/banks/", "a1", 2)
    assert set(render.model.states["a1"].lingering) == left
    await render.mark("/tags/banks/", "a1", 3)
    assert set(render.model.states["a1"].lingering) == left - {"/tags/banks/"}
    await render.take(a_public(revision=4, tags=("Astana", "Banks")))
    assert not render.model.states["a1"].lingering


@pytest.mark.parametrize("how", ["in two batches", "in one"])
async def test_public_again_is_told_when_no_listing_shows_what_was_withdrawn(
    render: SmallRender, how: str
) -> None:
    """Its revision is past the withdrawal, whose editor takes the word of it."""
    await render.take(a_public(revision=2))
    await render.list_marked()
    again = a_public(revision=4, changes=[a_change(4, ChangeKind.PUBLISHED)])
    gone = a_withdrawn(again, 3)
    if how == "in one":
        await render.take(gone, again)
    else:
        await render.take(gone)
        await render.take(again)
    leaving = render.model.states["a1"].leaving
    assert HOME in leaving
    for path in leaving:
        assert [rendering.revision for rendering in render.renderings] == [2]
        await render.mark(path, "a1", 4)
    assert "Headline 2" not in render.text(HOME)
    assert [rendering.revision for rendering in render.renderings] == [2, 4]
    await render.take(a_public(revision=5, changes=[a_change(4, ChangeKind.PUBLISHED), *a_history(5)[-1:]]))
    assert render.renderings[-1].revision == 5


async def test_a_mark_of_an_older_revision_does_not_end_a_later_withdrawal(render: SmallRender) -> None:
    """A mark that was made before the withdrawal says nothing of it."""
    await render.take(a_public())
    await render.take(a_withdrawn(a_public(), 2))
    for path in render.model.states["a1"].leaving:
        await render.mark(path, "a1", 1)
    assert [rendering.revision for rendering in render.renderings] == [1]


async def test_a_rendering_lost_on_the_way_is_told_by_the_mark_that_comes_again(render: SmallRender) -> None:
    """The listing is noted as written before the rendering is acknowledged; a repeat tells it once more."""
    await render.take(a_public())
    await render.take(a_retracted(a_public(), 2))
    render.publisher.lose_next = 1
    with pytest.raises(Away):
        await render.list_marked()
    await render.list_marked()
    assert render.renderings[-1].revision == 2


async def test_a_retraction_leaves_the_pages_and_stays_in_their_feeds(render: SmallRender) -> None:
    """As a retraction, without a word of the text; the archives forget it, the sitemap does not."""
    await render.take(a_public())
    await render.list_marked()
    await render.take(a_retracted(a_public(), 2))
    await render.list_marked()
    for front in (HOME, "/kazakhstan/", "/tags/astana/", "/authors/a-reporter/"):
        assert "retracted" in render.text(f"{front}feed.atom")
    assert "/tags/astana/index.html" not in render.files()
    assert "/2023/06/20/index.html" not in render.files()
    assert str(a_public().path) in render.text("/sitemaps/2023-06.xml")


async def test_corrections_stand_in_their_ledger(render: SmallRender) -> None:
    """Only they; the ledger of updates has everything."""
    corrected = a_public(
        revision=3, changes=(*a_history(2), a_change(3, ChangeKind.CORRECTION, "It was seven."))
    )
    await render.take(corrected)
    await render.list_marked()
    assert "It was seven." in render.text("/corrections/")
    assert "Note 2." not in render.text("/corrections/")
    assert render.text("/updates/").index("It was seven.") < render.text("/updates/").index("Note 2.")


async def test_a_listing_that_cannot_be_drawn_is_told_and_the_others_are_written(tmp_path: Path) -> None:
    """However many marks it has: they are sound, so none of them is parked, and the loop goes on."""
    pages = CountingPages(breaks_on_path=UPDATES_LEDGER)
    render = SmallRender(tmp_path, pages=pages)
    await render.take(*(a_public(f"a{number}") for number in range(60)))
    bugs = metrics.bugs.labels(where="listings")
    before = bugs._value.get()
    await render.list_marked()
    assert pages.drawn.count(UPDATES_LEDGER) == 1
    assert bugs._value.get() == before + 1
    assert "Headline 1" in render.text(HOME)
    assert "/updates/index.html" not in render.files()


@pytest.mark.parametrize("path", [HOME, UPDATES_LEDGER, "/tags/astana/", "/sitemaps/2023-06.xml"])
async def test_what_was_withdrawn_goes_from_a_listing_that_cannot_be_drawn(tmp_path: Path, path: str) -> None:
    """With all its files and none of others, and the withdrawal is told: no word of it stands any more."""
    pages = CountingPages()
    render = SmallRender(tmp_path, pages=pages)
    await render.folder.settle({"/robots.txt": b"all"})
    await render.take(a_public("a1"), a_public("b2"))
    await render.list_marked()
    files = {file for name in pages.listing(Listing(path)) for file in (name, f"{name}.br", f"{name}.gz")}
    assert files <= render.files().keys()
    pages.breaks_on_path = path
    await render.take(a_withdrawn(a_public("a1"), 2))
    await render.list_marked()
    assert files.isdisjoint(render.files())
    assert "/robots.txt" in render.files()
    assert not any(str(a_public("a1").path).encode() in content for content in render.files().values())
    assert told(render)[-1] == ("a1", 2)
    pages.breaks_on_path = None
    await render.take(a_public("c3"))
    await render.list_marked()
    assert files <= render.files().keys()


async def test_a_listing_that_cannot_be_drawn_stays_while_all_of_it_is_public(tmp_path: Path) -> None:
    """What an update has left it with goes with a withdrawal, though nobody can draw it yet."""
    pages = CountingPages()
    render = SmallRender(tmp_path, pages=pages)
    await render.take(a_public(tags=("Astana", "Banks")))
    await render.list_marked()
    before = render.text("/tags/banks/")
    pages.breaks_on_path = "/tags/banks/"
    await render.take(a_public(revision=2))
    await render.list_marked()
    assert render.text("/tags/banks/") == before
    await render.take(a_withdrawn(a_public(revision=2), 3))
    await render.list_marked()
    assert "/tags/banks/index.html" not in render.files()
    assert told(render) == [("a1", 1), ("a1", 2), ("a1", 3)]


async def test_who_cannot_draw_a_listing_tries_again_where_another_moved_it_on(tmp_path: Path) -> None:
    """It may be another's turn that made it one that can be drawn."""
    pages, model = CountingPages(), MemoryReadModel()
    late = SmallRender(tmp_path, model=model, pages=pages)
    other = SmallRender(tmp_path, model=model, log=late.log)
    await late.take(a_public("a1"), a_public("b2"))
    await late.list_marked()
    await late.take(a_withdrawn(a_public("a1"), 2))
    pages.breaks_on_path = HOME

    async def mended_before(listing: str) -> int:
        if pages.breaks_on_path and pages.drawn:
            pages.breaks_on_path = None
            await other.listings.write(HOME)
        return await MemoryReadModel.turn(model, listing)

    pages.drawn.clear()
    model.turn = mended_before  # type: ignore[method-assign]
    await late.listings.handle([each for each in marks_of(late) if each.item.mark.path == HOME])
    assert str(a_public("b2").path) in late.text(HOME)
    assert str(a_public("a1").path) not in late.text(HOME)


async def test_an_owner_that_comes_late_makes_good_for_its_old_listing(tmp_path: Path) -> None:
    """Another instance began after it and was done before it: the counter tells."""
    model = Intruding()
    late = SmallRender(tmp_path, model=model)
    other = SmallRender(tmp_path, model=model, log=late.log)
    await late.take(a_public())
    await late.list_marked()

    async def overtake() -> None:
        await other.take(a_withdrawn(a_public(), 2))
        await other.list_marked()

    model.after_cards = overtake
    await late.mark(HOME)
    assert "Headline" not in late.text(HOME)


async def test_writers_of_one_listing_take_one_turn_each(render: SmallRender) -> None:
    """A rebuild writes while a batch does: were each to overtake the other, neither would come to an end."""
    await render.take(a_public())
    await asyncio.gather(*(render.listings.write(HOME) for _ in range(5)))
    assert await render.model.turn(HOME) == 5
    assert "Headline 1" in render.text(HOME)


async def test_who_was_overtaken_by_another_process_gives_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, delays, slept = Intruding(), [0.001, 0.002], list[float]()
    monkeypatch.setattr(Backoff, "next_delay_seconds", lambda _: delays.pop(0))
    asleep = asyncio.sleep

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asleep(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    late, other = SmallRender(tmp_path, model=model), SmallRender(tmp_path, model=model)
    await late.take(a_public())

    async def overtake_twice() -> None:
        await other.listings.write(HOME)
        model.after_cards = partial(other.listings.write, HOME)

    model.after_cards = overtake_twice
    await late.listings.write(HOME)
    assert [seconds for seconds in slept if seconds] == [0.001, 0.002]
    assert await model.turn(HOME) == 5


def told(render: SmallRender) -> list[tuple[str, int]]:
    return [(rendering.article_id, rendering.revision) for rendering in render.renderings]


def marks_of(render: SmallRender, *hastes: Haste) -> list[Delivery[Marked]]:
    """Every mark that was made, of any haste where none is named."""
    found = [Delivery(record, decode_mark(record)) for record in render.log.records(topics.LISTINGS)]
    return [each for each in found if each.item.haste in (hastes or Haste)]


def a_mark_on(path: str, haste: Haste = Haste.SOON) -> Delivery[Marked]:
    message = mark_message(ListingMark(path=path, article_id="a1", revision=1), now(), None, haste)
    record = Record(topics.LISTINGS, 0, 0, message.key, message.value, tuple(message.headers), 0)
    return Delivery(record, decode_mark(record))


class CountingPages(PlainPages):
    """Remembers what was drawn; fails on one path."""

    def __init__(self, breaks_on_path: str | None = None) -> None:
        super().__init__()
        self.drawn: list[str] = []
        self.breaks_on_path = breaks_on_path

    def listing(self, listing: Listing) -> dict[str, bytes]:
        self.drawn.append(listing.path)
        if listing.path == self.breaks_on_path:
            raise ZeroDivisionError("a template fails")
        return dict(super().listing(listing))


class Intruding(MemoryReadModel):
    """Lets another owner act between reading the state of a listing and writing it."""

    def __init__(self) -> None:
        super().__init__()
        self.after_cards: Callable[[], Awaitable[None]] | None = None

    async def cards(self, listing: str, limit: int) -> tuple[Card, ...]:
        found = await super().cards(listing, limit)
        if self.after_cards is not None:
            act, self.after_cards = self.after_cards, None
            await act()
        return found


async def test_who_reads_the_front_waits_for_no_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what a batch marks, the front is drawn first and the farthest last; here one at a time."""
    pages = CountingPages()
    render = SmallRender(tmp_path, pages=pages)
    monkeypatch.setattr(listings, "AT_ONCE", 1)
    await render.take(a_public("a1"))
    pages.drawn.clear()
    await render.list_marked()
    steps = [path.count("/") for path in pages.drawn]
    assert pages.drawn[0] == HOME
    assert steps == sorted(steps)
    assert steps[-1] > steps[0]


async def test_articles_of_a_batch_mark_a_listing_once_but_for_what_leaves_it(render: SmallRender) -> None:
    """Who writes the listing tells of each withdrawal that it is gone."""
    await render.take(a_public("a1"), a_public("b2"), a_public("c3"))
    assert render.marks.count(HOME) == 1
    await render.take(a_withdrawn(a_public("a1"), 2), a_withdrawn(a_public("b2"), 2))
    assert render.marks.count(HOME) == 3
