"""Which language a page speaks, and how words in another one are told apart."""

from __future__ import annotations

import json

import pytest

from newsroom.updates import ArticleUpdate, ChangeKind
from services.render.cards import card_of
from services.render.listingkinds import Listing
from services.render.looks.sitefile import Site, TranslatedPolicies, Translation
from services.render.pages import Pages
from tests.page_parts import Element, a_retraction, a_story, a_text, a_told, read_page
from tests.render_parts import a_site

IN_ENGLISH = a_site().model_copy(update={"tagline": "News of the test"})
KAZAKH = Translation(
    tagline="Сынақ жаңалықтары",
    sections={"Kazakhstan": "Қазақстан"},
    policies=TranslatedPolicies(no_byline="Редакция дайындады."),
)
ALSO_IN_KAZAKH = IN_ENGLISH.model_copy(update={"translations": {"kk": KAZAKH}})


def page_of(update: ArticleUpdate, site: Site = IN_ENGLISH, below: str = "") -> Element:
    return read_page(Pages(site).article(update)[f"{update.path}{below}index.html"])


def a_story_in(language: str, **changes: object) -> ArticleUpdate:
    return a_story(a_text(language=language, **changes), a_told(2, ChangeKind.CORRECTION, "×"))


def home_of(site: Site, *updates: ArticleUpdate) -> Element:
    cards = tuple(card for update in updates if (card := card_of(update)))
    return read_page(Pages(site).listing(Listing("/", cards=cards))["/index.html"])


@pytest.mark.parametrize(
    ("language", "direction", "main_page", "history"),
    [
        ("en", "ltr", "Main page", "History of this article"),
        ("kk", "ltr", "Басты бет", "Осы мақаланың өзгерістер тарихы"),
        ("ru", "ltr", "Главная", "История изменений этого материала"),
        ("ru-KZ", "ltr", "Главная", "История изменений этого материала"),
        ("ar", "rtl", "الصفحة الرئيسية", "سجل تغييرات هذا المقال"),
    ],
)
def test_an_articles_pages_speak_its_language(
    language: str, direction: str, main_page: str, history: str
) -> None:
    story = a_story_in(language)
    for below in ("", "history/"):
        page = page_of(story, below=below)
        assert (page["lang"], page["dir"]) == (language, direction)
        assert page.one("nav", class_="crumbs").all("a")[0].text == main_page
        assert "lang" not in page.one("h1").attributes
        assert "dir" not in page.one("main").attributes
    assert history in page_of(story).one("footer", class_="foot").text


@pytest.mark.parametrize("below", ["", "history/"])
@pytest.mark.parametrize("language", ["he", "fa", "ur", "kk-Arab"])
def test_a_page_is_mirrored_for_a_script_that_the_interface_does_not_speak(language: str, below: str) -> None:
    page = page_of(a_story_in(language), below=below)
    assert (page["lang"], page["dir"]) == ("en", "ltr")
    assert page.one("main")["dir"] == "rtl"
    assert page.one("h1")["lang"] == language


def test_a_retracted_page_is_told_in_the_articles_language() -> None:
    page = page_of(a_retraction(a_story_in("ar"), "كان غير صحيح."))
    assert (page["lang"], page["dir"]) == ("ar", "rtl")
    assert page.one("h1").text == "سُحب هذا المقال"


def test_a_note_of_the_interface_in_a_foreign_history_is_not_told_as_the_articles() -> None:
    """The words for a publication are English on a page without a catalogue, the editor's are Hebrew."""
    page = page_of(a_story_in("he"), below="history/")
    changes = page.one("ol", class_="revisions").all("li")
    correction, publication = (change.all("p")[1].all("span")[0] for change in changes)
    assert (correction["lang"], publication.attributes.get("lang")) == ("he", None)
    assert publication.text == "First published."


def test_what_is_of_no_article_speaks_the_sites_language() -> None:
    site = IN_ENGLISH.model_copy(update={"language": "kk"})
    home = home_of(site, a_story_in("ru", headline="Новость"))
    assert home["lang"] == "kk"
    assert home.one("h2", lang="ru").text == "Новость"
    error = read_page(Pages(site).error(404))
    assert error["lang"] == "kk"
    assert error.one("h1").text == "Мұнда бет жоқ"


def test_the_publishers_words_are_shown_in_the_pages_language() -> None:
    page = page_of(a_story_in("kk", authors=()), ALSO_IN_KAZAKH)
    assert page.one("p", class_="tagline").text == "Сынақ жаңалықтары"
    assert not page.one("p", class_="tagline").all(lang="en")
    assert page.one("p", class_="byline").text == "Редакция дайындады."
    assert page.one("p", class_="kicker").text == "Қазақстан"
    assert [link.text for link in page.one("nav", class_="sections").all("a")] == ["Қазақстан"]
    assert page.one("nav", class_="sections").one("a")["href"] == "/kazakhstan/"
    assert page.one("meta", property="article:section")["content"] == "Қазақстан"


def test_the_publishers_words_say_so_where_they_are_in_another_language() -> None:
    page = page_of(a_story_in("kk", authors=()))
    assert page.one("p", class_="tagline").one("span", lang="en").text == "News of the test"
    assert page.one("p", class_="byline").one("span", lang="en").text == "By our desk."


@pytest.mark.parametrize(
    ("language", "byline"),
    [
        ("en", "By A, B and C"),
        ("kk", "Авторлар: A, B, C"),
        ("ru", "Авторы: A, B и C"),
        ("ar", "بقلم A وB وC"),
    ],
)
def test_authors_are_listed_as_the_language_does(language: str, byline: str) -> None:
    page = page_of(a_story_in(language, authors=("A", "B", "C")))
    assert page.one("p", class_="byline").text == byline
    assert [link["href"] for link in page.one("p", class_="byline").all("a")] == [
        "/authors/a/",
        "/authors/b/",
        "/authors/c/",
    ]


@pytest.mark.parametrize(
    ("language", "categories"),
    [
        ("en", {"one", "other"}),
        ("kk", {"one", "other"}),
        ("ru", {"one", "few", "many"}),
        ("ar", {"zero", "one", "two", "few", "many", "other"}),
    ],
)
def test_the_script_gets_the_pages_words(language: str, categories: set[str]) -> None:
    page = page_of(a_story_in(language))
    words = json.loads(page.one("script", id="words").text)
    assert set(words["updates"]) == categories
