"""The site's Atom feed (RFC 4287) as its template gets it.

Of a body it holds the excerpt, of a retraction the note alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from newsroom.addresses import FEEDS, HOME
from newsroom.times import rfc3339
from services.render.cards import Card
from services.render.listingkinds import Listing
from services.render.sitefile import Site
from services.render.wording import RETRACTED_TITLE, Wording

_BEFORE_ANYTHING = "1970-01-01T00:00:00.000Z"


@dataclass(frozen=True)
class FeedEntry:
    """One article. `id` and `published` never move, `updated` moves with what readers should know."""

    id: str
    title: str
    url: str
    published: str
    updated: str
    summary: str
    language: str
    authors: tuple[str, ...]
    categories: tuple[str, ...]


@dataclass(frozen=True)
class Feed:
    """The whole feed. `updated` is that of its newest entry."""

    id: str
    url: str
    updated: str
    entries: tuple[FeedEntry, ...]


def feed_of(listing: Listing, site: Site, wording: Wording) -> Feed:
    """The feed from its cards, in their order."""
    return Feed(
        id=f"{site.feed_authority}feed" + ("" if listing.path == HOME else listing.path),
        url=site.absolute(listing.path + FEEDS[0]),
        updated=max((rfc3339(card.updated_at) for card in listing.cards), default=_BEFORE_ANYTHING),
        entries=tuple(_entry(card, site, wording) for card in listing.cards),
    )


def _entry(card: Card, site: Site, wording: Wording) -> FeedEntry:
    return FeedEntry(
        id=f"{site.feed_authority}article/{card.article_id}",
        title=wording.text(RETRACTED_TITLE) if card.retracted else card.headline,
        url=site.absolute(card.path),
        published=rfc3339(card.published_at),
        updated=rfc3339(card.updated_at),
        summary=(card.note or "") if card.retracted else (card.excerpt or card.deck),
        language=card.language,
        authors=card.authors,
        categories=tuple(dict.fromkeys(name for name in (card.section, *card.tags) if name)),
    )
