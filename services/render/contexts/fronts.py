"""Fronts, as their template gets them: what is newest of the site, a section, a tag or an author.

A front leads to all months of its archive, which `archivepages` beside this makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from newsroom.addresses import month_path
from services.render.cards import LONG, Card
from services.render.contexts.frame import Head, Link, Words, kept, main_page, section_link, words_in
from services.render.contexts.graph import Crumb
from services.render.contexts.titles import head_of, title_of
from services.render.listingkinds import Listing, ListingKind
from services.render.looks.sitefile import Site
from services.render.words.dates import When
from services.render.words.typography import set_line
from services.render.words.wording import Label, Wording


@dataclass(frozen=True)
class Item:
    """An article on a front: `when` is its latest bump, in the site's zone, which orders the list."""

    article_id: str
    revision: int
    path: str
    headline: Words
    deck: str
    excerpt: str
    section: Link
    place: str | None
    when: When
    label: Label | None
    note: str | None
    is_breaking: bool
    is_live: bool

    @property
    def is_long(self) -> bool:
        """Whether its excerpt has very many words."""
        return len(self.excerpt) > LONG


@dataclass(frozen=True)
class Day:
    """The items of one day of a list."""

    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Year:
    """The months of one year of an archive, newest first."""

    title: str
    months: tuple[Link, ...]


@dataclass(frozen=True)
class FrontPage:
    """A front. `breaking` is the strip above the lead, None where the lead itself is it."""

    head: Head
    kind: ListingKind
    path: str
    title: str
    crumbs: tuple[Crumb, ...]
    breaking: Item | None
    lead: Item | None
    days: tuple[Day, ...]
    archive: tuple[Year, ...]
    zone: str


def front_page(listing: Listing, site: Site, wording: Wording) -> FrontPage:
    """A front from its cards; a retracted one is for the feeds alone."""
    items = [_item(card, site, wording) for card in listing.cards if not card.retracted]
    is_home = listing.kind is ListingKind.HOME
    strip = next((item for item in items if item.is_breaking), None) if is_home else None
    lead = items[0] if items else None
    title = title_of(listing, site, wording)
    crumbs = () if is_home else (main_page(wording), Crumb(title, listing.path))
    return FrontPage(
        head=head_of(listing, crumbs, site, wording),
        kind=listing.kind,
        path=listing.path,
        title=title,
        crumbs=crumbs,
        breaking=strip if strip is not lead else None,
        lead=lead,
        days=_days(items[1:]),
        archive=_archive(listing, wording),
        zone=wording.zone_name(site.timezone),
    )


@kept
def _item(card: Card, site: Site, wording: Wording) -> Item:
    return Item(
        article_id=card.article_id,
        revision=card.revision,
        path=card.path,
        headline=words_in(card.headline, card.language),
        deck=set_line(card.deck, card.language),
        excerpt=card.excerpt,
        section=section_link(card.section, site),
        place=card.dateline_place,
        when=wording.when(card.bumped_at, site.timezone),
        label=wording.card_label(card.label) if card.label else None,
        note=set_line(card.note, card.language) if card.note else None,
        is_breaking=card.breaking,
        is_live=card.live,
    )


def _days(items: Sequence[Item]) -> tuple[Day, ...]:
    return tuple(Day(day, tuple(group)) for day, group in groupby(items, lambda item: item.when.day))


def _archive(listing: Listing, wording: Wording) -> tuple[Year, ...]:
    links = [(month, Link(wording.month(month), month_path(month, listing.path))) for month in listing.months]
    return tuple(
        Year(year, tuple(link for _, link in group))
        for year, group in groupby(links, lambda each: each[0].partition("/")[0])
    )
