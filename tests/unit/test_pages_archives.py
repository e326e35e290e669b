"""What stands in the archives of days and months, and where they lead."""

from __future__ import annotations

from datetime import datetime

import pytest

from newsroom.updates import ArticleUpdate, ChangeKind
from services.render.cards import Card, card_of
from services.render.listingkinds import Listing
from services.render.pages import Pages
from services.render.shown import NOT_ARCHIVED, archived
from tests.page_parts import FIRST_PUBLISHED, Element, a_story, a_text, a_told, later, read_page
from tests.render_parts import a_site

PAGES = Pages(a_site("Kazakhstan", "Central Asia"))
ARCHIVES = ("/2023/06/20/", "/2023/06/", "/kazakhstan/2023/06/", "/tags/astana/2023/06/")


def a_card(headline: str = "First", published_at: datetime = FIRST_PUBLISHED, **changes: object) -> Card:
    """An article as archives get it."""
    card = card_of(a_story(a_text(headline=headline)))
    assert card is not None
    return archived(card.model_copy(update={"published_at": published_at, **changes}).model_dump())


def drawn(path: str, *cards: Card, days: tuple[str, ...] = ()) -> bytes:
    return PAGES.listing(Listing(path, cards, days=days))[f"{path}index.html"]


def page_of(path: str, *cards: Card, days: tuple[str, ...] = ()) -> Element:
    return read_page(drawn(path, *cards, days=days))


@pytest.mark.parametrize(
    ("path", "crumbs"),
    [
        ("/2023/06/20/", ["Main page", "June 2023", "20 June, 2023"]),
        ("/2023/06/", ["Main page", "June 2023"]),
        ("/kazakhstan/2023/06/", ["Main page", "Kazakhstan", "June 2023"]),
        ("/tags/astana/2023/06/", ["Main page", "Astana", "June 2023"]),
        ("/authors/tomas-lind/2023/06/", ["Main page", "Tomas Lind", "June 2023"]),
    ],
)
def test_an_archive_leads_up_to_what_it_is_of(path: str, crumbs: list[str]) -> None:
    trail = page_of(path, a_card()).one("nav", class_="crumbs")
    assert [crumb.text for crumb in trail.all("li")] == crumbs
    above = [link["href"] for link in trail.all("a")]
    assert all(path.startswith(link) for link in above)
    assert len(above) == len(crumbs) - 1


@pytest.mark.parametrize("path", ARCHIVES)
def test_an_item_tells_headline_time_of_publication_and_what_became_of_it(path: str) -> None:
    corrected = a_story(a_text(headline="Old"), a_told(2, ChangeKind.CORRECTION, "It was seven."))
    card = card_of(corrected)
    assert card is not None
    item = page_of(path, archived(card.model_dump())).one("main").one("article")
    assert item.one("h3").one("a")["href"] == corrected.path
    assert item.one("time").text == "10:40"
    assert item.one("span", class_="label").text == "Corrected"


def test_a_month_of_the_site_leads_to_all_its_days_and_a_sections_to_none() -> None:
    """Also to those of which nothing fits here."""
    days = ("2023/06/20", "2023/06/02")
    page = page_of("/2023/06/", a_card(), days=days)
    assert [link["href"] for link in page.one("nav", class_="archives").all("a")] == [
        "/2023/06/20/",
        "/2023/06/02/",
    ]
    assert page.one("section", class_="day").one("h2").one("a")["href"] == "/2023/06/20/"
    of_section = page_of("/kazakhstan/2023/06/", a_card())
    assert not of_section.all("nav", class_="archives")
    assert not of_section.one("section", class_="day").one("h2").all("a")


def test_days_part_where_each_dateline_has_midnight() -> None:
    """What came later may be of an earlier day, where it was filed further west."""
    almaty = a_card("Almaty", later(14 * 60))
    london = a_card("London", later(14 * 60 + 10), timezone="Europe/London")
    early = a_card("Early", later(13 * 60))
    page = page_of("/2023/06/", london, almaty, early, days=("2023/06/21", "2023/06/20"))
    found = {
        day.one("h2").text: [heading.text for heading in day.all("h3")]
        for day in page.all("section", class_="day")
    }
    assert found == {"21 June, 2023": ["Almaty"], "20 June, 2023": ["London", "Early"]}


def test_a_section_is_told_where_there_may_be_several() -> None:
    def sections(path: str) -> list[str]:
        return [link["href"] for link in page_of(path, a_card()).one("p", class_="what").all("a")]

    assert sections("/2023/06/") == sections("/tags/astana/2023/06/") == ["/kazakhstan/"]
    assert not page_of("/kazakhstan/2023/06/", a_card()).all("p", class_="what")


def test_a_line_is_drawn_once_for_all_archives_in_which_it_stands_alike() -> None:
    """Of equal cards, whoever read them; another headline or another zone makes another one."""
    pages = Pages(a_site("Kazakhstan"))

    def drawn_once() -> int:
        foot = 1
        misses: int = pages._look._pieces.cache_info().misses  # type: ignore[attr-defined]
        return misses - foot

    cards = [a_card(f"Story {number}") for number in range(20)]
    for path in ("/2023/06/", "/tags/astana/2023/06/"):
        pages.listing(Listing(path, tuple(cards)))
    assert drawn_once() == 20
    pages.listing(Listing("/2023/06/", (*(card.model_copy() for card in cards[1:]), a_card("Another"))))
    assert drawn_once() == 21
    pages.listing(Listing("/2023/06/", (a_card("Story 1", timezone="Europe/London"),)))
    assert drawn_once() == 22


@pytest.mark.parametrize("path", ARCHIVES)
def test_an_archive_keeps_its_bytes_when_an_old_story_moves_on(path: str) -> None:
    """Once it is called updated, further updates change nothing."""

    def after(*changes: ChangeKind) -> bytes:
        told = [a_told(number, kind, f"Note {number}.") for number, kind in enumerate(changes, start=2)]
        return drawn(path, archived(_card(a_story(None, *told)).model_dump()))

    assert after(ChangeKind.UPDATED) == after(ChangeKind.UPDATED, ChangeKind.UPDATED)
    assert after() == after(ChangeKind.AMENDED)
    assert after() != after(ChangeKind.CORRECTION)


@pytest.mark.parametrize("path", ARCHIVES)
def test_an_archive_shows_nothing_that_it_is_not_marked_for(path: str) -> None:
    """Whatever the fields say that archives are not told of."""
    card = _card(a_story())
    other = {
        "revision": 99,
        "excerpt": "Other words.",
        "note": "Another note.",
        "updated_at": later(500),
        "bumped_at": later(500),
        "breaking": True,
        "live": True,
    }
    assert set(other) == NOT_ARCHIVED
    assert drawn(path, card) == drawn(path, card.model_copy(update=other))


def _card(story: ArticleUpdate) -> Card:
    card = card_of(story)
    assert card is not None
    return card
