"""Which listings to write anew: the marks on `newsroom.listings`, keyed by the listing's path, so that each
has one owner.

A mark says only *that*, never *what*: the listing is always made from the current state.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from newsroom.addresses import SitePath
from newsroom.articles import Contract, Number
from newsroom.envelope import Envelope, read_data, unwrap, wrap
from newsroom.errors import BadRecord
from newsroom.records import Message, Record
from newsroom.topics import LISTINGS

SOURCE = "/newsroom/render"
TYPE = "newsroom.listing.marked.v1"


class ListingMark(Contract):
    """Write the listing at `path` anew. `article_id` and `revision` are what moved in it."""

    path: SitePath
    article_id: str
    revision: Number


@dataclass(frozen=True)
class Marked:
    """A mark with the trace it belongs to."""

    mark: ListingMark
    trace: str | None = None


def mark_message(mark: ListingMark, time: datetime, trace: str | None) -> Message:
    """The mark as a record, keyed by the listing's path."""
    envelope = Envelope(
        f"{mark.path} {mark.article_id}/{mark.revision}", TYPE, SOURCE, mark.path, time, trace
    )
    return wrap(LISTINGS, mark.path, envelope, mark)


def decode_mark(record: Record) -> Marked:
    """A record of `newsroom.listings`. Raises: BadRecord with the reason."""
    envelope = unwrap(record)
    if envelope.type != TYPE:
        raise BadRecord(f"type {envelope.type[:80]!r} is unknown to this version; known: {TYPE}")
    return Marked(read_data(record, ListingMark), envelope.trace)
