"""What an event may do to an article: the fold of the log. Pure, no clock, so a replay makes the same states.

The log's events come in, in the order of their article; an article's next revision or a rejection comes out.
`services.store.consumer` loads before it and writes after it; `services.store.effects` says what each does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

from newsroom.events import (
    BreakingEnded,
    Drafted,
    EntryAdded,
    EntryChanged,
    Event,
    EventData,
    EventKind,
    Published,
    Released,
    Retracted,
    Withdrawn,
)
from newsroom.outcomes import Rejection, RejectionCode
from newsroom.records import Position
from newsroom.times import rfc3339, to_moment
from newsroom.updates import Status
from services.store.articles import Article, Entry, due_events
from services.store.effects import begin, effect, entry_bytes

MAX_EVENT_BYTES = 6 * 1024 * 1024
"""Largest event as JSON, with the public history that it adds to.

So an update fits on the log, and the texts of an article (draft, withheld, public) in one document of 16 MiB.
"""

CHANGE_BYTES = 200
"""What a change takes as JSON besides its note, at most."""

MAX_LIVE_BYTES = 4 * 1024 * 1024
"""All entries of a live article together, as JSON."""


class Stage(StrEnum):
    """Where an article stands for the next event: its status, and whether something is withheld."""

    DRAFT = "draft"
    WAITING = "waiting"  # for its release
    PUBLIC = "public"
    HELD = "held"
    WITHDRAWN = "withdrawn"
    RETURNING = "returning"
    RETRACTED = "retracted"


_ENTRIES = frozenset({EventKind.ENTRY_ADDED, EventKind.ENTRY_CHANGED})
_DRAFT, _WAITING = Stage.DRAFT, Stage.WAITING
_PUBLIC, _HELD = Stage.PUBLIC, Stage.HELD
_GONE, _RETURNING = Stage.WITHDRAWN, Stage.RETURNING

ALLOWED: Mapping[EventKind, frozenset[Stage]] = {
    #                                    never public       public          was public
    EventKind.DRAFTED:        frozenset({_DRAFT, _WAITING,  _PUBLIC, _HELD, _GONE, _RETURNING}),
    EventKind.PUBLISHED:      frozenset({_DRAFT, _WAITING,                  _GONE, _RETURNING}),
    EventKind.UPDATED:        frozenset({        _WAITING,  _PUBLIC, _HELD,        _RETURNING}),
    EventKind.CORRECTED:      frozenset({        _WAITING,  _PUBLIC, _HELD,        _RETURNING}),
    EventKind.AMENDED:        frozenset({        _WAITING,  _PUBLIC, _HELD,        _RETURNING}),
    EventKind.WITHDRAWN:      frozenset({        _WAITING,  _PUBLIC, _HELD,        _RETURNING}),
    EventKind.RETRACTED:      frozenset({                   _PUBLIC, _HELD, _GONE, _RETURNING}),
    EventKind.ENTRY_ADDED:    frozenset({                   _PUBLIC}),
    EventKind.ENTRY_CHANGED:  frozenset({                   _PUBLIC,        _GONE}),
    EventKind.RELEASED:       frozenset({        _WAITING,           _HELD,        _RETURNING}),
    EventKind.BREAKING_ENDED: frozenset({                   _PUBLIC, _HELD}),
}  # fmt: skip
"""At which stages an event may happen; at none once retracted. An unknown article can only be created."""


def stage_of(article: Article) -> Stage:
    """Where the article stands for the next event."""
    is_held = article.withheld is not None
    match article.status:
        case Status.UNPUBLISHED:
            return Stage.WAITING if is_held else Stage.DRAFT
        case Status.PUBLIC:
            return Stage.HELD if is_held else Stage.PUBLIC
        case Status.WITHDRAWN:
            return Stage.RETURNING if is_held else Stage.WITHDRAWN
        case Status.RETRACTED:
            return Stage.RETRACTED


def apply(
    article: Article | None, event: Event, at: Position, entry: Entry | None = None
) -> Article | Rejection:
    """The article's next revision, or why the event has no effect. `article` is None where none stands yet.

    `entry` is the one that an entry event names, as it stands (None: there is none); `effects.entry_after`
    makes its next state. Raises: ValueError when the event is of another article (a bug of the caller).
    """
    if article is not None and article.id != event.article_id:
        raise ValueError(f"event {event.id} of article {event.article_id} met article {article.id}")
    rejection = _check(article, event, entry)
    if rejection is not None:
        return rejection
    if article is None:
        return begin(event, at)
    next_one = article.model_copy(
        update={
            "revision": article.revision + 1,
            "time": max(to_moment(event.time), article.time),
            "partition": at.partition,
            "offset": at.offset,
        }
    )
    return effect(next_one, event, entry)


def _check(article: Article | None, event: Event, entry: Entry | None) -> Rejection | None:
    """The first reason that stands against the event, or None."""
    data = event.data
    if article is not None and article.status is Status.RETRACTED:
        return _no(article, RejectionCode.RETRACTED, "The article was retracted, which is final.")
    if event.expected_revision is not None:
        mismatch = _mismatch(article, event.expected_revision, data, entry)
        if mismatch is not None:
            return mismatch
    too_large = _check_size(article, data)
    if too_large is not None:
        return too_large
    if article is None:
        return _check_unknown(event)
    if isinstance(data, Released | BreakingEnded):
        return _check_due(article, event.kind, data)
    if isinstance(data, Published | Drafted) and data.create:
        detail = "An article with this id stands already: choose another id."
        return _no(article, RejectionCode.ARTICLE_EXISTS, detail)
    forbidden = _check_stage(article, event.kind)
    if forbidden is None and isinstance(data, EntryAdded | EntryChanged):
        return _check_entry(article, data, entry)
    return forbidden


def _check_size(article: Article | None, data: EventData) -> Rejection | None:
    """What would not fit further down; what takes an article away always does."""
    if isinstance(data, Retracted | Withdrawn | Released | BreakingEnded):
        return None
    told = sum(CHANGE_BYTES + _json_bytes(note) for note in _notes(article)) if article else 0
    if len(data.model_dump_json().encode()) + told <= MAX_EVENT_BYTES:
        return None
    detail = f"The article with its history is larger than {MAX_EVENT_BYTES} bytes: shorten it."
    return _no(article, RejectionCode.INVALID, detail)


def _notes(article: Article) -> Iterator[str]:
    """Of the public history, and of what a release will add to it."""
    yield from (change.note or "" for change in article.changes)
    if article.withheld is not None:
        yield from (change.note or "" for change in article.withheld.changes)


def _json_bytes(text: str) -> int:
    """What a line takes as JSON, but for its quotes: it has no control characters."""
    return len(text.encode()) + text.count('"') + text.count("\\")


def _mismatch(
    article: Article | None, expected: int, data: EventData, entry: Entry | None
) -> Rejection | None:
    """`If-Match` means the article's revision; of a change to an entry, the entry's.

    An entry that does not stand has none: `_check_entry` says so.
    """
    if article is None:
        return Rejection(
            code=RejectionCode.REVISION_MISMATCH,
            detail=f"If-Match names revision {expected}, but there is no such article.",
        )
    if isinstance(data, EntryChanged) and entry is None:
        return None
    of_entry = entry if isinstance(data, EntryChanged) else None
    standing = of_entry.revision if of_entry else article.revision
    if standing == expected:
        return None
    detail = (
        f"If-Match names revision {expected}, but the {'entry' if of_entry else 'article'} stands at "
        f"revision {standing}: read it again and repeat the change on that."
    )
    return Rejection(code=RejectionCode.REVISION_MISMATCH, detail=detail, current_revision=standing)


def _check_unknown(event: Event) -> Rejection | None:
    is_creation = isinstance(event.data, Drafted) or (isinstance(event.data, Published) and event.data.create)
    if is_creation:
        return None
    return Rejection(code=RejectionCode.UNKNOWN_ARTICLE, detail="There is no article with this id.")


def _check_due(article: Article, kind: EventKind, data: Released | BreakingEnded) -> Rejection | None:
    """Whether the due time that the event names is the one that stands."""
    standing = [each.due for each in due_events(article) if each.kind is kind]
    if any(due.set_by == data.set_by and due.at == data.due_at for due in standing):
        return None
    detail = (
        f"The time {rfc3339(data.due_at)}, which revision {data.set_by} set, stands no longer: it was moved, "
        "lifted, cancelled or done before."
    )
    return _no(article, RejectionCode.OVERTAKEN, detail)


def _check_stage(article: Article, kind: EventKind) -> Rejection | None:
    stage = stage_of(article)
    if stage in ALLOWED[kind]:
        return None
    if kind in _ENTRIES:
        return _no(article, RejectionCode.NOT_PUBLIC, _ENTRY_MUST_WAIT[stage])
    if stage in (Stage.PUBLIC, Stage.HELD):
        detail = "The article is public already: send an update, a correction or an amendment."
        return _no(article, RejectionCode.ALREADY_PUBLIC, detail)
    why = "was withdrawn" if article.status is Status.WITHDRAWN else "was never public"
    return _no(
        article, RejectionCode.NOT_PUBLIC, f"The article {why}: publish it before it can be {kind.value}."
    )


_ENTRY_MUST_WAIT: Mapping[Stage, str] = {
    Stage.DRAFT: "The article was never public: publish it before entries are added.",
    Stage.WAITING: "The article is not public yet: entries can be added once it is released.",
    Stage.HELD: "A withheld text waits for its release: entries can be added after that, or lift it first.",
    Stage.WITHDRAWN: "The article was withdrawn: publish it again before entries are added.",
    Stage.RETURNING: "The article was withdrawn and waits for its release: entries can be added after that.",
}


def _check_entry(article: Article, data: EntryAdded | EntryChanged, entry: Entry | None) -> Rejection | None:
    """What a live article takes."""
    if isinstance(data, EntryAdded) and entry is not None:
        detail = "An entry with this id stands already: change it, or choose another id."
        return _no(article, RejectionCode.ENTRY_EXISTS, detail)
    if isinstance(data, EntryChanged) and entry is None:
        return _no(article, RejectionCode.UNKNOWN_ENTRY, "The article has no entry with this id.")
    if isinstance(data, EntryAdded) and not _is_live(article):
        why = "is closed" if article.live else "is not live"
        detail = f"The article {why}: send it with `live` true before entries are added."
        return _no(article, RejectionCode.NOT_LIVE, detail)
    grown = entry_bytes(data.entry) - (entry_bytes(entry.text) if entry else 0)
    if article.live is not None and article.live.bytes + grown > MAX_LIVE_BYTES:
        detail = f"The entries of one article may have {MAX_LIVE_BYTES} bytes: go on in a new live article."
        return _no(article, RejectionCode.INVALID, detail)
    return None


def _is_live(article: Article) -> bool:
    """Whether entries may be added: by the text that the public sees."""
    return bool(article.public and article.public.text and article.public.text.live)


def _no(article: Article | None, code: RejectionCode, detail: str) -> Rejection:
    return Rejection(code=code, detail=detail, current_revision=article.revision if article else None)
