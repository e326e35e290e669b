"""What an event does to an article: the fold of the log. Pure, no clock, so a replay makes the same states.

The log's events come in, in the order of their article; an article's next revision or a rejection comes out.
`services.store.consumer` loads before it and writes after it.
"""

from __future__ import annotations

from datetime import datetime

from newsroom.addresses import article_path, publication_day, slugify
from newsroom.articles import ArticleId, ArticleText, Contract
from newsroom.events import (
    Amended,
    Corrected,
    Drafted,
    Event,
    EventData,
    EventKind,
    Published,
    Retracted,
    Updated,
    Withdrawn,
)
from newsroom.outcomes import Rejection, RejectionCode
from newsroom.records import Position, Record
from newsroom.times import Moment, to_moment
from newsroom.updates import Change, ChangeKind, Status

MAX_EVENT_BYTES = 6 * 1024 * 1024
"""Largest event as JSON, with the public history that it adds to.

So an update fits on the log, and two texts (draft and public) in one document of 16 MiB.
"""

CHANGE_BYTES = 200
"""What a change takes as JSON besides its note, at most."""

UTC_ZONE = "UTC"


class PublicFace(Contract):
    """The last public revision. `text` is None after a retraction; the other fields outlive it."""

    revision: int
    text: ArticleText | None = None
    section: str
    language: str
    dateline_place: str | None = None
    timezone: str = UTC_ZONE


class Article(Contract):
    """An article after one of its revisions: all that the next event, a page or a reader of the API needs.

    `text` is the newest, drafts included; `draft_revision` is the revision of a draft that nothing public has
    superseded. `partition` and `offset` are the log position of the newest event folded. `slug` to `public`
    are None until the first publication; `public` stays through a withdrawal, when `status` hides it.
    `changes` is the public history, as `newsroom.updates.PublicArticle` has it; empty while withdrawn.
    """

    id: ArticleId
    revision: int
    time: Moment
    status: Status
    text: ArticleText
    partition: int
    offset: int
    draft_revision: int | None = None
    slug: str | None = None
    day: str | None = None
    path: str | None = None
    former_paths: tuple[str, ...] = ()
    published_at: Moment | None = None
    updated_at: Moment | None = None
    bumped_at: Moment | None = None
    public: PublicFace | None = None
    changes: tuple[Change, ...] = ()


def apply(article: Article | None, event: Event, at: Position) -> Article | Rejection:
    """The article's next revision, or why the event has no effect. `article` is None where none stands yet.

    Raises: ValueError when the event is of another article (a bug of the caller).
    """
    if article is not None and article.id != event.article_id:
        raise ValueError(f"event {event.id} of article {event.article_id} met article {article.id}")
    rejection = _check(article, event)
    if rejection is not None:
        return rejection
    if article is None:
        return _begin(event, at)
    next_one = article.model_copy(
        update={
            "revision": article.revision + 1,
            "time": max(to_moment(event.time), article.time),
            "partition": at.partition,
            "offset": at.offset,
        }
    )
    return _effect(next_one, event)


def history_after(changes: tuple[Change, ...], kind: EventKind, change: Change | None) -> tuple[Change, ...]:
    """The public history once an event of this kind has added its change (None: it added nothing)."""
    if kind is EventKind.WITHDRAWN:
        return ()
    if change is None:
        return changes
    return (change,) if change.kind in (ChangeKind.PUBLISHED, ChangeKind.RETRACTED) else (*changes, change)


def change_of(article: Article, event: Event) -> Change | None:
    """What the event, which made this revision, adds to the public history; None where it adds nothing."""
    kind, note, breaking = _telling(event.data)
    if kind is None:
        return None
    return Change(revision=article.revision, kind=kind, time=article.time, note=note, breaking=breaking)


def changed_fields(former: Article | None, article: Article) -> tuple[str, ...]:
    """The fields of the text that a revision changed, in their order.

    Of a public revision against what the public saw before it, of a draft against the text before it. None of
    a first publication, nor where no text came.
    """
    if former is None:
        return ()
    is_shown = article.public is not None and article.public.revision == article.revision
    before = former.public.text if is_shown and former.public is not None else former.text
    if before is None or (is_shown and former.public is None) or article.status is Status.RETRACTED:
        return ()
    return tuple(
        name for name in ArticleText.model_fields if getattr(before, name) != getattr(article.text, name)
    )


def is_in(article: Article, record: Record) -> bool:
    """Whether the article's log position says that the record was folded already."""
    return article.partition == record.partition and record.offset <= article.offset


def shows(kind: EventKind) -> bool:
    """Whether an event of this kind changes what the public sees."""
    return kind is not EventKind.DRAFTED


# --- what the log's order forbids


def _check(article: Article | None, event: Event) -> Rejection | None:
    """The first reason that stands against the event, or None."""
    if article is not None and article.status is Status.RETRACTED:
        return _no(article, RejectionCode.RETRACTED, "The article was retracted, which is final.")
    if event.expected_revision is not None:
        mismatch = _mismatch(article, event.expected_revision)
        if mismatch is not None:
            return mismatch
    too_large = _check_size(article, event.data)
    if too_large is not None:
        return too_large
    if article is None:
        return _check_unknown(event)
    if isinstance(event.data, Published | Drafted) and event.data.create:
        return _no(
            article,
            RejectionCode.ARTICLE_EXISTS,
            "An article with this id stands already: choose another id.",
        )
    return _check_status(article, event.kind)


def _check_size(article: Article | None, data: EventData) -> Rejection | None:
    """What would not fit further down; what takes an article away always does."""
    if isinstance(data, Retracted | Withdrawn):
        return None
    history = article.changes if article else ()
    told = sum(CHANGE_BYTES + len((change.note or "").encode()) for change in history)
    if len(data.model_dump_json().encode()) + told <= MAX_EVENT_BYTES:
        return None
    detail = f"The article with its history is larger than {MAX_EVENT_BYTES} bytes: shorten it."
    return _no(article, RejectionCode.INVALID, detail)


def _mismatch(article: Article | None, expected: int) -> Rejection | None:
    if article is None:
        return Rejection(
            code=RejectionCode.REVISION_MISMATCH,
            detail=f"If-Match names revision {expected}, but there is no such article.",
        )
    if article.revision == expected:
        return None
    detail = (
        f"If-Match names revision {expected}, but the article stands at revision {article.revision}: "
        "read it again and repeat the change on that."
    )
    return _no(article, RejectionCode.REVISION_MISMATCH, detail)


def _check_unknown(event: Event) -> Rejection | None:
    is_creation = isinstance(event.data, Drafted) or (isinstance(event.data, Published) and event.data.create)
    if is_creation:
        return None
    return Rejection(code=RejectionCode.UNKNOWN_ARTICLE, detail="There is no article with this id.")


_ALLOWED: dict[Status, frozenset[EventKind]] = {
    Status.UNPUBLISHED: frozenset({EventKind.PUBLISHED, EventKind.DRAFTED}),
    Status.PUBLIC: frozenset(EventKind) - {EventKind.PUBLISHED},
    Status.WITHDRAWN: frozenset({EventKind.PUBLISHED, EventKind.DRAFTED, EventKind.RETRACTED}),
    Status.RETRACTED: frozenset(),
}


def _check_status(article: Article, kind: EventKind) -> Rejection | None:
    if kind in _ALLOWED[article.status]:
        return None
    if article.status is Status.PUBLIC:
        detail = "The article is public already: send an update, a correction or an amendment."
        return _no(article, RejectionCode.ALREADY_PUBLIC, detail)
    why = "was withdrawn" if article.status is Status.WITHDRAWN else "was never public"
    return _no(
        article, RejectionCode.NOT_PUBLIC, f"The article {why}: publish it before it can be {kind.value}."
    )


def _no(article: Article | None, code: RejectionCode, detail: str) -> Rejection:
    return Rejection(code=code, detail=detail, current_revision=article.revision if article else None)


# --- what an event does


def _begin(event: Event, at: Position) -> Article:
    """The first revision: a publication or a draft."""
    if not isinstance(event.data, Published | Drafted):
        raise TypeError(f"{event.kind} cannot begin an article")
    blank = Article(
        id=event.article_id,
        revision=1,
        time=event.time,
        status=Status.UNPUBLISHED,
        text=event.data.article,
        partition=at.partition,
        offset=at.offset,
    )
    return _effect(blank, event)


def _effect(article: Article, event: Event) -> Article:
    """The new revision, of which number, time and position stand already, with what the event does to it."""
    data = event.data
    match data:
        case Drafted():
            changed = article.model_copy(update={"text": data.article, "draft_revision": article.revision})
        case Withdrawn():
            changed = article.model_copy(update={"status": Status.WITHDRAWN})
        case Retracted():
            changed = _retract(article)
        case Published() if article.published_at is None:
            changed = _publish_first(article, data.article, event.time)
        case Published() | Updated():
            changed = _show(article, data.article, updated_at=article.time, bumped_at=article.time)
        case Corrected():
            changed = _show(article, data.article, updated_at=article.time)
        case Amended():
            changed = _show(article, data.article)
    history = history_after(article.changes, event.kind, change_of(article, event))
    return changed.model_copy(update={"changes": history})


def _publish_first(article: Article, text: ArticleText, event_time: datetime) -> Article:
    """Day, slug and times that stay from here on. A story may be dated back, never ahead of its event."""
    event_moment = to_moment(event_time)
    published_at = min(text.published_at or event_moment, event_moment)
    founded = article.model_copy(
        update={
            "published_at": published_at,
            "day": publication_day(published_at, _zone(text)),
            "slug": slugify(text.headline),
        }
    )
    return _show(founded, text, updated_at=published_at, bumped_at=published_at)


def _show(article: Article, text: ArticleText, **times: datetime) -> Article:
    """The text becomes what the public sees, at the path that its section and slug give it."""
    slug = text.slug or article.slug or ""
    if article.day is None:
        raise ValueError(f"article {article.id} was never published")
    path = article_path(text.section, article.day, slug, article.id)
    return article.model_copy(
        update={
            "status": Status.PUBLIC,
            "text": text,
            "draft_revision": None,
            "slug": slug,
            "path": path,
            "former_paths": _former_paths(article, path),
            "public": _face(article.revision, text),
            **times,
        }
    )


def _former_paths(article: Article, path: str) -> tuple[str, ...]:
    """Every path that the article had, less the one it has now; oldest first."""
    had = (*article.former_paths, article.path) if article.path else article.former_paths
    return tuple(former for former in dict.fromkeys(had) if former != path)


def _face(revision: int, text: ArticleText) -> PublicFace:
    return PublicFace(
        revision=revision,
        text=text,
        section=text.section,
        language=text.language,
        dateline_place=text.dateline.place if text.dateline else None,
        timezone=_zone(text),
    )


def _zone(text: ArticleText) -> str:
    return text.dateline.timezone if text.dateline else UTC_ZONE


def _retract(article: Article) -> Article:
    """Final: of the last public revision only section, language and dateline are left to the public."""
    if article.public is None:
        raise ValueError(f"article {article.id} was never public")
    face = article.public.model_copy(update={"revision": article.revision, "text": None})
    return article.model_copy(
        update={
            "status": Status.RETRACTED,
            "public": face,
            "updated_at": article.time,
            "draft_revision": None,
        }
    )


def _telling(data: EventData) -> tuple[ChangeKind | None, str | None, bool]:
    """Kind, note and breaking flag as the history tells them; no kind where it tells nothing."""
    match data:
        case Published():
            return ChangeKind.PUBLISHED, None, data.article.breaking
        case Updated():
            return ChangeKind.UPDATED, data.note, False
        case Corrected():
            return ChangeKind(data.kind), data.note, False
        case Amended():
            return ChangeKind.AMENDED, None, False
        case Retracted():
            return ChangeKind.RETRACTED, data.note, False
        case Drafted() | Withdrawn():
            return None, None, False
