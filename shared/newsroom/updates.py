"""What the store announces: the public face of an article after each revision, on `newsroom.updates`
(compacted, by article; a live entry is a record of its own, by article and entry).

Of an article that is not public it says only why, its revision, and its paths if it once was: no word of its
text.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from newsroom.addresses import SitePath
from newsroom.articles import ArticleId, ArticleText, Contract, EntryId, EntryText, Number
from newsroom.envelope import Envelope, read_data, unwrap, wrap
from newsroom.errors import BadRecord
from newsroom.records import Message, Record
from newsroom.times import Moment
from newsroom.topics import UPDATES

SOURCE = "/newsroom/store"
TYPE = "newsroom.article.announced.v1"
ENTRY_TYPE = "newsroom.entry.announced.v1"
PageNumber = Annotated[int, Field(ge=0, le=100_000)]
"""Of the pages of a live article, which are counted through: all of its posts could not fill so many."""


class ChangeKind(StrEnum):
    """Kinds of public revisions, as history and pages name them."""

    PUBLISHED = "published"
    UPDATED = "updated"
    CORRECTION = "correction"
    CLARIFICATION = "clarification"
    EDITORS_NOTE = "editors_note"
    AMENDED = "amended"
    RETRACTED = "retracted"

    @property
    def is_correction(self) -> bool:
        return self in (ChangeKind.CORRECTION, ChangeKind.CLARIFICATION, ChangeKind.EDITORS_NOTE)

    @property
    def is_told(self) -> bool:
        """Whether readers are told: everything but an amendment, which stands in the history only."""
        return self is not ChangeKind.AMENDED


class Status(StrEnum):
    """Where an article stands before the public.

    `unpublished` was never public; `withdrawn` was and may be again.
    """

    UNPUBLISHED = "unpublished"
    PUBLIC = "public"
    WITHDRAWN = "withdrawn"
    RETRACTED = "retracted"


class Change(Contract):
    """One public revision in the history: no text, only what happened.

    `breaking` marks a publication flagged so. `text_revision`: the revision whose text the public saw with
    it, where that is another one (it was withheld, and a later text had taken its place when it was
    released).
    """

    revision: Number
    kind: ChangeKind
    time: Moment
    note: str | None = None
    breaking: bool = False
    text_revision: Number | None = None

    @property
    def text_at(self) -> int:
        """The revision that carries the text the public saw with this change."""
        return self.text_revision or self.revision


class LiveState(Contract):
    """What an article that is or was live says of its entries, which are records of their own.

    `entries`: how many there are, numbered from 1 in the order of their addition. `pages`: on how many pages
    of their own they stand. `pinned`: the entry that stands on top. `entry_revision` and `entry_at`: of the
    newest entry event (0 and None before the first). `closed_at`: when no more could be added.
    """

    entries: Number = 0
    pages: PageNumber = 0
    pinned: EntryId | None = None
    entry_revision: Number = 0
    entry_at: Moment | None = None
    closed_at: Moment | None = None


class PublicArticle(Contract):
    """What the public may see of an article.

    `revision`: the last *public* revision, which a later draft does not move and an entry does. `text` is
    None after a retraction, and then `section`, `language`, `dateline_place`, `timezone` and `filed_under`
    are all that remains. `filed_under`: paths of the listings of tags and authors in which the last public
    text stood; of a retracted article only, which stays in their feeds. `published_at` never moves;
    `updated_at` moves with what readers should know; `bumped_at` orders listings. `changes` are oldest first
    and begin anew at a publication after a withdrawal; after a retraction only the retraction is left. `live`
    is None of what never was live and after a retraction.
    """

    revision: Number
    text: ArticleText | None = None
    section: str
    language: str
    dateline_place: str | None = None
    timezone: str = "UTC"
    filed_under: tuple[SitePath, ...] = ()
    published_at: Moment
    updated_at: Moment
    bumped_at: Moment
    changes: tuple[Change, ...]
    live: LiveState | None = None


class ArticleUpdate(Contract):
    """The record itself.

    `revision` counts every effective event, drafts included; `path` is None if never public.
    """

    article_id: ArticleId
    revision: Number
    status: Status
    path: SitePath | None = None
    former_paths: tuple[SitePath, ...] = ()
    public: PublicArticle | None = None
    event_ids: tuple[str, ...] = ()
    """Events that this announcement follows from (empty in a re-announcement): for logs only."""


@dataclass(frozen=True)
class Announcement:
    """An update with what its headers say.

    `again` marks a re-announcement (rebuild): it brings no new notices.
    """

    update: ArticleUpdate
    time: datetime
    again: bool = False
    trace: str | None = None


class PublicEntry(Contract):
    """A live entry as the public may see it. `changed_at`: of the last change, None before the first."""

    text: EntryText
    added_at: Moment
    changed_at: Moment | None = None


class EntryUpdate(Contract):
    """The record of one live entry.

    `number` and `page` (from 1) never change. `revision`: the article's, with which the entry came to read
    so. `as_of`: the article's at this announcement; the record with the highest counts. `entry` is None
    while the article is not public or once it is retracted.
    """

    article_id: ArticleId
    entry_id: EntryId
    number: Number
    page: PageNumber
    revision: Number
    as_of: Number
    entry: PublicEntry | None = None


@dataclass(frozen=True)
class EntryAnnouncement:
    """An entry's record with what its headers say, as in `Announcement`. The article's own record follows."""

    update: EntryUpdate
    time: datetime
    again: bool = False
    trace: str | None = None


def entry_message(announcement: EntryAnnouncement, partition: int) -> Message:
    """The entry's record, keyed by article and entry, in the article's own partition (given)."""
    update = announcement.update
    key = f"{update.article_id}/{update.entry_id}"
    envelope = Envelope(
        id=f"{key}/{update.as_of}",
        type=ENTRY_TYPE,
        source=SOURCE,
        subject=update.article_id,
        time=announcement.time,
        trace=announcement.trace,
        extensions={"again": "1"} if announcement.again else {},
    )
    return replace(wrap(UPDATES, key, envelope, update), partition=partition)


def update_message(announcement: Announcement) -> Message:
    """The announcement as a record for `newsroom.updates`, keyed by its article."""
    update = announcement.update
    envelope = Envelope(
        id=f"{update.article_id}/{update.revision}",
        type=TYPE,
        source=SOURCE,
        subject=update.article_id,
        time=announcement.time,
        trace=announcement.trace,
        extensions={"again": "1"} if announcement.again else {},
    )
    return wrap(UPDATES, update.article_id, envelope, update)


def decode_update(record: Record) -> Announcement | EntryAnnouncement:
    """A record of `newsroom.updates` as an announcement. Raises: BadRecord with the reason."""
    envelope = unwrap(record)
    is_again = envelope.extensions.get("again") == "1"
    if envelope.type == ENTRY_TYPE:
        entry = read_data(record, EntryUpdate)
        if record.key != f"{entry.article_id}/{entry.entry_id}".encode():
            raise BadRecord("the record's key is not its entry: its order cannot be told")
        return EntryAnnouncement(entry, envelope.time, is_again, envelope.trace)
    if envelope.type != TYPE:
        raise BadRecord(
            f"type {envelope.type[:80]!r} is unknown to this version; known: {TYPE}, {ENTRY_TYPE}"
        )
    update = read_data(record, ArticleUpdate)
    if record.key != update.article_id.encode():
        raise BadRecord("the record's key is not its article: its order cannot be told")
    if (update.public is not None) != (update.status in (Status.PUBLIC, Status.RETRACTED)):
        raise BadRecord(
            f"status {update.status} does not go with {'a' if update.public else 'no'} public text"
        )
    return Announcement(update, envelope.time, is_again, envelope.trace)
