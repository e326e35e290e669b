"""Archives, as their template gets them: what was first published on a day or in a month.

Nothing stands here that moves with an old story but its headline and what last became of it, so that the past
keeps its bytes: `shown` beside this holds to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from newsroom.addresses import HOME, day_path, month_of, month_path
from services.render.cards import Card
from services.render.contexts.frame import Head, Link, Words, main_page, section_link, words_in
from services.render.contexts.graph import Crumb
from services.render.contexts.titles import front_name, head_of, title_of
from services.render.listingkinds import Listing, ListingKind, listing_kind, month_in
from services.render.looks.sitefile import Site
from services.render.words.dates import When
from services.render.words.typography import set_line
from services.render.words.wording import Label, Wording

_KEPT = 2 * 1024
"""How many articles are remembered: those of a full day, and of some months."""


@dataclass(frozen=True, eq=False)
class ArchiveItem:
    """An article in an archive: `when` is its first publication, in the dateline's zone, and `day` that day
    as paths write it.

    Kept by its card, and compared by identity, so that its line is found without a look at its words.
    """

    day: str
    path: str
    headline: Words
    deck: str
    section: Link
    when: When
    label: Label | None


@dataclass(frozen=True)
class ArchiveDay:
    """The articles of one day. `path`: of the day's own archive, None where this is it or there is none."""

    title: str
    path: str | None
    items: tuple[ArchiveItem, ...]


@dataclass(frozen=True)
class ArchivePage:
    """The archive of a day or a month. `all_days`: of a month of the site, which may hold more than it shows.

    `has_sections`: whether its articles may be of several.
    """

    head: Head
    kind: ListingKind
    path: str
    title: str
    crumbs: tuple[Crumb, ...]
    days: tuple[ArchiveDay, ...]
    all_days: tuple[Link, ...]
    has_sections: bool


def archive_page(listing: Listing, site: Site, wording: Wording) -> ArchivePage:
    """An archive from its cards."""
    crumbs = _crumbs(listing, site, wording)
    return ArchivePage(
        head=head_of(listing, crumbs, site, wording),
        kind=listing.kind,
        path=listing.path,
        title=title_of(listing, site, wording),
        crumbs=crumbs,
        days=_days(listing, site, wording),
        all_days=tuple(Link(wording.day(day), day_path(day)) for day in listing.days),
        has_sections=listing_kind(listing.front) is not ListingKind.SECTION,
    )


def _crumbs(listing: Listing, site: Site, wording: Wording) -> tuple[Crumb, ...]:
    """From a day up to its month, from a month of a front up to that front."""
    if listing.kind is ListingKind.DAY:
        day = listing.path.strip("/")
        above = Crumb(wording.month(month_of(day)), month_path(month_of(day)))
        return (main_page(wording), above, Crumb(wording.day(day), listing.path))
    month = Crumb(wording.month(month_in(listing.path)), listing.path)
    if listing.front == HOME:
        return (main_page(wording), month)
    return (main_page(wording), Crumb(front_name(listing, site), listing.front), month)


def _days(listing: Listing, site: Site, wording: Wording) -> tuple[ArchiveDay, ...]:
    """By the day in the dateline's zone, which may part otherwise than the moments do."""
    has_deck = listing.kind is ListingKind.DAY
    items = [_item(card, has_deck, site, wording) for card in listing.cards]
    items.sort(key=_day_of, reverse=True)
    is_month_of_site = bool(listing.days)
    return tuple(
        ArchiveDay(wording.day(day), day_path(day) if is_month_of_site else None, tuple(group))
        for day, group in groupby(items, _day_of)
    )


def _day_of(item: ArchiveItem) -> str:
    return item.day


@lru_cache(maxsize=_KEPT)
def _item(card: Card, has_deck: bool, site: Site, wording: Wording) -> ArchiveItem:
    return ArchiveItem(
        day=card.day,
        path=card.path,
        headline=words_in(card.headline, card.language),
        deck=set_line(card.deck, card.language) if has_deck else "",
        section=section_link(card.section, site),
        when=wording.when(card.published_at, card.timezone),
        label=wording.card_label(card.label) if card.label else None,
    )
