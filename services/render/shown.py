"""What each listing shows of an article: what moves it, and what leaves it as it is.

Between an article's card and the marks: a listing is written anew only where it shows something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from newsroom.addresses import CORRECTIONS_LEDGER, UPDATES_LEDGER
from services.render.cards import Card, LedgerEntry
from services.render.listingkinds import ListingKind, listing_kind

LEDGERS = (UPDATES_LEDGER, CORRECTIONS_LEDGER)
NOT_ARCHIVED = frozenset({"revision", "excerpt", "note", "updated_at", "bumped_at", "breaking", "live"})
"""What archives do not show of a card, so that the past keeps its bytes when an old story moves on."""


def shown(path: str, card: Card | None, ledger: tuple[LedgerEntry, ...]) -> object:
    """What the listing shows of an article that stands in it: nothing that an amendment of the body moves."""
    kind = listing_kind(path)
    if kind.is_ledger:
        return entries_in(path, ledger)
    if card is None or kind.is_front:
        return card
    if kind.is_archive:
        return archived(card.model_dump())
    if kind is ListingKind.TRANSLATIONS:
        return (address_shown(card), card.translation_of)
    if kind is ListingKind.SITEMAP_INDEX:
        return (card.month, card.updated_at, card.translation_of is None)
    return (card.path, card.updated_at)


def archived(card: Mapping[str, Any]) -> Card:
    """A stored card as archives get it, of which `NOT_ARCHIVED` may be missing."""
    first = {"revision": 0, "updated_at": card["published_at"], "bumped_at": card["published_at"]}
    return Card.model_validate(
        {**card, "excerpt": "", "note": None, "breaking": False, "live": False, **first}
    )


def entries_in(path: str, ledger: tuple[LedgerEntry, ...]) -> tuple[LedgerEntry, ...]:
    """The entries of an article that a ledger lists."""
    return tuple(entry for entry in ledger if path in entry.ledgers)


def address_shown(card: Card | None) -> tuple[str, str] | None:
    """What the translations of an article say of it: its path and language, nothing once it is retracted."""
    return None if card is None or card.retracted else (card.path, card.language)
