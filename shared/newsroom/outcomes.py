"""What became of each event, on `newsroom.outcomes`: the one line that runs back. It carries no articles.

Two kinds of record: an `EventOutcome` per event (stored, rejected or dead-lettered) from the store, and a
`Rendering` per article from render (up to which revision what the public may see is what the public does
see).
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from newsroom.articles import ArticleId, Contract, Number
from newsroom.envelope import Envelope, read_data, unwrap, wrap
from newsroom.errors import BadRecord
from newsroom.records import Message, Record
from newsroom.times import Moment
from newsroom.topics import OUTCOMES

EVENT_TYPE = "newsroom.outcome.event.v1"
RENDERING_TYPE = "newsroom.outcome.rendering.v1"


class EventState(StrEnum):
    """States of an event in the only order they can come: accepted, then one of the others; stored may
    become rendered.
    """

    ACCEPTED = "accepted"
    STORED = "stored"
    RENDERED = "rendered"
    REJECTED = "rejected"
    DEAD_LETTERED = "dead_lettered"


class RejectionCode(StrEnum):
    """Why the log's order forbade an event.

    Each has one sentence for people beside it in `Rejection.detail`.
    """

    UNKNOWN_ARTICLE = "unknown_article"
    ARTICLE_EXISTS = "article_exists"
    ALREADY_PUBLIC = "already_public"
    NOT_PUBLIC = "not_public"
    RETRACTED = "retracted"
    REVISION_MISMATCH = "revision_mismatch"
    INVALID = "invalid"
    UNKNOWN_ENTRY = "unknown_entry"
    ENTRY_EXISTS = "entry_exists"
    NOT_LIVE = "not_live"
    OVERTAKEN = "overtaken"
    """A due event whose time was moved, lifted or cancelled before it came."""


class Rejection(Contract):
    """Why an event had no effect. `current_revision` is what stood then (None: no such article)."""

    code: RejectionCode
    detail: str
    current_revision: Number | None = None


class EventOutcome(Contract):
    """What the store did with an event.

    `revision` it made (stored only); `renders`: a page follows, so wait for a `Rendering` of that
    revision; `path` of the page then, if the article has one; `reason` for dead letters; `times`: named
    steps to their moments.
    """

    event_id: str
    article_id: str
    state: EventState
    request_hash: str = ""
    revision: Number | None = None
    renders: bool = False
    path: str | None = None
    rejection: Rejection | None = None
    reason: str | None = None
    times: dict[str, Moment] = Field(default_factory=dict)


class Rendering(Contract):
    """The public outputs stand at `revision` of the article (or a later one).

    `path` is None where no page stands.
    """

    article_id: ArticleId
    revision: Number
    path: str | None = None
    times: dict[str, Moment] = Field(default_factory=dict)


Outcome = EventOutcome | Rendering


def outcome_message(outcome: EventOutcome, time: Moment, trace: str | None) -> Message:
    """An event's outcome as a record, keyed by its article; by the event where no article could be read."""
    subject = outcome.article_id or outcome.event_id
    envelope = Envelope(outcome.event_id, EVENT_TYPE, "/newsroom/store", subject, time, trace)
    return wrap(OUTCOMES, subject, envelope, outcome)


def rendering_message(rendering: Rendering, time: Moment, trace: str | None) -> Message:
    """A rendering as a record, keyed by its article."""
    identity = f"{rendering.article_id}/{rendering.revision}"
    envelope = Envelope(identity, RENDERING_TYPE, "/newsroom/render", rendering.article_id, time, trace)
    return wrap(OUTCOMES, rendering.article_id, envelope, rendering)


def decode_outcome(record: Record) -> Outcome:
    """A record of `newsroom.outcomes`. Raises: BadRecord with the reason."""
    envelope = unwrap(record)
    if envelope.type == EVENT_TYPE:
        return read_data(record, EventOutcome)
    if envelope.type == RENDERING_TYPE:
        return read_data(record, Rendering)
    raise BadRecord(
        f"type {envelope.type[:80]!r} is unknown to this version; known: {EVENT_TYPE}, {RENDERING_TYPE}"
    )


class EventStatus(Contract):
    """What `GET /events/{event}` answers, on ingest (from what it read lately) and on the store (for
    ever).

    `article_id` is None only of an event that nobody here has heard of yet. `url` is absolute, None where
    no page stands. `code` and `reason` tell why an event was rejected or dead-lettered. `request_hash` is
    the SHA-256 (hex) of its kind and the body it came in. `times`: named steps to their moments, among
    them `accepted`, `stored` and `rendered`.
    """

    event_id: str
    article_id: str | None = None
    state: EventState
    revision: int | None = None
    url: str | None = None
    code: RejectionCode | None = None
    reason: str | None = None
    request_hash: str | None = None
    times: dict[str, Moment] = Field(default_factory=dict)
