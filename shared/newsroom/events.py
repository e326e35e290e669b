"""What editors did: the events on `newsroom.events`, the source of truth (DESIGN §4).

Types are versioned and only grow.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from newsroom.articles import ArticleId, ArticleText, Contract, Note
from newsroom.envelope import Envelope, read_data, unwrap, wrap
from newsroom.errors import BadRecord
from newsroom.ids import ARTICLE_ID, is_event_id
from newsroom.records import Message, Record
from newsroom.topics import EVENTS

SOURCE = "/newsroom/ingest"


class EventKind(StrEnum):
    """What an editor declared.

    Scheduling, embargoes and live entries will add `released`, `breaking_ended`, `entry_…`.
    """

    PUBLISHED = "published"
    UPDATED = "updated"
    CORRECTED = "corrected"
    AMENDED = "amended"
    RETRACTED = "retracted"
    WITHDRAWN = "withdrawn"
    DRAFTED = "drafted"

    @property
    def type(self) -> str:
        """The CloudEvents type: `newsroom.article.published.v1`."""
        return f"newsroom.article.{self.value}.v1"


CorrectionKind = Literal["correction", "clarification", "editors_note"]


class Published(Contract):
    """First publication, or again after a withdrawal.

    `create`: the sender means a new article, not one that stands.
    """

    article: ArticleText
    create: bool = False


class Drafted(Contract):
    """Saved, not public. `create` as in `Published`."""

    article: ArticleText
    create: bool = False


class Updated(Contract):
    """New facts in a developing story."""

    note: Note
    article: ArticleText


class Corrected(Contract):
    """A factual error mended; the note says what was wrong and what is right."""

    kind: CorrectionKind
    note: Note
    article: ArticleText


class Amended(Contract):
    """A typo or a matter of style: no note, nothing that readers see as updated."""

    article: ArticleText


class Retracted(Contract):
    """Killed, for good. Readers see the note where the text was."""

    note: Note


class Withdrawn(Contract):
    """Taken down; may come back. The note stays private."""

    note: Note


EventData = Published | Drafted | Updated | Corrected | Amended | Retracted | Withdrawn

DATA_MODELS: dict[EventKind, type[EventData]] = {
    EventKind.PUBLISHED: Published,
    EventKind.UPDATED: Updated,
    EventKind.CORRECTED: Corrected,
    EventKind.AMENDED: Amended,
    EventKind.RETRACTED: Retracted,
    EventKind.WITHDRAWN: Withdrawn,
    EventKind.DRAFTED: Drafted,
}
_BY_TYPE = {kind.type: kind for kind in EventKind}


@dataclass(frozen=True)
class Event:
    """One thing an editor did to one article.

    `actor` is the API key's name, `request_hash` the SHA-256 (hex) of the kind and the request body it came
    in, `expected_revision` what `If-Match` named (None: unconditional), `trace` the W3C `traceparent` that
    runs from the POST to the page.
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
    envelope = Envelope(
        event.id, event.kind.type, SOURCE, event.article_id, event.time, event.trace, extensions
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
