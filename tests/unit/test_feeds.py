"""The Atom feed: well-formed, with ids that never move, and of a retraction only that it was one."""

from __future__ import annotations

from typing import Any

import feedparser  # type: ignore[import-untyped]
import pytest

from newsroom.addresses import HOME, SITE_FEED
from newsroom.updates import ArticleUpdate, ChangeKind
from services.render.cards import card_of
from services.render.listingkinds import Listing
from services.render.pages import Pages
from tests.page_parts import SENTENCES, a_retraction, a_story, a_text, a_told
from tests.render_parts import SITE_URL, a_site

PAGES = Pages(a_site())


def feed_bytes(*updates: ArticleUpdate) -> bytes:
    cards = tuple(card for update in updates if (card := card_of(update)))
    return PAGES.listing(Listing(HOME, cards))[SITE_FEED]


def feed_of(*updates: ArticleUpdate) -> Any:
    feed = feedparser.parse(feed_bytes(*updates))
    assert not feed.bozo, feed.get("bozo_exception")
    return feed


def test_an_empty_feed_is_well_formed() -> None:
    feed = feed_of()
    assert feed.version == "atom10"
    assert feed.feed.title == "The Test"
    assert feed.entries == []


def test_the_feed_says_where_it_is_and_which_page_it_goes_with() -> None:
    links = {link.rel: link.href for link in feed_of().feed.links}
    assert links == {"self": f"{SITE_URL}/feed.atom", "alternate": f"{SITE_URL}/"}


def test_an_entry_has_address_times_people_and_the_excerpt_alone() -> None:
    story = a_story(None, a_told(2, ChangeKind.UPDATED, "More."))
    entry = feed_of(story).entries[0]
    assert entry.link == f"{SITE_URL}{story.path}"
    assert entry.title == "Hostages freed in Astana"
    assert (entry.published, entry.updated) == ("2023-06-20T04:40:00.000Z", "2023-06-20T04:50:00.000Z")
    assert [author.name for author in entry.authors] == ["Aigerim Bekova", "Tomas Lind"]
    assert [tag.term for tag in entry.tags] == ["Kazakhstan", "Astana", "Police"]
    assert entry.summary == " ".join(SENTENCES[: entry.summary.count("Sentence")])
    assert 0 < entry.summary.count("Sentence") <= 6


def test_ids_and_publication_stay_when_everything_else_moves() -> None:
    story = a_story()
    moved = a_story(
        a_text(headline="Another", section="World", slug="moved"), a_told(2, ChangeKind.UPDATED, "n")
    )
    before, after = feed_of(story).entries[0], feed_of(moved).entries[0]
    assert before.link != after.link
    assert (before.id, before.published) == (after.id, after.published)
    assert before.id.startswith("tag:site.test,")


def test_an_amendment_moves_nothing() -> None:
    assert feed_bytes(a_story()) == feed_bytes(a_story(None, a_told(2, ChangeKind.AMENDED)))


def test_a_retraction_stays_as_an_entry_without_a_word_of_the_text() -> None:
    story = a_story(a_text(headline="Calumny", tags=("Libel",), authors=("Mallory",)))
    retracted = a_retraction(story, "It was not so.")
    entry = feed_of(retracted).entries[0]
    assert entry.id == feed_of(story).entries[0].id
    assert (entry.title, entry.summary) == ("This article has been retracted", "It was not so.")
    content = feed_bytes(retracted).decode()
    assert not [word for word in ("Calumny", "Libel", "Mallory", *SENTENCES) if word in content]


@pytest.mark.parametrize("hostile", ["]]> & <b>bold</b> “quotes”", "\"'><entry>", "Астанада & ұсталды"])
def test_hostile_words_stay_words(hostile: str) -> None:
    story = a_story(
        a_text(headline=hostile, tags=(f"{hostile} tag",), authors=(f"{hostile} author",), slug="s")
    )
    feed = feed_of(story)
    assert len(feed.entries) == 1
    entry = feed.entries[0]
    assert entry.title_detail.type == "text/plain"
    assert entry.title == hostile
    assert entry.authors[0].name == f"{hostile} author"
    assert entry.tags[1].term == f"{hostile} tag"


def test_an_entry_in_another_language_says_so() -> None:
    content = feed_bytes(a_story(a_text(language="kk")), a_story(article_id="other")).decode()
    assert content.count('<entry xml:lang="kk">') == 1
    assert content.count("<entry>") == 1
