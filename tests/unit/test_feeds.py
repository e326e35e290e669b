"""The feeds in each format: well-formed, with ids that never move, and of a retraction only what it was."""

from __future__ import annotations

import json
from calendar import timegm
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import feedparser  # type: ignore[import-untyped]
import pytest
from markupsafe import escape

from newsroom.addresses import FEEDS, HOME
from newsroom.notices import Notice
from newsroom.times import rfc3339
from newsroom.updates import ArticleUpdate, ChangeKind
from services.render.cards import card_of, ledger_of
from services.render.listingkinds import Listing
from services.render.live import Hub
from services.render.pages import Pages
from services.render.standing import due_notices
from tests.page_parts import SENTENCES, a_retraction, a_story, a_text, a_told, later, read_page
from tests.render_parts import SITE_URL, a_site, a_state

PAGES = Pages(a_site())
ATOM, RSS, JSON = FEEDS
STORY = a_story(None, a_told(2, ChangeKind.UPDATED, "More."))
LISTINGS = {
    "/": "The Test",
    "/kazakhstan/": "Kazakhstan | The Test",
    "/tags/astana/": "Astana | The Test",
    "/authors/tomas-lind/": "Tomas Lind | The Test",
    "/updates/": "Updates | The Test",
    "/corrections/": "Corrections | The Test",
}


@dataclass(frozen=True)
class Item:
    """An entry as a reader's program gets it, from whichever format."""

    id: str
    title: str
    url: str
    published: datetime
    updated: datetime
    summary: str
    people: tuple[str, ...]
    topics: tuple[str, ...]


@dataclass(frozen=True)
class Read:
    """A feed as a reader's program gets it."""

    title: str
    page: str
    itself: str
    items: tuple[Item, ...]


def files(path: str, *updates: ArticleUpdate) -> dict[str, bytes]:
    """The files of a listing by name."""
    cards = tuple(card for update in updates if (card := card_of(update)))
    entries = tuple(entry for update in updates for entry in reversed(ledger_of(update)))
    is_ledger = path in ("/updates/", "/corrections/")
    listing = Listing(path, entries=entries) if is_ledger else Listing(path, cards)
    return {name.removeprefix(path): content for name, content in PAGES.listing(listing).items()}


def read(name: str, content: bytes) -> Read:
    return _read_json(content) if name == JSON else _read_xml(content)


def feed(name: str, path: str, *updates: ArticleUpdate) -> Read:
    return read(name, files(path, *updates)[name])


def _read_json(content: bytes) -> Read:
    document = json.loads(content)
    assert document["version"] == "https://jsonfeed.org/version/1.1"
    return Read(
        document["title"],
        document["home_page_url"],
        document["feed_url"],
        tuple(
            Item(
                item["id"],
                item["title"],
                item["url"],
                datetime.fromisoformat(item["date_published"]),
                datetime.fromisoformat(item["date_modified"]),
                item["content_text"],
                tuple(author["name"] for author in item.get("authors", [])),
                tuple(item.get("tags", [])),
            )
            for item in document["items"]
        ),
    )


def _read_xml(content: bytes) -> Read:
    document: Any = feedparser.parse(content)
    assert not document.bozo, document.get("bozo_exception")
    assert document.version in ("atom10", "rss20")
    links = {link.rel: link.href for link in document.feed.links}
    return Read(
        document.feed.title,
        links["alternate"],
        links["self"],
        tuple(
            Item(
                entry.id,
                entry.title,
                entry.link,
                datetime.fromtimestamp(timegm(entry.published_parsed), UTC),
                datetime.fromtimestamp(timegm(entry.updated_parsed), UTC),
                entry.summary,
                tuple(author.name for author in entry.get("authors", [])),
                tuple(tag.term for tag in entry.get("tags", [])),
            )
            for entry in document.entries
        ),
    )


@pytest.mark.parametrize("name", FEEDS)
@pytest.mark.parametrize("path", LISTINGS)
def test_every_front_and_ledger_has_feeds_that_say_whose_they_are(path: str, name: str) -> None:
    found = feed(name, path, STORY)
    assert (found.title, found.page) == (LISTINGS[path], SITE_URL + path)
    assert found.itself == f"{SITE_URL}{path}{name}"


@pytest.mark.parametrize("name", FEEDS)
@pytest.mark.parametrize("path", ["/", "/kazakhstan/", "/updates/", "/corrections/"])
def test_a_feed_without_entries_is_well_formed(path: str, name: str) -> None:
    assert feed(name, path).items == ()


@pytest.mark.parametrize("path", ["/2023/06/20/", "/2023/06/", "/kazakhstan/2023/06/", "/sitemap.xml"])
def test_an_archive_and_a_sitemap_have_none(path: str) -> None:
    assert not [name for name in files(path, STORY) if name in FEEDS]


@pytest.mark.parametrize("name", FEEDS)
def test_an_entry_has_address_times_people_and_the_excerpt_alone(name: str) -> None:
    (item,) = feed(name, HOME, STORY).items
    assert item.url == f"{SITE_URL}{STORY.path}"
    assert item.title == "Hostages freed in Astana"
    assert (item.published, item.updated) == (later(0), later(10))
    assert set(item.people) == {"Aigerim Bekova", "Tomas Lind"}
    assert item.topics == ("Kazakhstan", "Astana", "Police")
    assert item.summary == " ".join(SENTENCES[:6])


@pytest.mark.parametrize("name", FEEDS)
def test_ids_and_publication_stay_when_everything_else_moves(name: str) -> None:
    text = a_text(headline="Another", section="World", slug="moved")
    (before,) = feed(name, HOME, a_story()).items
    (after,) = feed(name, HOME, a_story(text, a_told(2, ChangeKind.UPDATED, "n"))).items
    assert before.url != after.url
    assert (before.id, before.published) == (after.id, after.published)
    assert before.id.startswith("tag:site.test,")


def test_each_feed_has_an_id_of_its_own() -> None:
    ids = [feedparser.parse(files(path, STORY)[ATOM]).feed.id for path in LISTINGS]
    assert ids[:2] == ["tag:site.test,2023-01-01:feed", "tag:site.test,2023-01-01:feed/kazakhstan/"]
    assert len(set(ids)) == len(ids)


def test_an_amendment_moves_nothing() -> None:
    amended = a_story(None, a_told(2, ChangeKind.AMENDED))
    before, after = files(HOME, a_story()), files(HOME, amended)
    assert [before[name] for name in FEEDS] == [after[name] for name in FEEDS]


@pytest.mark.parametrize("name", FEEDS)
@pytest.mark.parametrize("path", LISTINGS)
def test_a_retraction_stays_as_an_entry_without_a_word_of_the_text(path: str, name: str) -> None:
    story = a_story(a_text(headline="Calumny", tags=("Libel",), authors=("Mallory",), slug="s"))
    retracted = a_retraction(story, "It was not so.")
    (item,) = feed(name, path, retracted).items
    assert item.summary == "It was not so."
    assert "etracted" in item.title
    content = files(path, retracted)[name].decode()
    assert not [word for word in ("Calumny", "Libel", "Mallory", *SENTENCES) if word in content]


@pytest.mark.parametrize("name", FEEDS)
def test_a_retraction_keeps_the_id_and_publication_of_its_article(name: str) -> None:
    (before,) = feed(name, HOME, STORY).items
    (after,) = feed(name, HOME, a_retraction(STORY, "It was not so.")).items
    assert (after.id, after.published) == (before.id, before.published)
    assert after.title == "This article has been retracted"
    assert after.updated > before.updated


def test_a_listing_that_only_a_retraction_is_left_in_has_feeds_and_no_page() -> None:
    retracted = a_retraction(STORY, "It was not so.")
    assert set(files("/tags/astana/", retracted)) == set(FEEDS)
    assert set(files("/kazakhstan/", retracted)) == {"index.html", *FEEDS}


@pytest.mark.parametrize("name", FEEDS)
def test_the_feeds_of_a_ledger_tell_notices_each_with_an_id_of_its_own(name: str) -> None:
    corrected = a_story(
        None,
        a_told(2, ChangeKind.UPDATED, "Two are free."),
        a_told(3, ChangeKind.AMENDED),
        a_told(4, ChangeKind.CORRECTION, "It was seven."),
    )
    items = feed(name, "/updates/", corrected).items
    assert [(item.title, item.summary) for item in items] == [
        ("Correction: Hostages freed in Astana", "It was seven."),
        ("Update: Hostages freed in Astana", "Two are free."),
        ("New: Hostages freed in Astana", "First published."),
    ]
    assert [item.id.partition(":article/")[2] for item in items] == [
        f"story/revision/{number}" for number in (4, 2, 1)
    ]
    assert all(item.published == item.updated for item in items)


def test_a_notice_in_a_feed_reads_as_the_live_stream_sends_it() -> None:
    """So that a page whose stream is refused can read the feed instead."""
    story = a_story(None, a_told(2, ChangeKind.CORRECTION, "It was seven."))
    for update in (story, a_retraction(story, "It was not so.")):
        items = json.loads(files("/updates/", update)[JSON])["items"]
        assert [item["_newsroom"] for item in reversed(items)] == [
            streamed(notice) for notice in due_notices(a_state(update), later(0))
        ]


def streamed(notice: Notice) -> dict[str, Any]:
    """The data of a notice on the wire."""
    wire = Hub(SITE_URL)._wire(1, notice).decode()
    data: dict[str, Any] = json.loads(wire.partition("data: ")[2])
    return data


@pytest.mark.parametrize("name", FEEDS)
@pytest.mark.parametrize("hostile", ["]]> & <b>bold</b> “quotes”", "\"'><entry>", "Астанада & ұсталды"])
def test_hostile_words_stay_words(hostile: str, name: str) -> None:
    story = a_story(
        a_text(headline=hostile, tags=(f"{hostile} tag",), authors=(f"{hostile} author",), slug="s")
    )
    (item,) = feed(name, HOME, story).items
    if name == RSS:  # whose readers do not agree whether a title is text
        assert f"<title>{escape(hostile)}</title>" in files(HOME, story)[RSS].decode()
    else:
        assert item.title == hostile
    assert item.people == (f"{hostile} author",)
    assert item.topics[1] == f"{hostile} tag"


def test_an_entry_in_another_language_says_so() -> None:
    found = files(HOME, a_story(a_text(language="kk")), a_story(article_id="other"))
    assert found[ATOM].decode().count('<title xml:lang="kk">') == 1
    assert found[ATOM].decode().count('<summary xml:lang="kk">') == 1
    assert found[RSS].decode().count("<dc:language>kk</dc:language>") == 1
    assert [item["language"] for item in json.loads(found[JSON])["items"]] == ["kk", "en"]


def test_every_feed_says_on_which_terms_it_may_be_used() -> None:
    rights = "© The Test Press. At most 30 %."
    found = files(HOME, STORY)
    assert feedparser.parse(found[ATOM]).feed.rights == rights
    assert feedparser.parse(found[RSS]).feed.rights == rights
    assert json.loads(found[JSON])["_newsroom"] == {"rights": rights}


@pytest.mark.parametrize("path", LISTINGS)
def test_a_page_leads_programs_to_its_own_feeds_first(path: str) -> None:
    head = read_page(files(path, STORY)["index.html"]).one("head")
    found = [link["href"] for link in head.all("link", rel="alternate")]
    own, site = [f"{path}{name}" for name in FEEDS], [f"/{name}" for name in FEEDS]
    assert found == list(dict.fromkeys([*own, *site]))


def test_an_articles_page_leads_programs_to_the_feeds_of_the_site() -> None:
    page = read_page(PAGES.article(STORY)[f"{STORY.path}index.html"]).one("head")
    feeds = [link for link in page.all("link", rel="alternate") if link["href"].startswith("/feed.")]
    assert [(link["type"], link["title"]) for link in feeds] == [
        ("application/atom+xml", "The Test (Atom)"),
        ("application/rss+xml", "The Test (RSS)"),
        ("application/feed+json", "The Test (JSON Feed)"),
    ]


def test_times_are_written_as_each_format_has_them() -> None:
    found = files(HOME, STORY)
    assert "<pubDate>Tue, 20 Jun 2023 04:40:00 GMT</pubDate>" in found[RSS].decode()
    assert f"<updated>{rfc3339(later(10))}</updated>" in found[ATOM].decode()
