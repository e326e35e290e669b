"""What editors did: the events on `newsroom.events`, the source of truth (DESIGN §4).

Types are versioned and only grow.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from newsroom.articles import ArticleId, ArticleText, Contract, EntryId, EntryText, Note, Number
from newsroom.envelope import Envelope, read_data, unwrap, wrap
from newsroom.errors import BadRecord
from newsroom.ids import ARTICLE_ID, is_event_id
from newsroom.records import Message, Record
from newsroom.times import Moment
from newsroom.topics import EVENTS

SOURCE = "/newsroom/ingest"
SCHEDULER_SOURCE = "/newsroom/store/scheduler"
SCHEDULER = "scheduler"
"""The actor of due events: no API key may be called so."""


class EventKind(StrEnum):
    """What an editor declared; `released` and `breaking_ended` are written by the store's scheduler."""

    PUBLISHED = "published"
    UPDATED = "updated"
    CORRECTED = "corrected"
    AMENDED = "amended"
    RETRACTED = "retracted"
    WITHDRAWN = "withdrawn"
    DRAFTED = "drafted"
    ENTRY_ADDED = "entry_added"
    ENTRY_CHANGED = "entry_changed"
    RELEASED = "released"
    BREAKING_ENDED = "breaking_ended"

    @property
    def type(self) -> str:
        """The CloudEvents type: `newsroom.article.published.v1`."""
        return f"newsroom.article.{self.value}.v1"

    @property
    def is_due_event(self) -> bool:
        """Whether time alone brings it, and the scheduler writes it."""
        return self in (EventKind.RELEASED, EventKind.BREAKING_ENDED)


CorrectionKind = Literal["correction", "clarification", "editors_note"]


class Due(Contract):
    """What an editor says of a due time: it is `at`, or (without it) there is none any more."""

    at: Moment | None = None


class Dues(Contract):
    """The due times that an event sets or lifts; what is absent leaves what stands."""

    publish_at: Due | None = None
    embargo_until: Due | None = None
    breaking_until: Due | None = None


class Published(Contract):
    """First publication, or again after a withdrawal; withheld while a schedule or an embargo stands.

    `create`: the sender means a new article, not one that stands.
    """

    article: ArticleText
    dues: Dues = Dues()
    create: bool = False


class Drafted(Contract):
    """Saved, not public; changes neither schedule nor embargo. `create` as in `Published`."""

    article: ArticleText
    create: bool = False


class Updated(Contract):
    """New facts in a developing story."""

    note: Note
    article: ArticleText
    dues: Dues = Dues()


class Corrected(Contract):
    """A factual error mended; the note says what was wrong and what is right."""

    kind: CorrectionKind
    note: Note
    article: ArticleText
    dues: Dues = Dues()


class Amended(Contract):
    """A typo or a matter of style: no note, nothing that readers see as updated."""

    article: ArticleText
    dues: Dues = Dues()


class Retracted(Contract):
    """Killed, for good. Readers see the note where the text was."""

    note: Note


class Withdrawn(Contract):
    """Taken down; may come back. The note stays private."""

    note: Note


class EntryAdded(Contract):
    """A new post in a live article."""

    entry_id: EntryId
    entry: EntryText


class EntryChanged(Contract):
    """A post as it reads now. `If-Match` means the entry's own revision."""

    entry_id: EntryId
    entry: EntryText


class Released(Contract):
    """A schedule or an embargo fell due: what was withheld is public now.

    `set_by` is the revision that set the time `due_at`. Where another one stands, the event has no effect.
    """

    set_by: Number
    due_at: Moment


class BreakingEnded(Contract):
    """`breaking_until` fell due. Fields as in `Released`."""

    set_by: Number
    due_at: Moment


EventData = (
    Published
    | Drafted
    | Updated
    | Corrected
    | Amended
    | Retracted
    | Withdrawn
    | EntryAdded
    | EntryChanged
    | Released
    | BreakingEnded
)

DATA_MODELS: dict[EventKind, type[EventData]] = {
    EventKind.PUBLISHED: Published,
    EventKind.UPDATED: Updated,
    EventKind.CORRECTED: Corrected,
    EventKind.AMENDED: Amended,
    EventKind.RETRACTED: Retracted,
    EventKind.WITHDRAWN: Withdrawn,
    EventKind.DRAFTED: Drafted,
    EventKind.ENTRY_ADDED: EntryAdded,
    EventKind.ENTRY_CHANGED: EntryChanged,
    EventKind.RELEASED: Released,
    EventKind.BREAKING_ENDED: BreakingEnded,
}
_BY_TYPE = {kind.type: kind for kind in EventKind}


@dataclass(frozen=True)
class Event:
    """One thing an editor (or the clock) did to one article.

    `actor` is the API key's name (`scheduler` of a due event), `request_hash` the SHA-256 (hex) of the kind
    and the request body it came in, `expected_revision` what `If-Match` named (None: unconditional), `trace`
    the W3C `traceparent` that runs from the POST to the page.
    """

    id: str
    kind: EventKind
    article_id: ArticleId
    time: datetime
    data: EventData
    actor: str
    request_hash: str
    expected_revision: int | None = None
    trace: str | None = None


def event_message(event: Event) -> Message:
    """The event as a record for `newsroom.events`, keyed by its article."""
    extensions = {"actor": event.actor, "requesthash": event.request_hash}
    if event.expected_revision is not None:
        extensions["ifmatch"] = str(event.expected_revision)
    source = SCHEDULER_SOURCE if event.kind.is_due_event else SOURCE
    envelope = Envelope(
        event.id, event.kind.type, source, event.article_id, event.time, event.trace, extensions
    )
    return wrap(EVENTS, event.article_id, envelope, event.data)


def decode_event(record: Record) -> Event:
    """A record of `newsroom.events` as an event. Raises: BadRecord with the reason."""
    envelope = unwrap(record)
    kind = _BY_TYPE.get(envelope.type)
    if kind is None:
        raise BadRecord(
            f"type {envelope.type[:80]!r} is unknown to this version; known: {', '.join(_BY_TYPE)}"
        )
    if not is_event_id(envelope.id):
        raise BadRecord(
            f"id {envelope.id[:80]!r} has not the form of an event id of ours (evt_ and 26 characters)"
        )
    if not ARTICLE_ID.fullmatch(envelope.subject):
        raise BadRecord(f"subject {envelope.subject[:80]!r} is no article id")
    if record.key != envelope.subject.encode():
        raise BadRecord("the record's key is not its subject: its order in the article cannot be told")
    return Event(
        id=envelope.id,
        kind=kind,
        article_id=envelope.subject,
        time=envelope.time,
        data=read_data(record, DATA_MODELS[kind]),
        actor=envelope.extensions.get("actor", ""),
        request_hash=envelope.extensions.get("requesthash", ""),
        expected_revision=_revision(envelope.extensions.get("ifmatch")),
        trace=envelope.trace,
    )


def _revision(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise BadRecord(f"header ce_ifmatch is {text[:20]!r}, which is no revision")
    return int(text)
