"""What each event does to an article, once it is allowed (`services.store.filing` says so). Pure.

A text goes one way: it is saved (a draft), withheld (until schedule and embargo are over) or shown. What was
withheld is shown whole at its release, with every change that readers are owed.
"""

from __future__ import annotations

from datetime import datetime

from newsroom.addresses import article_path, author_path, publication_day, slugify, tag_path
from newsroom.articles import ArticleText, EntryText
from newsroom.events import (
    Amended,
    BreakingEnded,
    Corrected,
    Drafted,
    Due,
    Dues,
    EntryAdded,
    EntryChanged,
    Event,
    EventKind,
    Published,
    Released,
    Retracted,
    Updated,
    Withdrawn,
)
from newsroom.records import Position
from newsroom.times import to_moment
from newsroom.updates import Change, ChangeKind, Status
from services.store.articles import (
    UTC_ZONE,
    Article,
    DueTime,
    Entry,
    HeldChange,
    Live,
    PublicFace,
    Withheld,
    has_page,
    is_breaking,
    is_past,
    release_due,
)

PAGE_ENTRIES = 20
PAGE_BYTES = 16 * 1024
"""An entry page is full with so many entries, or so many bytes of them as JSON; then the next one begins."""

_BEGINNINGS = (ChangeKind.PUBLISHED, ChangeKind.RETRACTED)
_NO_TIMES: dict[str, DueTime | None] = {"publish_at": None, "embargo_until": None, "breaking_until": None}


def begin(event: Event, at: Position) -> Article:
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
    return effect(blank, event, None)


def effect(article: Article, event: Event, entry: Entry | None) -> Article:
    """The new revision, of which number, time and position stand already, with what the event does to it."""
    data = event.data
    match data:
        case Drafted():
            return article.model_copy(update={"text": data.article, "draft_revision": article.revision})
        case Published():
            return _send(article, event, data.article, data.dues, ChangeKind.PUBLISHED)
        case Updated():
            return _send(article, event, data.article, data.dues, ChangeKind.UPDATED, data.note)
        case Corrected():
            return _send(article, event, data.article, data.dues, ChangeKind(data.kind), data.note)
        case Amended():
            return _send(article, event, data.article, data.dues, ChangeKind.AMENDED)
        case Released():
            return _release(article, event.time)
        case BreakingEnded():
            return _end_breaking(article)
        case Withdrawn():
            return _withdraw(article)
        case Retracted():
            return _retract(article, data.note)
        case EntryAdded() | EntryChanged():
            return _post(article, entry_after(article.live, article, event, entry), entry)


def changes_of(former: Article | None, article: Article) -> tuple[Change, ...]:
    """What this revision adds to the public history."""
    before = former.changes if former else ()
    if article.changes[: len(before)] == before:
        return article.changes[len(before) :]
    return article.changes


def history_after(
    before: tuple[Change, ...], status: Status, added: tuple[Change, ...]
) -> tuple[Change, ...]:
    """The public history once a revision that leaves the article in this status has added its changes."""
    if status in (Status.WITHDRAWN, Status.UNPUBLISHED):
        return ()
    return added if added and added[0].kind in _BEGINNINGS else (*before, *added)


def changed_fields(former: Article | None, article: Article, kind: EventKind) -> tuple[str, ...]:
    """The fields of the text that a revision changed, in their order.

    Of a public revision against what the public saw before it, of a draft or a withheld text against the
    text before it. None of a first publication, nor where no text came.
    """
    if former is None or kind in (EventKind.ENTRY_ADDED, EventKind.ENTRY_CHANGED, EventKind.WITHDRAWN):
        return ()
    if article.status is Status.RETRACTED:
        return ()
    before, after = former.text, article.text
    if article.public is not None and article.public != former.public:
        if former.public is None or former.public.text is None or article.public.text is None:
            return ()
        before, after = former.public.text, article.public.text
    return tuple(name for name in ArticleText.model_fields if getattr(before, name) != getattr(after, name))


def shows(former: Article | None, article: Article) -> bool:
    """Whether a revision changed what the public sees, so that a page (or its end) follows from it."""
    if former is None:
        return has_page(article)
    return article.status is not former.status or (has_page(article) and article.public != former.public)


# --- a text on its way to the public


def _send(
    article: Article, event: Event, text: ArticleText, dues: Dues, kind: ChangeKind, note: str | None = None
) -> Article:
    """A text for the public: withheld while schedule or embargo stands at the event's time, else shown."""
    sent = HeldChange(revision=article.revision, kind=kind, note=note)
    held = (*article.withheld.changes, sent) if article.withheld else (sent,)
    waiting = _moved(_without_spent_time(article, event.time), dues).model_copy(
        update={
            "text": text,
            "draft_revision": None,
            "withheld": Withheld(text=text, changes=held),
        }
    )
    release = release_due(waiting)
    return _release(waiting, event.time) if is_past(release, event.time) else waiting


def _without_spent_time(article: Article, event_time: datetime) -> Article:
    """The article without an end of breaking that passed while nothing was: it ends no later flag."""
    due, withheld = article.breaking_until, article.withheld
    is_flagged = is_breaking(article) or (withheld is not None and withheld.text.breaking)
    if due is None or due.at > event_time or is_flagged:
        return article
    return article.model_copy(update={"breaking_until": None})


def _moved(article: Article, dues: Dues) -> Article:
    """The article with the due times that the editor set or lifted."""

    def moved(standing: DueTime | None, said: Due | None) -> DueTime | None:
        if said is None or (standing is not None and standing.at == said.at):
            return standing
        return DueTime(at=said.at, set_by=article.revision) if said.at is not None else None

    if dues == Dues():
        return article
    return article.model_copy(
        update={
            "publish_at": moved(article.publish_at, dues.publish_at),
            "embargo_until": moved(article.embargo_until, dues.embargo_until),
            "breaking_until": moved(article.breaking_until, dues.breaking_until),
        }
    )


def _release(article: Article, event_time: datetime) -> Article:
    """What is withheld becomes what the public sees, at the path that its section and slug give it."""
    if article.withheld is None:
        raise ValueError(f"article {article.id} withholds nothing")
    text, held = article.withheld.text, article.withheld.changes
    freed = article.model_copy(update={"withheld": None, "publish_at": None, "embargo_until": None})
    is_on_top = freed.text == text and freed.draft_revision is None
    if text.breaking and freed.breaking_until is not None and freed.breaking_until.at <= event_time:
        text = _calm(text)
    if freed.published_at is None:
        shown = _show(_found(freed, text, event_time), text)
        times = {"updated_at": shown.published_at, "bumped_at": shown.published_at}
    else:
        shown = _show(freed, text)
        times = _times(shown, held, was_public=article.status is Status.PUBLIC)
    told = _told(article, text, held, is_first=article.status is not Status.PUBLIC)
    newest = text if is_on_top else shown.text
    return shown.model_copy(update={**times, "changes": told, "text": newest})


def _found(article: Article, text: ArticleText, event_time: datetime) -> Article:
    """Day, slug and times that stay from here on. A story may be dated back, never ahead of its event."""
    event_moment = to_moment(event_time)
    published_at = min(text.published_at or event_moment, event_moment)
    return article.model_copy(
        update={
            "published_at": published_at,
            "day": publication_day(published_at, _zone(text)),
            "slug": slugify(text.headline),
        }
    )


def _show(article: Article, text: ArticleText) -> Article:
    slug = text.slug or article.slug or ""
    if article.day is None:
        raise ValueError(f"article {article.id} was never published")
    path = article_path(text.section, article.day, slug, article.id)
    return article.model_copy(
        update={
            "status": Status.PUBLIC,
            "slug": slug,
            "path": path,
            "former_paths": _former_paths(article, path),
            "public": _face(article.revision, text),
            "live": _live(article, text),
        }
    )


def _times(article: Article, held: tuple[HeldChange, ...], *, was_public: bool) -> dict[str, datetime | None]:
    """Which times move with what readers are told now."""
    kinds = {change.kind for change in held}
    is_bump = not was_public or bool(kinds & {ChangeKind.PUBLISHED, ChangeKind.UPDATED})
    moved: dict[str, datetime | None] = {"bumped_at": article.time} if is_bump else {}
    if is_bump or any(kind.is_told for kind in kinds):
        moved["updated_at"] = article.time
    return moved


def _told(
    article: Article, text: ArticleText, held: tuple[HeldChange, ...], *, is_first: bool
) -> tuple[Change, ...]:
    """The public history with what the release tells: one publication, or each change that was withheld."""
    if is_first:
        published = Change(
            revision=article.revision, kind=ChangeKind.PUBLISHED, time=article.time, breaking=text.breaking
        )
        return (published,)
    added = tuple(
        Change(
            revision=change.revision,
            kind=change.kind,
            time=article.time,
            note=change.note,
            text_revision=article.revision if change.revision != article.revision else None,
        )
        for change in held
    )
    return (*article.changes, *added)


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


def _live(article: Article, text: ArticleText) -> Live | None:
    """Opened, closed or opened again by the text that is shown now."""
    if text.live:
        return article.live.model_copy(update={"closed_at": None}) if article.live else Live()
    if article.live is None or article.live.closed_at is not None:
        return article.live
    return article.live.model_copy(update={"closed_at": article.time})


# --- what takes a text away


def _withdraw(article: Article) -> Article:
    """Nothing of it is public any more, and nothing waits to be; an embargo stands on."""
    is_draft_now = article.withheld is not None and article.draft_revision is None
    changed = article.model_copy(
        update={
            "withheld": None,
            "publish_at": None,
            "breaking_until": None,
            "draft_revision": article.revision if is_draft_now else article.draft_revision,
        }
    )
    if article.status is Status.UNPUBLISHED:
        return changed
    return changed.model_copy(update={"status": Status.WITHDRAWN, "changes": ()})


def _retract(article: Article, note: str) -> Article:
    """Final: of the last public revision only section, language, dateline and listings are left to the
    public.
    """
    if article.public is None or article.public.text is None:
        raise ValueError(f"article {article.id} has no text that was public")
    face = article.public.model_copy(
        update={
            "revision": article.revision,
            "text": None,
            "filed_under": _filed_under(article.public.text),
        }
    )
    retraction = Change(revision=article.revision, kind=ChangeKind.RETRACTED, time=article.time, note=note)
    return article.model_copy(
        update={
            **_NO_TIMES,
            "status": Status.RETRACTED,
            "public": face,
            "updated_at": article.time,
            "draft_revision": None,
            "withheld": None,
            "changes": (retraction,),
        }
    )


def _filed_under(text: ArticleText) -> tuple[str, ...]:
    """The listings of its tags and authors, each once, in the order of the text."""
    paths = (*map(tag_path, text.tags), *map(author_path, text.authors))
    return tuple(dict.fromkeys(paths))


def _end_breaking(article: Article) -> Article:
    """The flag goes, of what waits as well, without a word to readers; the public revision stays the one it
    was. A draft stays as it was written.
    """
    face, withheld = article.public, article.withheld
    if face is None or face.text is None:
        raise ValueError(f"article {article.id} is not public")
    is_draft = article.text not in (face.text, withheld.text if withheld else None)
    return article.model_copy(
        update={
            "breaking_until": None,
            "public": face.model_copy(update={"text": _calm(face.text)}),
            "withheld": withheld.model_copy(update={"text": _calm(withheld.text)}) if withheld else None,
            "text": article.text if is_draft else _calm(article.text),
        }
    )


def _calm(text: ArticleText) -> ArticleText:
    return text.model_copy(update={"breaking": False})


# --- entries of a live article


def entry_bytes(text: EntryText) -> int:
    """What an entry counts for in its article's total, in bytes of JSON."""
    return len(text.model_dump_json(exclude_none=True).encode())


def entry_after(before: Live | None, article: Article, event: Event, former: Entry | None) -> Entry:
    """The entry as the event leaves it. `before` is what the article counted then, `article` is as the event
    left it.

    Raises: TypeError for an event of another kind (a bug of the caller).
    """
    data = event.data
    if isinstance(data, EntryChanged) and former is not None:
        return former.model_copy(
            update={
                "version": former.version + 1,
                "revision": article.revision,
                "changed_at": article.time,
                "text": data.entry,
            }
        )
    if not isinstance(data, EntryAdded):
        raise TypeError(f"{event.kind} makes no entry")
    live = before or Live()
    begins_page = former is None and _is_full(live, entry_bytes(data.entry))
    return Entry(
        article_id=article.id,
        id=data.entry_id,
        number=live.entries + 1,
        page=live.pages + 1 if begins_page else live.pages,
        version=1,
        revision=article.revision,
        added_at=article.time,
        text=data.entry,
    )


def _is_full(live: Live, size: int) -> bool:
    """Whether the newest page takes no entry of that size any more."""
    return (
        live.pages == 0
        or live.page_entries >= PAGE_ENTRIES
        or (live.page_entries > 0 and live.page_bytes + size > PAGE_BYTES)
    )


def _post(article: Article, entry: Entry, former: Entry | None) -> Article:
    """The article with the entry counted in; where the public sees it, it moves what readers see."""
    live = article.live or Live()
    size = entry_bytes(entry.text)
    counted: dict[str, object] = {
        "bytes": live.bytes + size - (entry_bytes(former.text) if former else 0),
        "entry_revision": article.revision,
        "entry_at": article.time,
        "pinned": _pinned(live, entry),
    }
    if former is None:
        is_new_page = entry.page > live.pages
        counted |= {
            "entries": entry.number,
            "pages": entry.page,
            "page_entries": 1 if is_new_page else live.page_entries + 1,
            "page_bytes": size if is_new_page else live.page_bytes + size,
        }
    return with_entries(article, live.model_copy(update=counted))


def with_entries(article: Article, live: Live) -> Article:
    """The article, at its new revision, once its entries count so; what the public sees moves with them."""
    posted = article.model_copy(update={"live": live})
    if article.status is not Status.PUBLIC or article.public is None:
        return posted
    face = article.public.model_copy(update={"revision": article.revision})
    times = {"updated_at": article.time, "bumped_at": article.time}
    return posted.model_copy(update={"public": face, **times})


def _pinned(live: Live, entry: Entry) -> str | None:
    """The newest entry that was sent as pinned; none once it was sent without."""
    if entry.text.pinned:
        return entry.id
    return None if live.pinned == entry.id else live.pinned
