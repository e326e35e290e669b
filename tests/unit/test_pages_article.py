"""What stands on an article's page, where, and in which order."""

from __future__ import annotations

import pytest

from newsroom.addresses import SITE_FEED
from newsroom.articles import ArticleText
from newsroom.updates import ArticleUpdate, ChangeKind, Status
from services.render.pages import Pages
from tests.page_parts import (
    SENTENCES,
    Element,
    a_retraction,
    a_story,
    a_text,
    a_told,
    graph_of,
    read_page,
)
from tests.render_parts import SITE_URL, a_draft, a_site, a_withdrawn

PAGES = Pages(a_site("Kazakhstan", "World"))
CORRECTED = (
    a_told(2, ChangeKind.UPDATED, "Two more have been freed."),
    a_told(3, ChangeKind.CORRECTION, "It was seven people, not eight."),
    a_told(4, ChangeKind.AMENDED),
    a_told(5, ChangeKind.UPDATED, "All are free."),
)


def page_of(update: ArticleUpdate) -> Element:
    return read_page(PAGES.article(update)[f"{update.path}index.html"])


def history_of(update: ArticleUpdate) -> Element:
    return read_page(PAGES.article(update)[f"{update.path}history/index.html"])


def article_of(text: ArticleText) -> Element:
    return page_of(a_story(text)).one("article")


def test_an_article_has_a_page_and_a_history() -> None:
    story = a_story()
    assert set(PAGES.article(story)) == {f"{story.path}index.html", f"{story.path}history/index.html"}


@pytest.mark.parametrize("update", [a_draft(), a_withdrawn(a_story(), 2)], ids=["draft", "withdrawn"])
def test_what_is_not_public_has_no_files(update: ArticleUpdate) -> None:
    assert PAGES.article(update) == {}


def test_a_record_that_calls_a_public_text_withdrawn_has_no_files() -> None:
    assert PAGES.article(a_story().model_copy(update={"status": Status.WITHDRAWN})) == {}


def test_the_page_says_whose_article_and_which_revision_it_is() -> None:
    """The script resumes the stream from there."""
    body = page_of(a_story(None, *CORRECTED)).one("body")
    assert (body["data-page"], body["data-article"], body["data-revision"]) == ("article", "story", "5")


def test_headline_deck_and_text_stand_in_one_article() -> None:
    article = article_of(a_text())
    assert article.one("h1").text == "Hostages freed in Astana"
    assert article.one("p", class_="deck").text == "Nobody was hurt."
    assert [paragraph.text for paragraph in article.one("div", class_="body").all("p")] == list(SENTENCES)


def test_the_breadcrumb_leads_from_the_main_page_over_the_section_to_the_headline() -> None:
    crumbs = article_of(a_text()).one("nav", aria_label="Breadcrumb")
    assert [link["href"] for link in crumbs.all("a")] == ["/", "/kazakhstan/"]
    assert [step.text for step in crumbs.all("li")] == ["Main page", "Kazakhstan", "Hostages freed in Astana"]
    assert crumbs.one("span", aria_current="page").text == "Hostages freed in Astana"


def test_the_dateline_tells_place_day_time_and_zone() -> None:
    dateline = article_of(a_text()).one("p", class_="dateline")
    assert dateline.text == "Astana, Kazakhstan • 20 June, 2023 | 10:40 UTC+6"
    assert dateline.one("time")["datetime"] == "2023-06-20T10:40:00+06:00"


def test_without_a_dateline_the_time_is_told_in_utc() -> None:
    assert article_of(a_text(dateline=None)).one("p", class_="dateline").text == "20 June, 2023 | 04:40 UTC"


def test_a_time_of_update_stands_only_where_something_was_told() -> None:
    assert not page_of(a_story(None, a_told(2, ChangeKind.AMENDED))).all("p", class_="updated")
    updated = page_of(a_story(None, *CORRECTED)).one("p", class_="updated")
    assert updated.text == "Updated 20 June, 2023 | 11:20 UTC+6"


@pytest.mark.parametrize(
    ("authors", "byline"),
    [
        (("A. One",), "By A. One"),
        (("A. One", "B. Two"), "By A. One and B. Two"),
        (("A. One", "B. Two", "C. Three"), "By A. One, B. Two and C. Three"),
        ((), "By our desk."),
    ],
)
def test_the_byline_names_the_authors_or_says_why_it_names_none(
    authors: tuple[str, ...], byline: str
) -> None:
    assert article_of(a_text(authors=authors)).one("p", class_="byline").text == byline


def test_authors_lead_to_what_they_wrote() -> None:
    links = article_of(a_text()).all("a", rel="author")
    assert [link["href"] for link in links] == ["/authors/aigerim-bekova/", "/authors/tomas-lind/"]


def test_minutes_to_read_follow_the_length() -> None:
    long = a_text(body=f"<p>{'word ' * 401}</p>")
    assert article_of(long).one("p", class_="minutes").text == "3 min read"


def test_updates_stand_newest_first_with_the_way_to_what_changed() -> None:
    page = page_of(a_story(None, *CORRECTED))
    updates = page.one("section", class_="updates").all("li")
    assert [update.one("span", class_="label").text for update in updates] == ["Update", "Update"]
    assert updates[0].text.startswith("Update 20 June, 2023 | 11:20 All are free. What changed")
    assert updates[0].one("a")["href"].endswith("/history/4-5/")


def test_a_correction_stands_right_above_the_text() -> None:
    article = page_of(a_story(None, *CORRECTED)).one("article")
    corrections = article.one("section", class_="corrections")
    assert "Correction" in corrections.text
    assert "It was seven people, not eight." in corrections.text
    updates, body = article.one("section", class_="updates"), article.one("div", class_="body")
    assert article.position(updates) < article.position(corrections) < article.position(body)


def test_an_amendment_stands_in_the_history_only() -> None:
    story = a_story(None, *CORRECTED)
    assert "Minor edit" not in page_of(story).text
    assert "Minor edit" in history_of(story).text


def test_many_updates_leave_the_text_near_the_top() -> None:
    """Two stand above it, the others below, and a link leads there."""
    changes = [a_told(number, ChangeKind.UPDATED, f"Note {number}.") for number in range(2, 10)]
    page = page_of(a_story(None, *changes))
    above = page.one("section", class_="updates")
    assert len(above.all("li")) == 2
    assert above.one("a", href="#earlier-updates").text == "6 earlier"
    below = page.one("section", aria_labelledby="earlier-updates")
    assert [item.one("span", class_="label").text for item in below.all("li")] == ["Update"] * 6
    assert "Note 9." in above.text
    assert "Note 2." in below.text


def test_what_script_needs_is_in_the_page_from_the_start() -> None:
    """One polite region; an offer and a switch that do not show before they work."""
    page = page_of(a_story())
    region = page.one(role="status")
    assert region.text == ""
    assert "hidden" in page.one("aside", class_="offer").attributes
    assert "hidden" in page.one("p", class_="switch").attributes
    assert page.one("button", role="switch")["aria-checked"] == "true"


def test_sources_are_named_and_linked() -> None:
    sources = article_of(a_text()).one("section", class_="sources")
    assert [item.text for item in sources.all("li")] == ["Interior ministry", "The bank"]
    assert sources.one("a")["href"] == "https://gov.example/statement"


def test_section_tags_and_history_are_the_way_on() -> None:
    story = a_story()
    onward = page_of(story).one("nav", class_="onward")
    assert [link["href"] for link in onward.all("a")] == [
        "/kazakhstan/",
        "/tags/astana/",
        "/tags/police/",
        f"{story.path}history/",
    ]


def test_the_reuse_box_offers_the_excerpt_with_the_link() -> None:
    story = a_story()
    text, html = page_of(story).one("details", class_="reuse").all("textarea")
    for offered in (text, html):
        assert SITE_URL + str(story.path) in offered.text
        assert SENTENCES[0] in offered.text
        assert SENTENCES[7] not in offered.text
    assert (
        read_page(f"<html>{html.text}</html>".encode()).one("blockquote")["cite"] == f"{SITE_URL}{story.path}"
    )


def test_paper_gets_address_and_revision() -> None:
    story = a_story(None, *CORRECTED)
    line = page_of(story).one("p", class_="print").text
    assert line == f"{SITE_URL}{story.path} Revision 5, 20 June, 2023 | 11:20 UTC+6. © 2023 The Test Press"


def test_the_head_says_what_the_page_is() -> None:
    story = a_story(None, *CORRECTED)
    head = page_of(story).one("head")
    url = f"{SITE_URL}{story.path}"
    assert head.one("title").text == "Hostages freed in Astana | The Test"
    assert head.one("link", rel="canonical")["href"] == url
    assert head.one("meta", name="description")["content"] == "Nobody was hurt."
    assert head.one("link", rel="alternate", type="application/atom+xml")["href"] == SITE_FEED
    properties = {
        meta["property"]: meta["content"]
        for meta in head.all("meta")
        if not meta.attributes.get("property", "og:image").startswith("og:image")
    }
    assert properties | {"article:tag": ""} == {
        "og:type": "article",
        "og:site_name": "The Test",
        "og:title": "Hostages freed in Astana",
        "og:url": url,
        "og:description": "Nobody was hurt.",
        "article:published_time": "2023-06-20T10:40:00+06:00",
        "article:modified_time": "2023-06-20T11:20:00+06:00",
        "article:section": "Kazakhstan",
        "article:tag": "",
    }


def test_machines_get_the_article_with_its_corrections_and_never_its_body() -> None:
    story = a_story(None, *CORRECTED)
    graph = graph_of(page_of(story))
    assert set(graph) >= {"NewsArticle", "WebPage", "WebSite", "BreadcrumbList", "NewsMediaOrganization"}
    article = graph["NewsArticle"]
    assert "articleBody" not in article
    assert article["headline"] == "Hostages freed in Astana"
    assert article["dateline"] == "Astana, Kazakhstan"
    assert article["datePublished"] == "2023-06-20T10:40:00+06:00"
    assert article["dateModified"] == "2023-06-20T11:20:00+06:00"
    assert article["correction"] == [
        {
            "@type": "CorrectionComment",
            "name": "Correction",
            "text": "It was seven people, not eight.",
            "datePublished": "2023-06-20T11:00:00+06:00",
        }
    ]
    assert [author["name"] for author in article["author"]] == ["Aigerim Bekova", "Tomas Lind"]
    assert [step["position"] for step in graph["BreadcrumbList"]["itemListElement"]] == [1, 2, 3]


def test_the_history_tells_every_revision_newest_first() -> None:
    history = history_of(a_story(None, *CORRECTED))
    items = history.one("ol", class_="revisions").all("li")
    assert [item["id"] for item in items] == [f"revision-{number}" for number in (5, 4, 3, 2, 1)]
    labels = [item.one("span", class_="label").text for item in items]
    assert labels == ["Update", "Minor edit", "Correction", "Update", "Published"]
    assert "First published." in items[-1].text


def test_each_change_leads_to_the_words_that_it_changed() -> None:
    """Against the public revision before it; the first has none, nor has a retraction."""
    story = a_story(None, *CORRECTED)
    items = history_of(story).one("ol", class_="revisions").all("li")
    ways = [[link["href"] for link in item.all("a")] for item in items]
    assert ways == [[f"{story.path}history/{pair}/"] for pair in ("4-5", "3-4", "2-3", "1-2")] + [[]]
    retracted = history_of(a_retraction(story, "The story was not true."))
    assert retracted.one("ol", class_="revisions").all("a") == []


def test_changes_that_were_released_together_are_compared_with_what_stood_before_both() -> None:
    """They came with one text, so between them there is nothing to compare."""
    update, correction = (
        change.model_copy(update={"text_revision": 9})
        for change in (
            a_told(3, ChangeKind.UPDATED, "Two more have been freed."),
            a_told(5, ChangeKind.CORRECTION, "It was seven people, not eight."),
        )
    )
    items = history_of(a_story(None, update, correction)).one("ol", class_="revisions").all("li")
    assert [item.one("a")["href"].split("/")[-2] for item in items[:2]] == ["1-5", "1-3"]


def test_a_text_too_short_for_an_excerpt_is_described_by_its_headline() -> None:
    page = page_of(a_story(a_text(headline="Shots heard", deck="", body="<p>More follows.</p>")))
    assert page.one("meta", name="description")["content"] == "Shots heard"


def test_a_retracted_page_holds_the_reason_and_no_word_of_the_text() -> None:
    story = a_story(a_text(headline="Calumnious", deck="Slanderous", tags=("Libel",), authors=("Mallory",)))
    retracted = a_retraction(story, "The story was not true.")
    for page in (page_of(retracted), history_of(retracted)):
        assert "The story was not true." in page.text
        everything = PAGES.article(retracted)[f"{story.path}index.html"].decode()
        for word in ("Calumnious", "Slanderous", "Libel", "Mallory", *SENTENCES):
            assert word not in page.text
            assert word not in everything
    assert page_of(retracted).one("h1").text == "This article has been retracted"
    assert graph_of(page_of(retracted))["NewsArticle"]["creativeWorkStatus"] == "Retracted"
    assert "dateline" not in graph_of(page_of(retracted))["NewsArticle"]


def test_a_retracted_history_claims_no_version_that_is_gone() -> None:
    before, after = (history_of(story) for story in (a_story(), a_retraction(a_story(), "It was not true.")))
    assert "Every version" in before.one("p", class_="deck").text
    for told in (after.one("p", class_="deck").text, after.one("meta", name="description")["content"]):
        assert told.startswith("The text that stood here is no longer published.")


@pytest.mark.parametrize(
    ("language", "direction"),
    [("de", "ltr"), ("uk", "ltr"), ("he", "rtl"), ("uz-Arab", "rtl"), ("fa", "rtl")],
)
def test_a_text_in_another_language_says_so(language: str, direction: str) -> None:
    page = page_of(a_story(a_text(language=language), a_told(2, ChangeKind.UPDATED, "Жаңа мәлімет.")))
    note = page.one("section", class_="updates").one("span", lang=language)
    assert note.text == "Жаңа мәлімет."
    for element in (page.one("h1"), page.one("div", class_="body"), note):
        assert (element["lang"], element["dir"]) == (language, direction)
    assert graph_of(page)["NewsArticle"]["inLanguage"] == language


def test_the_sites_own_language_is_told_once() -> None:
    page = page_of(a_story())
    assert (page["lang"], page["dir"]) == ("en", "ltr")
    assert not [element for element in page.all() if "lang" in element.attributes]


def test_a_breaking_story_is_labelled() -> None:
    assert article_of(a_text(breaking=True)).one("span", class_="breaking").text == "Breaking"
    assert not article_of(a_text()).all("span", class_="breaking")


def test_the_section_is_marked_in_the_navigation() -> None:
    current = [
        link.text for link in page_of(a_story()).one("nav", class_="sections").all("a", aria_current="true")
    ]
    assert current == ["Kazakhstan"]
