"""What the feeds of a listing say, in whichever format: Atom (RFC 4287), RSS 2.0, JSON Feed 1.1.

Of a body they hold the excerpt, of a retraction the note alone. The feeds of the ledgers hold the notices.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from newsroom.addresses import FEEDS, HOME
from newsroom.notices import NoticeKind
from newsroom.times import rfc3339
from newsroom.updates import ChangeKind
from services.render.cards import LONG, Card, LedgerEntry
from services.render.contexts.frame import kept
from services.render.contexts.titles import description_of, whole_title
from services.render.listingkinds import Listing
from services.render.looks.sitefile import Site
from services.render.words.wording import RETRACTED_ITEM, RETRACTED_TITLE, Wording

ATOM, RSS, JSON = FEEDS
_BEFORE_ANYTHING = "1970-01-01T00:00:00.000Z"


@dataclass(frozen=True)
class Moment:
    """A time in the two ways that feeds write it."""

    rfc3339: str
    rfc822: str


@dataclass(frozen=True)
class FeedEntry:
    """One article or notice. `id` and `published` never move, `updated` with what readers should know.

    `notice`: what it tells, in the words of the live stream; None of an article.
    """

    id: str
    title: str
    title_language: str
    url: str
    published: Moment
    updated: Moment
    summary: str
    language: str
    authors: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    notice: LedgerEntry | None = None

    @property
    def is_long(self) -> bool:
        """Whether its summary has very many words."""
        return len(self.summary) > LONG


@dataclass(frozen=True)
class Feed:
    """A listing as its feeds tell it. `updated` is that of the entry that moved last."""

    id: str
    path: str
    title: str
    subtitle: str
    language: str
    rights: str
    updated: str
    entries: tuple[FeedEntry, ...]


def feed_of(listing: Listing, site: Site, wording: Wording) -> Feed:
    """The feed from the listing's cards or entries, in their order."""
    entries = (
        *(_article(card, site, wording) for card in listing.cards),
        *(_notice(entry, site, wording) for entry in listing.entries),
    )
    return Feed(
        id=f"{site.feed_authority}feed{'' if listing.path == HOME else listing.path}",
        path=listing.path,
        title=whole_title(listing, site, wording),
        subtitle=description_of(listing, site, wording),
        language=wording.language,
        rights=f"© {site.publisher.name}. {site.policies.reuse}",
        updated=max((entry.updated.rfc3339 for entry in entries), default=_BEFORE_ANYTHING),
        entries=entries,
    )


@kept
def _article(card: Card, site: Site, wording: Wording) -> FeedEntry:
    is_gone = card.retracted
    return FeedEntry(
        id=f"{site.feed_authority}article/{card.article_id}",
        title=wording.text(RETRACTED_TITLE) if is_gone else card.headline,
        title_language=wording.language if is_gone else card.language,
        url=site.absolute(card.path),
        published=_moment(card.published_at),
        updated=_moment(card.updated_at),
        summary=(card.note or "") if is_gone else (card.excerpt or card.deck),
        language=card.language,
        authors=card.authors,
        categories=tuple(dict.fromkeys(name for name in (card.section, *card.tags) if name)),
    )


@kept
def _notice(entry: LedgerEntry, site: Site, wording: Wording) -> FeedEntry:
    is_gone = entry.kind is NoticeKind.RETRACTION
    label = wording.notice_label(entry.kind).text
    time = _moment(entry.time)
    return FeedEntry(
        id=f"{site.feed_authority}article/{entry.article_id}/revision/{entry.revision}",
        title=f"{label}: {wording.text(RETRACTED_ITEM) if is_gone else entry.headline}",
        title_language=wording.language if is_gone else entry.language,
        url=site.absolute(entry.path),
        published=time,
        updated=time,
        summary=entry.note or wording.untold_note(ChangeKind.PUBLISHED),
        language=entry.language if entry.note else wording.language,
        categories=(label,),
        notice=entry,
    )


def _moment(time: datetime) -> Moment:
    return Moment(rfc3339(time), format_datetime(time, usegmt=True))
