"""What stands on fronts, archives and ledgers, and on pages that say why there is nothing."""

from __future__ import annotations

import dataclasses

import pytest
from markupsafe import Markup

from newsroom.updates import ArticleUpdate, ChangeKind
from services.render.cards import card_of, ledger_of
from services.render.listingkinds import Listing, standing_paths
from services.render.looks.look import Look, load_look
from services.render.pages import ErrorStatus, Pages
from tests.page_parts import (
    SENTENCES,
    Element,
    a_retraction,
    a_story,
    a_text,
    a_told,
    graph_of,
    later,
    parts_of,
    read_page,
)
from tests.render_parts import SITE_URL, a_site

SITE = a_site("Kazakhstan", "Central Asia")
PAGES = Pages(SITE)
FRONTS = ("/", "/kazakhstan/", "/tags/astana/", "/authors/tomas-lind/")


def a_listing(path: str, *updates: ArticleUpdate, months: tuple[str, ...] = ()) -> Listing:
    """The listing as the read model would give it: newest first."""
    cards = [card for update in updates if (card := card_of(update))]
    entries = [entry for update in updates for entry in ledger_of(update)]
    return Listing(
        path,
        cards=tuple(sorted(cards, key=lambda card: card.bumped_at, reverse=True)),
        entries=tuple(sorted(entries, key=lambda entry: entry.time, reverse=True)),
        months=months,
    )


def page_of(path: str, *updates: ArticleUpdate, months: tuple[str, ...] = ()) -> Element:
    return read_page(PAGES.listing(a_listing(path, *updates, months=months))[f"{path}index.html"])


def named(headline: str, minutes: int = 0, **changes: object) -> ArticleUpdate:
    """A published story, so many minutes after the first."""
    story = a_story(a_text(headline=headline, **changes), article_id=headline.lower().replace(" ", "-"))
    assert story.public is not None
    moved = {"published_at": later(minutes), "updated_at": later(minutes), "bumped_at": later(minutes)}
    return story.model_copy(update={"public": story.public.model_copy(update=moved)})


def headlines(page: Element) -> list[str]:
    """The headlines of the lead and the list, in order."""
    return [
        heading.text
        for heading in page.one("main").all()
        if heading.name in ("h2", "h3") and heading.all("a")
    ]


@pytest.mark.parametrize("path", standing_paths(SITE))
def test_what_stands_from_the_first_start_has_an_empty_state(path: str) -> None:
    files = PAGES.listing(Listing(path))
    assert files
    if path.endswith("/"):
        page = read_page(files[f"{path}index.html"])
        assert page.one("p", class_="empty").text
        assert page.one("h1").text


@pytest.mark.parametrize("path", ["/world/", "/tags/astana/", "/authors/a-reporter/", "/2023/06/20/"])
def test_any_other_listing_without_entries_has_no_file(path: str) -> None:
    assert PAGES.listing(Listing(path)) == {}


@pytest.mark.parametrize("path", FRONTS)
def test_a_front_has_one_lead_and_a_dated_list(path: str) -> None:
    page = page_of(path, named("First"), named("Second", 5), named("Third", 60 * 24))
    assert headlines(page) == ["Third", "Second", "First"]
    assert page.one("article", class_="lead").one("h2").text == "Third"
    assert [day.one("h2").text for day in page.all("section", class_="day")] == ["20 June, 2023"]
    assert len(page.all("h1")) == 1


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/", "The Test"),
        ("/kazakhstan/", "Kazakhstan"),
        ("/tags/astana/", "Astana"),
        ("/authors/tomas-lind/", "Tomas Lind"),
        ("/2023/06/20/", "20 June, 2023"),
        ("/2023/06/", "June 2023"),
        ("/kazakhstan/2023/06/", "Kazakhstan: June 2023"),
        ("/tags/astana/2023/06/", "Astana: June 2023"),
        ("/authors/tomas-lind/2023/06/", "Tomas Lind: June 2023"),
    ],
)
def test_a_listing_is_titled_as_its_newest_entry_writes_it(path: str, title: str) -> None:
    page = page_of(path, named("First"))
    assert page.one("h1").text == title
    assert page.one("head").one("title").text.startswith(title)
    assert page.one("head").one("link", rel="canonical")["href"] == SITE_URL + path


def test_an_item_tells_kind_section_and_time() -> None:
    corrected = a_story(a_text(headline="Corrected"), a_told(2, ChangeKind.CORRECTION, "It was seven."))
    page = page_of("/", named("Lead", 500), corrected)
    item = page.one("article", data_item="story")
    assert item.one("span", class_="label").text == "Corrected"
    assert item.one("a", href="/kazakhstan/").text == "Kazakhstan"
    assert item.one("time").text == "10:50"
    assert item["data-item-revision"] == "2"


def test_the_lead_tells_its_latest_note_in_the_articles_language() -> None:
    kazakh = a_text(language="kk", headline="Астана", slug="astana")
    page = page_of("/", a_story(kazakh, a_told(2, ChangeKind.UPDATED, "Бәрі босатылды.")))
    note = page.one("article", class_="lead").one("p", class_="note")
    assert (note.text, note["lang"]) == ("Бәрі босатылды.", "kk")


def test_a_breaking_story_that_does_not_lead_stands_in_the_strip() -> None:
    breaking = named("Breaking news", breaking=True)
    page = page_of("/", breaking, named("Lead", 5))
    strip = page.one("section", class_="strip")
    assert strip.one("a")["href"] == breaking.path
    assert not page_of("/kazakhstan/", breaking, named("Lead", 5)).all("section", class_="strip")


def test_a_breaking_lead_needs_no_strip() -> None:
    page = page_of("/", named("Other"), named("Breaking news", 5, breaking=True))
    assert not page.all("section", class_="strip")
    assert page.one("article", class_="lead").one("span", class_="breaking").text == "Breaking"


def test_a_retracted_article_stands_on_no_front() -> None:
    retracted = a_retraction(named("Calumny", 5), "Not so.")
    page = page_of("/", named("First"), retracted)
    assert headlines(page) == ["First"]


def test_a_front_leads_to_every_month_of_its_archive_year_by_year() -> None:
    page = page_of("/kazakhstan/", named("First"), months=("2023/06", "2023/05", "2022/12"))
    years = page.one("nav", class_="archives").all("details")
    assert [(year.one("summary").text, "open" in year.attributes) for year in years] == [
        ("2023", True),
        ("2022", False),
    ]
    assert [(link["href"], link.text) for year in years for link in year.all("a")] == [
        ("/kazakhstan/2023/06/", "June 2023"),
        ("/kazakhstan/2023/05/", "May 2023"),
        ("/kazakhstan/2022/12/", "December 2022"),
    ]


def test_a_front_and_a_ledger_lead_people_to_their_feeds() -> None:
    for path in ("/", "/tags/astana/", "/updates/"):
        links = page_of(path, named("First")).one("p", class_="feeds").all("a")
        assert [(link.text, link["href"]) for link in links] == [
            ("Atom", f"{path}feed.atom"),
            ("RSS", f"{path}feed.rss"),
            ("JSON Feed", f"{path}feed.json"),
        ]


def test_the_section_of_a_listing_is_marked_in_the_navigation() -> None:
    page = page_of("/kazakhstan/", named("First"))
    current = page.one("nav", class_="sections").all("a", aria_current="page")
    assert [link["href"] for link in current] == ["/kazakhstan/"]


def test_the_front_says_that_it_is_the_web_site() -> None:
    assert set(graph_of(page_of("/", named("First")))) == {"WebSite", "NewsMediaOrganization", "ImageObject"}
    assert set(graph_of(page_of("/tags/astana/", named("First")))) == {
        "CollectionPage",
        "WebSite",
        "BreadcrumbList",
        "NewsMediaOrganization",
        "ImageObject",
    }


def test_the_ledger_tells_every_notice_with_what_changed() -> None:
    story = a_story(
        None,
        a_told(2, ChangeKind.UPDATED, "Two are free."),
        a_told(3, ChangeKind.AMENDED),
        a_told(4, ChangeKind.CLARIFICATION, "Which street."),
    )
    page = page_of("/updates/", story)
    assert [label.text for label in page.one("main").all("span", class_="label")] == [
        "Clarification",
        "Update",
        "New",
    ]
    links = [link["href"] for link in page.one("main").all("a") if "#revision" in link["href"]]
    assert links == [f"{story.path}history/#revision-{number}" for number in (4, 2, 1)]
    assert "Which street." in page.text


def test_a_note_in_a_ledger_keeps_its_language_when_the_headline_is_gone() -> None:
    kazakh = a_story(a_text(language="kk", headline="Астана", slug="astana"))
    page = page_of("/corrections/", a_retraction(kazakh, "Бұл рас емес."))
    assert page.one("span", lang="kk").text == "Бұл рас емес."
    assert page.one("p", class_="clock").one("span").text == "Retraction"
    assert page.one("h3").text == "Retracted article"
    assert "Астана" not in page.text


def test_times_of_a_front_are_in_the_sites_zone_and_it_says_so() -> None:
    page = page_of("/", named("Lead", 500), named("First"))
    assert page.one("p", class_="zone-note").text == "Time zone: Almaty"


@pytest.mark.parametrize("path", ["/", "/2023/06/20/"])
def test_a_story_in_another_language_says_in_which(path: str) -> None:
    """In that language itself, for those who read it."""
    kazakh = a_story(a_text(language="kk", headline="Астана", slug="astana"), article_id="astana")
    own = named("Second")
    page = page_of(path, named("Lead", 500), kazakh, own)
    marked = {item.one("h3").text: labels(item) for item in page.all("article") if item.all("h3")}
    assert marked["Астана"] == ["Қазақ тілі"]
    assert marked["Second"] == []


def labels(item: Element) -> list[str]:
    return [label.text for label in item.all("span", class_="label")]


def test_days_part_where_the_sites_zone_has_midnight() -> None:
    """04:40 UTC is 10:40 in Almaty; 13 hours and 19 minutes later is 23:59, one minute on the next day."""
    page = page_of("/", named("Lead", 5000), named("Late", 13 * 60 + 19), named("Early", 13 * 60 + 20))
    days = {day.one("h2").text: headlines_in(day) for day in page.all("section", class_="day")}
    assert days == {"20 June, 2023": ["Late"], "21 June, 2023": ["Early"]}


def headlines_in(day: Element) -> list[str]:
    return [heading.text for heading in day.all("h3")]


@pytest.mark.parametrize("status", [404, 410, 503])
def test_an_error_page_has_the_sites_look_and_is_no_resource(status: ErrorStatus) -> None:
    page = read_page(PAGES.error(status))
    assert page.one("p", class_="kicker").text == str(status)
    assert page.one("p", class_="wordmark").text == "The Test"
    assert page.one("meta", name="robots")["content"] == "noindex"
    assert not page.all("link", rel="canonical")
    assert page.one("main").one("a", href="/")


@pytest.mark.parametrize("path", [*FRONTS, "/2023/06/20/", "/2023/06/", "/updates/", "/corrections/"])
def test_no_listing_holds_more_than_the_excerpt(path: str) -> None:
    """Six of the twenty sentences are 30 %; the seventh must stand nowhere."""
    story = a_story(a_text(deck=""), a_told(2, ChangeKind.CORRECTION, "It was seven."))
    files = PAGES.listing(a_listing(path, story, named("Lead", 500)))
    for content in files.values():
        assert not [sentence for sentence in SENTENCES[6:] if sentence in content.decode()]


def test_a_history_page_holds_no_word_of_the_text() -> None:
    story = a_story()
    history = PAGES.article(story)[f"{story.path}history/index.html"].decode()
    assert not [sentence for sentence in SENTENCES if sentence in history]


@dataclasses.dataclass(frozen=True)
class Counting(Look):
    """Counts what it draws for lists."""

    drawn: list[str] = dataclasses.field(default_factory=list)

    def _piece(self, template: str, *given: object, **named: object) -> Markup:
        self.drawn.append(template)
        return super()._piece(template, *given, **named)  # type: ignore[arg-type]


@pytest.mark.parametrize(("sentences", "times"), [(20, 1), (3_000, 2)])
def test_what_stands_alike_in_two_lists_is_drawn_once_if_it_is_not_very_long(
    sentences: int, times: int
) -> None:
    look = Counting(**parts_of(load_look(SITE)))
    pages = Pages.in_look(look)
    stories = [named(name, body=f"<p>{SENTENCES[0]} {name}.</p>" * sentences) for name in ("First", "Second")]
    for path in ("/tags/astana/", "/tags/floods/"):
        pages.listing(dataclasses.replace(a_listing(path, *stories), entries=()))
    entries = {template: look.drawn.count(template) for template in ("entry.atom", "entry.rss")}
    assert entries == {"entry.atom": 2 * times, "entry.rss": 2 * times}
    assert look.drawn.count("listed.html") == times


def test_a_headline_that_was_changed_is_the_one_that_lists_show() -> None:
    """Whatever was kept of the former one."""
    first, second = named("First"), named("Second", 1)
    assert headlines(page_of("/", first, second)) == ["Second", "First"]
    assert first.public is not None
    assert first.public.text is not None
    text = first.public.text.model_copy(update={"headline": "Other"})
    changed = first.model_copy(update={"public": first.public.model_copy(update={"text": text})})
    assert headlines(page_of("/", changed, second)) == ["Second", "Other"]
