"""The ledgers of notices, as their template gets them: every notice a line, with what changed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from newsroom.notices import NoticeKind
from services.render.cards import LedgerEntry
from services.render.contexts.frame import Head, Words, kept, main_page, words_in
from services.render.contexts.graph import Crumb
from services.render.contexts.titles import description_of, head_of, title_of
from services.render.listingkinds import Listing, ListingKind
from services.render.looks.sitefile import Site
from services.render.words.dates import When
from services.render.words.wording import RETRACTED_ITEM, Label, Wording


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


def ledger_page(listing: Listing, site: Site, wording: Wording) -> LedgerPage:
    """A ledger of notices from its entries."""
    title = title_of(listing, site, wording)
    crumbs = (main_page(wording), Crumb(title, listing.path))
    entries = [_entry(entry, site, wording) for entry in listing.entries]
    return LedgerPage(
        head=head_of(listing, crumbs, site, wording),
        kind=listing.kind,
        path=listing.path,
        title=title,
        intro=description_of(listing, site, wording),
        crumbs=crumbs,
        days=tuple(
            EntryDay(day, tuple(lines)) for day, lines in groupby(entries, lambda entry: entry.when.day)
        ),
        zone=wording.zone_name(site.timezone),
    )


@kept
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
