"""What machines read in a page's head holds against schema.org's own vocabulary, on every kind of page."""

from __future__ import annotations

import json
from typing import Any

import pytest

from newsroom.updates import ChangeKind
from services.render.cards import card_of, ledger_of
from services.render.listingkinds import Listing
from services.render.looks.sitefile import Policies
from services.render.pages import Pages
from services.render.posts import Posts
from tests.page_parts import (
    SENTENCES,
    Element,
    a_retraction,
    a_story,
    a_text,
    a_told,
    graph_of,
    later,
    read_page,
)
from tests.render_parts import SITE_URL, a_live, a_post, a_site
from tests.schema_org import faults

PAGES = Pages(a_site("Kazakhstan"))
CHANGED = (
    a_told(2, ChangeKind.UPDATED, "Two are free."),
    a_told(3, ChangeKind.CORRECTION, "It was seven people, not eight."),
    a_told(4, ChangeKind.EDITORS_NOTE, "Names were taken out."),
)


def data_of(page: Element) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(
        "".join(str(child) for child in page.one("script", type="application/ld+json").children)
    )
    return data


def every_page() -> dict[str, bytes]:
    """A page of each kind, by a name of its own."""
    story = a_story(None, *CHANGED)
    translation = a_story(a_text(language="kk", translation_of="first"), article_id="second")
    posts = (a_post(2, article_id="live"), a_post(1, article_id="live"))
    drawn = Posts(latest=posts, key_events=posts[:1], pages={1: posts})
    live = a_live(a_story(None, article_id="live"), posts)
    over = a_live(a_story(a_text(headline="Over"), article_id="over"), posts, closed_at=later(90))
    files = {
        **PAGES.article(story),
        **PAGES.article(translation),
        **PAGES.article(a_retraction(a_story(None, article_id="killed"), "It was not so.")),
        **PAGES.article(live, drawn),
        **PAGES.article(over, drawn),
    }
    card = card_of(story)
    assert card is not None
    for path in ("/", "/kazakhstan/", "/tags/astana/", "/authors/tomas-lind/", "/2023/06/20/", "/updates/"):
        files |= PAGES.listing(Listing(path, (card,), ledger_of(story)))
    return {path: page for path, page in files.items() if path.endswith(".html")}


@pytest.mark.parametrize("path", sorted(every_page()))
def test_every_graph_is_sound_by_the_vocabulary(path: str) -> None:
    assert faults(data_of(read_page(every_page()[path]))) == []


def test_no_word_of_the_body_is_in_a_graph_but_in_its_excerpt() -> None:
    """Neither as `articleBody` nor otherwise, on none of the pages."""
    for page in every_page().values():
        written = json.dumps(data_of(read_page(page)))
        assert "articleBody" not in written
        assert not [sentence for sentence in SENTENCES[6:] if sentence in written]


def test_an_article_tells_its_terms_and_whose_it_is() -> None:
    story = a_story(None, *CHANGED)
    graph = graph_of(read_page(PAGES.article(story)[f"{story.path}index.html"]))
    article = graph["NewsArticle"]
    assert article["usageInfo"] == f"{SITE_URL}/reuse/"
    assert article["acquireLicensePage"] == f"{SITE_URL}/reuse/"
    assert article["copyrightNotice"] == "© 2023 The Test Press"
    assert article["publisher"] == {"@id": graph["NewsMediaOrganization"]["@id"]}
    assert article["mainEntityOfPage"] == {"@id": graph["WebPage"]["@id"]}
    assert [each["name"] for each in article["correction"]] == ["Editor’s note", "Correction"]
    assert article["citation"][0]["url"] == "https://gov.example/statement"


def test_article_and_publisher_have_a_picture_that_stands() -> None:
    story = a_story()
    data = data_of(read_page(PAGES.article(story)[f"{story.path}index.html"]))
    nodes = {node["@id"]: node for node in data["@graph"]}
    article, publisher = nodes[f"{SITE_URL}{story.path}#article"], nodes[f"{SITE_URL}/#publisher"]
    for picture in (article["image"], publisher["logo"]):
        address = nodes[picture["@id"]]["url"]
        assert PAGES.assets()[address.removeprefix(SITE_URL)].startswith(b"\x89PNG")


def test_a_translation_names_its_original_by_an_address_that_never_moves() -> None:
    story = a_story(a_text(translation_of="first"))
    article = graph_of(read_page(PAGES.article(story)[f"{story.path}index.html"]))["NewsArticle"]
    original = {"@type": "NewsArticle", "url": f"{SITE_URL}/articles/first/"}
    assert article["translationOfWork"] == original


def test_the_publisher_tells_only_the_rules_that_it_has() -> None:
    site = a_site("Kazakhstan")
    rules = Policies(corrections="Put right.", no_byline="By us.", reuse="A third.", ethics="Fair.")
    told = graph_of(
        read_page(Pages(site.model_copy(update={"policies": rules})).listing(Listing("/"))["/index.html"])
    )
    publisher = told["NewsMediaOrganization"]
    assert publisher["ethicsPolicy"] == f"{SITE_URL}/about/#policy-ethics"
    assert "ownershipFundingInfo" not in publisher


@pytest.mark.parametrize(
    ("node", "told"),
    [
        ({"@type": "NewsArticle", "articleBod": "x"}, "NewsArticle has no property articleBod"),
        ({"@type": "LiveBlogPosting", "dateline": "x"}, "LiveBlogPosting has no property dateline"),
        ({"@type": "NewsArticl"}, "not a type in use here: ['NewsArticl']"),
        ({"@type": "NewsArticle", "url": "/x/"}, "NewsArticle.url is none of ['URL']: '/x/'"),
        ({"@type": "WebSite", "image": {"@id": "x"}}, "WebSite.image refers to nothing: {'@id': 'x'}"),
        ({"@type": "NewsArticle", "author": {"@type": "WebSite"}}, "NewsArticle.author may not be a WebSite"),
    ],
)  # fmt: skip
def test_what_the_vocabulary_does_not_have_is_found(node: dict[str, Any], told: str) -> None:
    """Or the test above could not fail."""
    assert faults({"@context": "https://schema.org", "@graph": [node]}) == [told]
