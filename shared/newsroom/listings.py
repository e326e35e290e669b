"""Which listings to write anew: the marks on `newsroom.listings`, keyed by the listing's path, so that each
has one owner.

A mark says only *that*, never *what*: the listing is always made from the current state.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from newsroom.addresses import SitePath
from newsroom.articles import Contract, Number
from newsroom.envelope import Envelope, read_data, unwrap, wrap
from newsroom.errors import BadRecord
from newsroom.records import Message, Record
from newsroom.topics import LISTINGS

SOURCE = "/newsroom/render"
TYPE = "newsroom.listing.marked.v1"
_HASTE = "haste"


class ListingMark(Contract):
    """Write the listing at `path` anew. `article_id` and `revision` are what moved in it."""

    path: SitePath
    article_id: str
    revision: Number


class Haste(StrEnum):
    """How soon a listing is to be written: where words stand that were taken from the public, where
    something is new, where all is only made again.
    """

    AT_ONCE = "at-once"
    SOON = "soon"
    AT_LEISURE = "at-leisure"


@dataclass(frozen=True)
class Marked:
    """A mark, when it was made, and the trace it belongs to."""

    mark: ListingMark
    time: datetime
    trace: str | None = None
    haste: Haste = Haste.SOON


def mark_message(mark: ListingMark, time: datetime, trace: str | None, haste: Haste = Haste.SOON) -> Message:
    """The mark as a record, keyed by the listing's path."""
    named = f"{mark.path} {mark.article_id}/{mark.revision}"
    told = {} if haste is Haste.SOON else {_HASTE: haste.value}
    return wrap(LISTINGS, mark.path, Envelope(named, TYPE, SOURCE, mark.path, time, trace, told), mark)


def haste_of(record: Record) -> Haste:
    """What a record of `newsroom.listings` says of it, whatever else it is; soon where it says nothing."""
    told = record.header(f"ce_{_HASTE}")
    return Haste(told) if told in list(Haste) else Haste.SOON


def decode_mark(record: Record) -> Marked:
    """A record of `newsroom.listings`. Raises: BadRecord with the reason."""
    envelope = unwrap(record)
    if envelope.type != TYPE:
        raise BadRecord(f"type {envelope.type[:80]!r} is unknown to this version; known: {TYPE}")
    return Marked(read_data(record, ListingMark), envelope.time, envelope.trace, haste_of(record))
