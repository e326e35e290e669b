"""The files that lead search engines to every public page, by the protocol and its two extensions."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest
import xmlschema

from services.render.cards import Card, card_of
from services.render.contexts.sitemaps import news_sitemap, sitemap
from services.render.listingkinds import Listing, Part, Place
from tests.page_parts import a_story, a_text, later
from tests.render_parts import SITE_URL, a_site

SCHEMAS = Path(__file__).parents[1] / "schemas"
SITEMAP = xmlschema.XMLSchema(SCHEMAS / "sitemap.xsd")
NAMES = {
    "s": "http://www.sitemaps.org/schemas/sitemap/0.9",
    "n": "http://www.google.com/schemas/sitemap-news/0.9",
    "x": "http://www.w3.org/1999/xhtml",
}
SITE = a_site("Kazakhstan").model_copy(update={"name": "Step & Dispatch"})


def read(document: bytes) -> Element:
    SITEMAP.validate(document.decode())
    return fromstring(document)  # noqa: S314  (our own)


def drawn(listing: Listing) -> Element:
    return read(sitemap(listing, SITE))


def addresses(root: Element) -> list[str]:
    return [(found.text or "").removeprefix(SITE_URL) for found in root.iterfind("*/s:loc", NAMES)]


def a_place(article_id: str, language: str = "en", of: str | None = None) -> Place:
    return Place(f"/w/2023/06/20/{article_id}/", None, language, article_id, of)


def languages(root: Element) -> dict[str, dict[str, str]]:
    """By page: where each language of its text stands."""
    return {
        (url.findtext("s:loc", "", NAMES)).removeprefix(SITE_URL): {
            link.attrib["hreflang"]: link.attrib["href"].removeprefix(SITE_URL)
            for link in url.iterfind("x:link", NAMES)
        }
        for url in root.iterfind("s:url", NAMES)
    }


def a_card(**changes: object) -> Card:
    card = card_of(a_story(a_text(**changes)))
    assert card is not None
    return card


def test_the_index_tells_when_each_part_changed_last() -> None:
    parts = (Part("/sitemaps/pages.xml"), Part("/sitemaps/2023-06.xml", later(5)))
    root = drawn(Listing("/sitemap.xml", parts=parts))
    assert addresses(root) == ["/sitemaps/pages.xml", "/sitemaps/2023-06.xml"]
    times = [part.findtext("s:lastmod", "", NAMES) for part in root]
    assert times == ["", "2023-06-20T04:45:00.000Z"]


def test_the_standing_pages_have_a_part_of_their_own() -> None:
    found = addresses(drawn(Listing("/sitemaps/pages.xml")))
    assert found == ["/", "/updates/", "/corrections/", "/kazakhstan/", "/about/", "/reuse/"]


def test_a_month_lists_its_articles_with_their_last_change() -> None:
    place = Place("/w/2023/06/20/a/", later(7), "en", "a")
    (url,) = drawn(Listing("/sitemaps/2023-06.xml", places=(place,)))
    assert url.findtext("s:loc", "", NAMES) == f"{SITE_URL}/w/2023/06/20/a/"
    assert url.findtext("s:lastmod", "", NAMES) == "2023-06-20T04:47:00.000Z"


def test_every_page_of_a_translated_text_names_all_its_languages() -> None:
    places = (a_place("r", "ru", "e"), a_place("k", "kk", "e"), a_place("e"))
    found = languages(drawn(Listing("/sitemaps/translations.xml", places=places)))
    group = {
        "en": "/w/2023/06/20/e/",
        "kk": "/w/2023/06/20/k/",
        "ru": "/w/2023/06/20/r/",
        "x-default": "/w/2023/06/20/e/",
    }
    assert found == dict.fromkeys(["/w/2023/06/20/e/", "/w/2023/06/20/k/", "/w/2023/06/20/r/"], group)


def test_a_translation_of_a_translation_is_of_the_same_text() -> None:
    places = (a_place("r", "ru", "k"), a_place("k", "kk", "e"), a_place("e"))
    assert len(languages(drawn(Listing("/sitemaps/translations.xml", places=places)))) == 3


def test_translations_whose_original_nobody_may_see_have_no_default() -> None:
    places = (a_place("r", "ru", "e"), a_place("k", "kk", "e"))
    found = languages(drawn(Listing("/sitemaps/translations.xml", places=places)))
    assert {tuple(group) for group in found.values()} == {("kk", "ru")}


@pytest.mark.parametrize(
    "places",
    [
        (a_place("k", "kk", "e"),),
        (a_place("k", "en", "e"), a_place("e")),
        (a_place("a", "kk", "b"), a_place("b", "kk", "a")),
    ],
)
def test_what_stands_in_one_language_alone_has_no_other_to_name(places: tuple[Place, ...]) -> None:
    """A translation without its original, one into the same language, and two that name each other."""
    found = languages(drawn(Listing("/sitemaps/translations.xml", places=places)))
    assert found == {place.path: {} for place in places}


def test_of_two_in_one_language_the_older_stands() -> None:
    places = (a_place("new", "kk", "e"), a_place("old", "kk", "e"), a_place("e"))
    found = languages(drawn(Listing("/sitemaps/translations.xml", places=places)))
    assert list(found) == ["/w/2023/06/20/e/", "/w/2023/06/20/old/"]


def test_news_are_told_with_their_title_time_and_language() -> None:
    root = read(news_sitemap([a_card(headline="Freed & <well>", language="kk-Cyrl")], SITE))
    news = root.find("s:url/n:news", NAMES)
    assert news is not None
    assert news.findtext("n:title", "", NAMES) == "Freed & <well>"
    assert news.findtext("n:publication/n:name", "", NAMES) == "Step & Dispatch"
    assert news.findtext("n:publication/n:language", "", NAMES) == "kk"
    assert news.findtext("n:publication_date", "", NAMES) == "2023-06-20T04:40:00.000Z"


@pytest.mark.parametrize(("language", "told"), [("zh-Hant", "zh-tw"), ("zh", "zh-cn"), ("en-GB", "en")])
def test_of_chinese_its_script_is_told(language: str, told: str) -> None:
    root = read(news_sitemap([a_card(language=language)], SITE))
    assert root.findtext("s:url/n:news/n:publication/n:language", "", NAMES) == told


def test_without_news_the_file_is_there_and_empty() -> None:
    assert addresses(read(news_sitemap([], SITE))) == []
