"""What crosses articles: cards for fronts and feeds, entries for the ledgers, and where an article is listed.

Sits between `newsroom.updates` and the read model: an update becomes a card, ledger entries and a set of
listing paths; the listings are later made from what the read model holds of all articles. Pure functions, no
clock. Of an article that is not public there is nothing, of a retracted one no word of its text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from newsroom.addresses import (
    CORRECTIONS_LEDGER,
    HOME,
    SITE_FEED,
    UPDATES_LEDGER,
    author_path,
    day_path,
    publication_day,
    section_path,
    tag_path,
)
from newsroom.articles import ArticleId, ArticleText, Contract
from newsroom.excerpts import excerpt
from newsroom.notices import NoticeKind, notice_kind
from newsroom.times import Moment
from newsroom.updates import ArticleUpdate, Change, ChangeKind, EntryUpdate, PublicArticle, Status
from services.render.posts import note_of, permalink, told_at, told_posts
from services.render.sitefile import Site

LIMIT = 60
DAY_LIMIT = 1_000
LEDGER_LIMIT = 200
OLDER_LIMIT = 31
"""The most entries of a front or feed, a day's archive, a ledger; the most days that a front links to."""


class Card(Contract):
    """An article as fronts and feeds show it: never more of the body than the excerpt.

    `revision` is the newest that readers were told of, `label` the latest such change (None: the publication
    alone), `note` its sentence.
    `live`: posts may still be added. A retracted article's card has neither headline nor text; it stays for
    the feeds.
    """

    article_id: ArticleId
    revision: int
    path: str
    headline: str = ""
    deck: str = ""
    excerpt: str = ""
    section: str = ""
    tags: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    language: str
    dateline_place: str | None = None
    timezone: str
    published_at: Moment
    updated_at: Moment
    bumped_at: Moment
    label: ChangeKind | None = None
    note: str | None = None
    breaking: bool = False
    live: bool = False
    retracted: bool = False


class LedgerEntry(Contract):
    """One notice as the ledgers show it: no `headline` after a retraction, no `note` for a publication.

    Of a live entry `path` leads to it.
    """

    article_id: ArticleId
    revision: int
    kind: NoticeKind
    note: str | None = None
    time: Moment
    path: str
    headline: str = ""
    language: str
    timezone: str

    @property
    def is_correction(self) -> bool:
        """Whether it belongs into the ledger of corrections too."""
        return self.kind in _CORRECTIONS

    @property
    def ledgers(self) -> tuple[str, ...]:
        """The paths of the ledgers that it stands in."""
        return (UPDATES_LEDGER, CORRECTIONS_LEDGER) if self.is_correction else (UPDATES_LEDGER,)


_CORRECTIONS = frozenset(
    {NoticeKind.CORRECTION, NoticeKind.CLARIFICATION, NoticeKind.EDITORS_NOTE, NoticeKind.RETRACTION}
)


class ListingKind(StrEnum):
    """What a listing is, told by its path alone."""

    HOME = "home"
    SECTION = "section"
    TAG = "tag"
    AUTHOR = "author"
    DAY = "day"
    UPDATES = "updates"
    CORRECTIONS = "corrections"
    FEED = "feed"

    @property
    def is_ledger(self) -> bool:
        return self in (ListingKind.UPDATES, ListingKind.CORRECTIONS)

    @property
    def limit(self) -> int:
        """How many entries such a listing holds at most."""
        if self is ListingKind.DAY:
            return DAY_LIMIT
        return LEDGER_LIMIT if self.is_ledger else LIMIT


_STANDING = {
    HOME: ListingKind.HOME,
    UPDATES_LEDGER: ListingKind.UPDATES,
    CORRECTIONS_LEDGER: ListingKind.CORRECTIONS,
    SITE_FEED: ListingKind.FEED,
}


def listing_kind(path: str) -> ListingKind:
    """What stands at a listing's path (the path must be one that `listings_of` gives)."""
    if path in _STANDING:
        return _STANDING[path]
    first, *rest = path.strip("/").split("/")
    if first.isdigit():
        return ListingKind.DAY
    if rest:
        return ListingKind.TAG if first == "tags" else ListingKind.AUTHOR
    return ListingKind.SECTION


@dataclass(frozen=True)
class Listing:
    """The current state of one listing, ready to be rendered.

    `cards` (fronts, archives, feeds) or `entries` (ledgers) stand newest first, ties by article id (then
    revision), at most `listing_kind(path).limit` of them. `older`: days that have an archive, newest first,
    as `publication_day` writes them (`2023/06/20`); the first `OLDER_LIMIT` of them are linked. A title is
    never given: it is read from the newest card.
    """

    path: str
    cards: tuple[Card, ...] = ()
    entries: tuple[LedgerEntry, ...] = ()
    older: tuple[str, ...] = ()

    @property
    def kind(self) -> ListingKind:
        return listing_kind(self.path)

    @property
    def is_empty(self) -> bool:
        return not self.cards and not self.entries


def standing_paths(site: Site) -> tuple[str, ...]:
    """Every listing that stands from the first start, even without entries."""
    return (*_STANDING, *(section_path(section) for section in site.sections))


def card_of(update: ArticleUpdate) -> Card | None:
    """The article's card, or None where the public may not see it."""
    public = _public(update)
    if public is None or update.path is None:
        return None
    label = _latest_told(public)
    return Card(
        article_id=update.article_id,
        revision=_told_up_to(public),
        path=update.path,
        language=public.language,
        dateline_place=public.dateline_place,
        timezone=public.timezone,
        published_at=public.published_at,
        updated_at=public.updated_at,
        bumped_at=public.bumped_at,
        label=label.kind if label else None,
        note=label.note if label else None,
        live=public.live is not None and public.live.closed_at is None,
        **_words_of(public.text),
    )


def _words_of(text: ArticleText | None) -> dict[str, object]:
    """The fields of a card that hold words of the article: none of them after a retraction."""
    if text is None:
        return {"retracted": True}
    return {
        "headline": text.headline,
        "deck": text.deck,
        "excerpt": excerpt(text.body),
        "section": text.section,
        "tags": text.tags,
        "authors": text.authors,
        "breaking": text.breaking,
    }


def ledger_of(update: ArticleUpdate, posts: Iterable[EntryUpdate] = ()) -> tuple[LedgerEntry, ...]:
    """Every notice of the article's public history, oldest first, then of its posts; nothing where the
    public may not see it.
    """
    public = _public(update)
    if public is None or update.path is None:
        return ()
    line = LedgerEntry(
        article_id=update.article_id,
        revision=0,
        kind=NoticeKind.PUBLISHED,
        time=public.published_at,
        path=update.path,
        headline=public.text.headline if public.text else "",
        language=public.language,
        timezone=public.timezone,
    )
    changes = tuple(
        line.model_copy(
            update={"revision": change.revision, "kind": kind, "note": change.note, "time": change.time}
        )
        for change in public.changes
        if (kind := notice_kind(change)) is not None
    )
    return changes + tuple(
        line.model_copy(
            update={
                "revision": post.revision,
                "kind": NoticeKind.LIVE_ENTRY,
                "note": note_of(entry),
                "time": told_at(entry),
                "path": permalink(update.path, post),
            }
        )
        for post, entry in told_posts(update, posts, 0)
    )


def listings_of(update: ArticleUpdate) -> frozenset[str]:
    """The path of every listing the article stands in: after a retraction only the feed and the ledgers."""
    public = _public(update)
    if public is None:
        return frozenset()
    ledgers = {ledger for entry in ledger_of(update) for ledger in entry.ledgers}
    if public.text is None:
        return frozenset({SITE_FEED, *ledgers})
    text = public.text
    return frozenset(
        {
            HOME,
            SITE_FEED,
            section_path(text.section),
            day_path(publication_day(public.published_at, public.timezone)),
            *(tag_path(tag) for tag in text.tags),
            *(author_path(author) for author in text.authors),
            *ledgers,
        }
    )


def _public(update: ArticleUpdate) -> PublicArticle | None:
    return update.public if update.status in (Status.PUBLIC, Status.RETRACTED) else None


def _told_up_to(public: PublicArticle) -> int:
    """The newest revision that readers were told of: an amendment is none, so that it moves no listing."""
    told = [change.revision for change in public.changes if change.kind.is_told]
    return max([*told, public.live.entry_revision if public.live else 0])


def _latest_told(public: PublicArticle) -> Change | None:
    """The newest change that readers were told of after the publication itself."""
    told = (change for change in reversed(public.changes) if change.kind.is_told)
    latest = next(told, None)
    return latest if latest is not None and latest.kind is not ChangeKind.PUBLISHED else None
