"""What readers are told: the records on `newsroom.notices`, in one order for the whole site (one
partition).

A notice's offset there is its place in the live stream. A `withdrawn` record says nothing to readers: it
takes the article's earlier notices out of the stream and sends `reset` to its open pages.
"""

from __future__ import annotations

from enum import StrEnum

from newsroom.articles import ArticleId, Contract, EntryId, Number
from newsroom.envelope import Envelope, read_data, unwrap, wrap
from newsroom.errors import BadRecord
from newsroom.records import Message, Record
from newsroom.times import Moment
from newsroom.topics import NOTICES
from newsroom.updates import Change, ChangeKind

SOURCE = "/newsroom/render"
TYPE = "newsroom.notice.v1"
RETRACTED_HEADLINE = "Article retracted"
"""In place of the headline in the notice of a retraction."""


class NoticeKind(StrEnum):
    """As the live stream, pages and ledgers name them (READERS, "Update notices")."""

    BREAKING = "breaking"
    PUBLISHED = "published"
    UPDATE = "update"
    CORRECTION = "correction"
    CLARIFICATION = "clarification"
    EDITORS_NOTE = "editors_note"
    RETRACTION = "retraction"
    LIVE_ENTRY = "live_entry"
    WITHDRAWN = "withdrawn"


_FROM_CHANGE = {
    ChangeKind.UPDATED: NoticeKind.UPDATE,
    ChangeKind.CORRECTION: NoticeKind.CORRECTION,
    ChangeKind.CLARIFICATION: NoticeKind.CLARIFICATION,
    ChangeKind.EDITORS_NOTE: NoticeKind.EDITORS_NOTE,
    ChangeKind.RETRACTED: NoticeKind.RETRACTION,
}


def notice_kind(change: Change) -> NoticeKind | None:
    """How a change of the history is told, or None where it is not (an amendment)."""
    if change.kind is ChangeKind.PUBLISHED:
        return NoticeKind.BREAKING if change.breaking else NoticeKind.PUBLISHED
    return _FROM_CHANGE.get(change.kind)


class Notice(Contract):
    """One notice.

    `headline` and `path` are of the public revision it was told with; `note` is None for a publication. Of a
    live entry `headline` is the article's, `note` the entry's own headline (or the beginning of its text, by
    the reuse rule), and `path` leads to the entry.
    """

    article_id: ArticleId
    revision: Number
    kind: NoticeKind
    note: str | None = None
    time: Moment
    path: str
    headline: str
    entry_id: EntryId | None = None


def notice_message(notice: Notice, trace: str | None) -> Message:
    """The notice as a record for `newsroom.notices`.

    Its id is article and revision, so a repeat can be told.
    """
    envelope = Envelope(
        f"{notice.article_id}/{notice.revision}", TYPE, SOURCE, notice.article_id, notice.time, trace
    )
    return wrap(NOTICES, notice.article_id, envelope, notice)


def decode_notice(record: Record) -> Notice:
    """A record of `newsroom.notices`. Raises: BadRecord with the reason."""
    envelope = unwrap(record)
    if envelope.type != TYPE:
        raise BadRecord(f"type {envelope.type[:80]!r} is unknown to this version; known: {TYPE}")
    return read_data(record, Notice)
