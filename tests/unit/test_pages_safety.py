"""No text becomes markup; equal input gives equal bytes; pages keep to their budget."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import brotli  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsroom.articles import Dateline, Source
from newsroom.updates import ArticleUpdate, ChangeKind
from services.render.cards import card_of, ledger_of
from services.render.contexts.graph import script_json
from services.render.listingkinds import Listing
from services.render.looks.assets import STATIC
from services.render.looks.look import TEMPLATES
from services.render.looks.sitefile import Licence, Policies, Publisher, Site
from services.render.pages import Pages
from services.render.words.typography import set_line
from tests.page_parts import Element, a_retraction, a_story, a_text, a_told, graph_of, read_page
from tests.render_parts import a_site

KILOBYTE = 1_000
HOSTILE = "</title></script></textarea><script>alert(1)</script><img src=x onerror=alert(1)>\"'&{{ 7*7 }}"
LISTINGS = ("/", "/kazakhstan/", "/tags/astana/", "/updates/", "/corrections/")


def hostile(word: str) -> str:
    """Hostile text that can be told from other hostile text."""
    return f"{word} {HOSTILE}"


def a_hostile_site() -> Site:
    return a_site("Kazakhstan").model_copy(
        update={
            "name": hostile("site"),
            "tagline": hostile("tagline"),
            "publisher": Publisher(
                name=hostile("publisher"), contact="a&b@site.test", about=hostile("about")
            ),
            "policies": Policies(
                corrections=hostile("corrections"), no_byline=hostile("no byline"), reuse=hostile("reuse")
            ),
            "licence": Licence(contact="rights@site.test", url="https://site.test/?a=1&b='2"),
        }
    )


def a_hostile_story() -> ArticleUpdate:
    text = a_text(
        headline=hostile("headline"),
        deck=hostile("deck"),
        body=f"<p>Words. {HOSTILE}</p><p onclick=alert(1)>More <a href='javascript:alert(1)'>here</a>.</p>",
        section=hostile("section"),
        tags=(hostile("tag"),),
        authors=(hostile("author"),),
        dateline=Dateline(place=hostile("place"), timezone="Asia/Almaty"),
        sources=(Source(name=hostile("source"), url="https://x.test/?a='1&b=2"),),
        slug="s",
    )
    return a_story(
        text, a_told(2, ChangeKind.CORRECTION, hostile("note")), a_told(3, ChangeKind.UPDATED, hostile("new"))
    )


def every_page(site: Site, *updates: ArticleUpdate) -> dict[str, bytes]:
    """Each page that the site would have of these articles, by path."""
    pages = Pages(site)
    files: dict[str, bytes] = {}
    for update in updates:
        files |= pages.article(update)
    cards = tuple(card for update in updates if (card := card_of(update)))
    entries = tuple(entry for update in updates for entry in ledger_of(update))
    for path in LISTINGS:
        drawn = pages.listing(Listing(path, cards, entries))
        files |= {each: content for each, content in drawn.items() if each.endswith(".html")}
    return files | {f"/{status}": pages.error(status) for status in (404, 410, 503)}


def assert_harmless(page: Element) -> None:
    """Only our own script and data are there, nothing reacts to events, and every address is a plain one."""
    scripts = [script.attributes.get("type") for script in page.all("script")]
    assert scripts in (
        ["module", "application/json"],
        ["module", "application/ld+json", "application/json"],
    )
    assert not page.all("img")
    for element in page.all():
        assert not [name for name in element.attributes if name.startswith("on") or name == "style"]
        for name in ("href", "src", "cite"):
            address = element.attributes.get(name, "/")
            assert address.startswith(("/", "#", "http://", "https://", "mailto:")), address


def test_no_field_of_site_or_article_becomes_markup() -> None:
    story = a_hostile_story()
    for content in every_page(a_hostile_site(), story, a_retraction(story, hostile("why"))).values():
        page = read_page(content)
        assert_harmless(page)
        assert "49" not in page.one("title").text


def test_every_field_of_an_article_is_shown_as_it_was_written() -> None:
    story = a_hostile_story()
    content = Pages(a_hostile_site()).article(story)[f"{story.path}index.html"]
    page = read_page(content)
    for word in ("headline", "section", "tag", "author", "place", "source", "tagline"):
        assert hostile(word) in page.one("body").text, word
    for word in ("headline", "deck", "note", "new"):
        assert set_line(hostile(word), "en") in page.one("body").text, word
    article = graph_of(page)["NewsArticle"]
    assert article["headline"] == hostile("headline")
    assert article["keywords"] == [hostile("tag")]
    assert page.one("meta", property="og:title")["content"] == hostile("headline")


def test_a_body_is_cleaned_again_whatever_the_log_holds() -> None:
    """An update whose text was never validated, as an older rule may have let it through."""
    story = a_story()
    assert story.public is not None
    assert story.public.text is not None
    text = story.public.text.model_copy(
        update={"body": "<p>Kept.</p><script>alert(1)</script><iframe src=x></iframe>"}
    )
    unclean = story.model_copy(update={"public": story.public.model_copy(update={"text": text})})
    page = read_page(Pages(a_site()).article(unclean)[f"{story.path}index.html"])
    assert_harmless(page)
    assert page.one("div", class_="body").text == "Kept."


@given(st.text())
@settings(max_examples=200)
def test_no_text_ends_the_element_that_holds_json(text: str) -> None:
    written = script_json({"text": text})
    assert not set("<>&\u2028\u2029") & set(written)


def test_equal_input_gives_equal_bytes() -> None:
    story = a_hostile_story()
    assert every_page(a_hostile_site(), story) == every_page(a_hostile_site(), story)


def test_a_page_is_a_function_of_its_article_alone() -> None:
    """Whatever else was drawn before."""
    pages, story = Pages(a_site()), a_story()
    before = pages.article(story)
    pages.article(a_hostile_story())
    pages.listing(Listing("/", tuple(card for card in [card_of(a_hostile_story())] if card)))
    assert pages.article(story) == before


def test_the_fingerprint_moves_with_settings_and_templates_and_with_nothing_else(tmp_path: Path) -> None:
    fingerprint = Pages(a_site()).fingerprint
    assert Pages(a_site()).fingerprint == fingerprint
    assert Pages(a_site("World")).fingerprint != fingerprint
    assert Pages(a_site(), tmp_path).fingerprint == fingerprint
    own = tmp_path / "templates"
    own.mkdir()
    for template in TEMPLATES.iterdir():
        (own / template.name).write_bytes(template.read_bytes())
    assert Pages(a_site(), tmp_path).fingerprint == fingerprint
    robots = own / "robots.txt"
    robots.write_text(robots.read_text() + "Disallow: /x\n")
    assert Pages(a_site(), tmp_path).fingerprint != fingerprint


def test_assets_are_named_by_their_content_and_every_page_links_to_them() -> None:
    pages = Pages(a_site())
    addresses = set(pages.assets())
    named = re.compile(r"/assets/[a-z0-9-]+\.[0-9a-f]{16}\.(css|js|svg|png)")
    assert all(named.fullmatch(address) for address in addresses)
    for content in every_page(a_site(), a_story()).values():
        page = read_page(content)
        links = [page.one("link", rel=kind)["href"] for kind in ("stylesheet", "icon", "apple-touch-icon")]
        drawn = page.one("use")["href"].removesuffix("#wordmark")
        assert {*links, page.one("script", type="module")["src"], drawn} <= addresses


def test_every_template_that_extends_the_frame_gets_each_name_it_uses() -> None:
    """Undefined names raise; here every page of a bare article is drawn (nothing optional is given)."""
    bare = a_text(deck="", tags=(), authors=(), dateline=None, sources=(), body="")
    bare_site = a_site().model_copy(update={"tagline": ""})
    for content in every_page(bare_site, a_story(bare)).values():
        read_page(content)


@pytest.mark.parametrize("pack", [brotli.compress, gzip.compress], ids=["brotli", "gzip"])
def test_pages_keep_to_their_budget(pack: Callable[[bytes], bytes]) -> None:
    long = a_text(
        body="".join(f"<p>{number} {'words that differ '.join(str(number) * 3)}</p>" for number in range(200))
    )
    story = a_story(long, *(a_told(n, ChangeKind.UPDATED, f"Note {n} of many.") for n in range(2, 30)))
    page = Pages(a_site()).article(story)[f"{story.path}index.html"]
    assert len(pack(page)) <= 20 * KILOBYTE
    assert len(pack((STATIC / "site.css").read_bytes())) <= 8 * KILOBYTE
    assets = Pages(a_site()).assets()
    assert sum(len(pack(assets[address])) for address in assets if address.endswith(".js")) <= 6 * KILOBYTE


def test_pages_ask_nothing_of_third_parties() -> None:
    for content in every_page(a_site(), a_story()).values():
        page = read_page(content)
        fetched = [e["src"] for e in page.all("script") if "src" in e.attributes]
        fetched += [e["href"] for e in page.all("link") if e["rel"] in ("stylesheet", "icon", "preload")]
        assert all(address.startswith("/assets/") for address in fetched)
    style = (STATIC / "site.css").read_text()
    assert "url(" not in style
    assert "@import" not in style
