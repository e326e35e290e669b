"""What a listing is, told by its path alone, and the state that it is drawn from.

Between the read model, which holds the state of all articles, and the pages, which draw a listing's files:
its page, its feeds, or a sitemap.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from newsroom.addresses import (
    CORRECTIONS_LEDGER,
    FEEDS,
    HOME,
    PAGES_SITEMAP,
    SITEMAP_INDEX,
    TRANSLATIONS_SITEMAP,
    UPDATES_LEDGER,
    month_path,
    section_path,
)
from services.render.cards import Card, LedgerEntry
from services.render.looks.sitefile import Site

INDEX = "index.html"
LIMIT = 60
DAY_LIMIT = 1_000
MONTH_LIMIT = 300
LEDGER_LIMIT = 200
SITEMAP_LIMIT = 50_000
TRANSLATIONS_LIMIT = 5_000
"""The most entries of a front and its feeds, of the archives of a day and of a month, of a ledger, of a
sitemap (the protocol's own limit) and of the sitemap of translations.
"""


class ListingKind(StrEnum):
    """What a listing is."""

    HOME = "home"
    SECTION = "section"
    TAG = "tag"
    AUTHOR = "author"
    DAY = "day"
    MONTH = "month"
    UPDATES = "updates"
    CORRECTIONS = "corrections"
    SITEMAP_INDEX = "sitemap-index"
    SITEMAP_PAGES = "sitemap-pages"
    SITEMAP = "sitemap"
    TRANSLATIONS = "translations"

    @property
    def is_front(self) -> bool:
        """Whether it shows what is newest, and has archives by month."""
        return self in (ListingKind.HOME, ListingKind.SECTION, ListingKind.TAG, ListingKind.AUTHOR)

    @property
    def is_archive(self) -> bool:
        """Whether it shows what was first published on a day or in a month."""
        return self in (ListingKind.DAY, ListingKind.MONTH)

    @property
    def is_ledger(self) -> bool:
        """Whether it shows notices."""
        return self in (ListingKind.UPDATES, ListingKind.CORRECTIONS)

    @property
    def has_feeds(self) -> bool:
        """Whether feeds tell what moves in it."""
        return self.is_front or self.is_ledger

    @property
    def is_sitemap(self) -> bool:
        """Whether it is one file for search engines, and no page."""
        return not (self.is_front or self.is_archive or self.is_ledger)

    @property
    def limit(self) -> int:
        """How many entries such a listing holds at most."""
        return _LIMITS.get(self, LEDGER_LIMIT if self.is_ledger else LIMIT)


_LIMITS = {
    ListingKind.DAY: DAY_LIMIT,
    ListingKind.MONTH: MONTH_LIMIT,
    ListingKind.SITEMAP: SITEMAP_LIMIT,
    ListingKind.TRANSLATIONS: TRANSLATIONS_LIMIT,
}
_NAMED = {
    HOME: ListingKind.HOME,
    UPDATES_LEDGER: ListingKind.UPDATES,
    CORRECTIONS_LEDGER: ListingKind.CORRECTIONS,
    SITEMAP_INDEX: ListingKind.SITEMAP_INDEX,
    PAGES_SITEMAP: ListingKind.SITEMAP_PAGES,
    TRANSLATIONS_SITEMAP: ListingKind.TRANSLATIONS,
}
_STANDING = (HOME, UPDATES_LEDGER, CORRECTIONS_LEDGER, SITEMAP_INDEX, PAGES_SITEMAP)
_BY_NAME = {"tags": ListingKind.TAG, "authors": ListingKind.AUTHOR}


def listing_kind(path: str) -> ListingKind:
    """What stands at a listing's path (the path must be one that `listings_of` gives)."""
    if path in _NAMED:
        return _NAMED[path]
    first, *rest = path.strip("/").split("/")
    if first == "sitemaps":
        return ListingKind.SITEMAP
    if first.isdigit():
        return ListingKind.MONTH if len(rest) == 1 else ListingKind.DAY
    if first in _BY_NAME:
        return _BY_NAME[first] if len(rest) == 1 else ListingKind.MONTH
    return ListingKind.MONTH if rest else ListingKind.SECTION


@dataclass(frozen=True)
class Place:
    """An article's page as sitemaps tell of it.

    `changed_at`: when it changed last for readers; None among the translations, which do not tell it.
    """

    path: str
    changed_at: datetime | None
    language: str
    article_id: str
    translation_of: str | None = None


@dataclass(frozen=True)
class Part:
    """A sitemap as the index tells of it. `changed_at`: of its latest page, None where it is not told."""

    path: str
    changed_at: datetime | None = None


@dataclass(frozen=True)
class Listing:
    """The current state of one listing, ready to be rendered, at most `kind.limit` entries of it.

    `cards` of fronts stand in the order of their last bump, those of archives by first publication, newest
    first, ties by article id; a retracted one is for the feeds alone. `entries` (ledgers) stand newest first,
    ties by article id, then revision.
    `months` (`2023/06`): every month of a front's archive; `days` (`2023/06/20`): every day of a month of the
    site, newest first. `places`: the pages of a sitemap, newest publication first; of the translations, these
    and their originals. `parts`: the sitemaps that stand, for the index.
    A title is never given: it is read from the newest card.
    """

    path: str
    cards: tuple[Card, ...] = ()
    entries: tuple[LedgerEntry, ...] = ()
    months: tuple[str, ...] = ()
    days: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    parts: tuple[Part, ...] = ()

    @property
    def kind(self) -> ListingKind:
        return listing_kind(self.path)

    @property
    def front(self) -> str:
        """The path of the front that an archive is of, which of a day is the site's; a front's own."""
        if self.kind is ListingKind.MONTH:
            return self.path.removesuffix(month_path(month_in(self.path), "")) or HOME
        return HOME if self.kind is ListingKind.DAY else self.path

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all stands in it."""
        return not (self.cards or self.entries or self.places or self.parts)

    @property
    def is_for_feeds_alone(self) -> bool:
        """Whether nothing but retracted articles is left in it."""
        return not self.entries and all(card.retracted for card in self.cards)


def month_in(path: str) -> str:
    """The month that the path of an archive ends in: `/kazakhstan/2023/06/` → `2023/06`."""
    return "/".join(path.strip("/").split("/")[-2:])


def listing_of(file: str) -> str:
    """The listing whose file stands there, if any's: its page and its feeds stand in its folder."""
    folder, _, name = file.rpartition("/")
    return f"{folder}/" if name == INDEX or name in FEEDS else file


def standing_paths(site: Site) -> tuple[str, ...]:
    """Every listing that stands from the first start, even without entries."""
    return (*_STANDING, *(section_path(section) for section in site.sections))
