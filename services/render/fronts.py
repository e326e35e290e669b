"""What crosses articles, as templates get it: fronts and archives from cards, ledgers from entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from newsroom.addresses import (
    day_path,
    month_path,
)
from newsroom.notices import NoticeKind
from services.render.cards import Card, LedgerEntry
from services.render.contexts import Head, Link, Words, feed_links, main_page, section_link, words_in
from services.render.dates import When
from services.render.graph import Crumb, front_graph, listing_graph
from services.render.listingkinds import Listing, ListingKind
from services.render.sitefile import Site
from services.render.titles import description_of, title_of, whole_title
from services.render.typography import set_line
from services.render.wording import RETRACTED_ITEM, Label, Wording


@dataclass(frozen=True)
class Item:
    """An article on a front: `when` is its publication or its latest bump, whichever orders the list."""

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


@dataclass(frozen=True)
class Day:
    """The items of one day of a list."""

    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class ListingPage:
    """A front or an archive. `breaking` is the strip above the lead, None where the lead itself is it."""

    head: Head
    kind: ListingKind
    path: str
    title: str
    crumbs: tuple[Crumb, ...]
    breaking: Item | None
    lead: Item | None
    days: tuple[Day, ...]
    archives: tuple[Link, ...]
    zone: str


@dataclass(frozen=True)
class Entry:
    """A line of a ledger. `change`: where the change stands in the history, None of a live entry."""

    article_id: str
    revision: int
    path: str
    headline: Words
    label: Label
    when: When
    note: Words | None
    change: str | None


@dataclass(frozen=True)
class EntryDay:
    """The lines of one day of a ledger."""

    title: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class LedgerPage:
    """A ledger of notices."""

    head: Head
    kind: ListingKind
    path: str
    title: str
    intro: str
    crumbs: tuple[Crumb, ...]
    days: tuple[EntryDay, ...]
    zone: str


def listing_page(listing: Listing, site: Site, wording: Wording) -> ListingPage:
    """A front or an archive from its cards."""
    cards = [card for card in listing.cards if not card.retracted]
    strip = (
        next((card for card in cards if card.breaking), None) if listing.kind is ListingKind.HOME else None
    )
    lead = cards[0] if cards else None
    title = title_of(listing, site, wording)
    crumbs = () if listing.kind is ListingKind.HOME else (main_page(wording), Crumb(title, listing.path))
    return ListingPage(
        head=_head(listing, crumbs, site, wording),
        kind=listing.kind,
        path=listing.path,
        title=title,
        crumbs=crumbs,
        breaking=_item(strip, listing.kind, site, wording) if strip and strip is not lead else None,
        lead=_item(lead, listing.kind, site, wording) if lead else None,
        days=_days(cards[1:], listing.kind, site, wording),
        archives=_archives(listing, wording),
        zone=site.timezone,
    )


def ledger_page(listing: Listing, site: Site, wording: Wording) -> LedgerPage:
    """A ledger of notices from its entries."""
    title = title_of(listing, site, wording)
    crumbs = (main_page(wording), Crumb(title, listing.path))
    entries = [_entry(entry, site, wording) for entry in listing.entries]
    return LedgerPage(
        head=_head(listing, crumbs, site, wording),
        kind=listing.kind,
        path=listing.path,
        title=title,
        intro=description_of(listing, site, wording),
        crumbs=crumbs,
        days=tuple(
            EntryDay(day, tuple(lines)) for day, lines in groupby(entries, lambda entry: entry.when.day)
        ),
        zone=site.timezone,
    )


def _item(card: Card, kind: ListingKind, site: Site, wording: Wording) -> Item:
    is_archive = kind.is_archive
    return Item(
        article_id=card.article_id,
        revision=card.revision,
        path=card.path,
        headline=words_in(card.headline, card.language),
        deck=set_line(card.deck, card.language),
        excerpt=card.excerpt,
        section=section_link(card.section, site),
        place=card.dateline_place,
        when=wording.when(card.published_at, card.timezone)
        if is_archive
        else wording.when(card.bumped_at, site.timezone),
        label=wording.card_label(card.label) if card.label else None,
        note=set_line(card.note, card.language) if card.note else None,
        is_breaking=card.breaking,
        is_live=card.live,
    )


def _days(cards: Sequence[Card], kind: ListingKind, site: Site, wording: Wording) -> tuple[Day, ...]:
    items = [_item(card, kind, site, wording) for card in cards]
    return tuple(Day(day, tuple(group)) for day, group in groupby(items, lambda item: item.when.day))


def _archives(listing: Listing, wording: Wording) -> tuple[Link, ...]:
    """Links to the months of a front, and of a month of the site to its days."""
    months = [Link(wording.month(month), month_path(month, listing.front)) for month in listing.months]
    return (*months, *(Link(wording.day(day), day_path(day)) for day in listing.days))


def _head(listing: Listing, crumbs: tuple[Crumb, ...], site: Site, wording: Wording) -> Head:
    is_home = listing.kind is ListingKind.HOME
    title = whole_title(listing, site, wording)
    return Head(
        title=title_of(listing, site, wording),
        description=description_of(listing, site, wording),
        canonical=site.absolute(listing.path),
        graph=front_graph(site) if is_home else listing_graph(site, listing.path, crumbs),
        feeds=feed_links(listing.path, title) if listing.kind.has_feeds else (),
    )


def _entry(entry: LedgerEntry, site: Site, wording: Wording) -> Entry:
    is_gone = entry.kind is NoticeKind.RETRACTION
    return Entry(
        article_id=entry.article_id,
        revision=entry.revision,
        path=entry.path,
        headline=words_in(wording.text(RETRACTED_ITEM), wording.language)
        if is_gone
        else words_in(entry.headline, entry.language),
        label=wording.notice_label(entry.kind),
        when=wording.when(entry.time, site.timezone),
        note=words_in(entry.note, entry.language) if entry.note else None,
        change=None
        if entry.kind is NoticeKind.LIVE_ENTRY
        else f"{entry.path}history/#revision-{entry.revision}",
    )
