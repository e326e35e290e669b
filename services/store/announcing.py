"""What the store tells the newsroom, from what is stored: updates of articles, outcomes of events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from newsroom.events import EventKind
from newsroom.outcomes import EventOutcome, EventState, outcome_message
from newsroom.records import Message
from newsroom.times import now
from newsroom.updates import (
    Announcement,
    ArticleUpdate,
    ChangeKind,
    EntryAnnouncement,
    EntryUpdate,
    LiveState,
    PublicArticle,
    PublicEntry,
    Status,
    entry_message,
    update_message,
)
from services.store.articles import Article, Entry, has_page
from services.store.decisions import Decision


def update_of(article: Article, event_ids: tuple[str, ...] = ()) -> ArticleUpdate:
    """What is announced of the article: its public face and history, or only why it has none."""
    return ArticleUpdate(
        article_id=article.id,
        revision=article.revision,
        status=article.status,
        path=article.path,
        former_paths=article.former_paths,
        public=public_article(article),
        event_ids=event_ids,
    )


def public_article(article: Article) -> PublicArticle | None:
    """What the public may see of the article; None of one that is not public."""
    face = article.public
    if face is None or not has_page(article):
        return None
    if article.published_at is None or article.updated_at is None or article.bumped_at is None:
        raise ValueError(f"article {article.id} is public without its times")
    return PublicArticle(
        revision=face.revision,
        text=face.text,
        section=face.section,
        language=face.language,
        dateline_place=face.dateline_place,
        timezone=face.timezone,
        filed_under=face.filed_under,
        published_at=article.published_at,
        updated_at=article.updated_at,
        bumped_at=article.bumped_at,
        changes=article.changes,
        live=_live_state(article),
    )


def _live_state(article: Article) -> LiveState | None:
    """What the public may know of its entries; nothing is left of it after a retraction."""
    if article.live is None or article.status is Status.RETRACTED:
        return None
    return LiveState.model_validate(article.live.model_dump(include=set(LiveState.model_fields)))


def entry_update_of(article: Article, entry: Entry) -> EntryUpdate:
    """What is announced of an entry while its article stands so: hidden unless that is public."""
    shown = PublicEntry(text=entry.text, added_at=entry.added_at, changed_at=entry.changed_at)
    return EntryUpdate(
        article_id=article.id,
        entry_id=entry.id,
        number=entry.number,
        page=entry.page,
        revision=entry.revision,
        as_of=article.revision,
        entry=shown if article.status is Status.PUBLIC else None,
    )


def entry_announcement(
    article: Article, entry: Entry, *, again: bool = False, trace: str | None = None
) -> Message:
    """An entry's record, in the partition of its article, whose own record is to follow."""
    announcement = EntryAnnouncement(entry_update_of(article, entry), article.time, again, trace)
    return entry_message(announcement, article.partition)


def turns_entries(decision: Decision) -> bool:
    """Whether the event took all that is public of its article away, or brought it (back): entries too."""
    begins = bool(decision.added) and decision.added[0].kind is ChangeKind.PUBLISHED
    return begins or decision.kind in (EventKind.WITHDRAWN, EventKind.RETRACTED)


def announcements(articles: Iterable[Article], decisions: Iterable[Decision]) -> list[Message]:
    """One update for each article, with the events behind it and the trace of the newest of them."""
    events: dict[str, list[Decision]] = {}
    for decision in decisions:
        if decision.state is EventState.STORED:
            events.setdefault(decision.article_id, []).append(decision)
    return [_announcement(article, events.get(article.id, ())) for article in articles]


def _announcement(article: Article, behind: list[Decision] | tuple[()]) -> Message:
    trace = behind[-1].trace if behind else None
    update = update_of(article, tuple(decision.event_id for decision in behind))
    return update_message(Announcement(update, article.time, trace=trace))


def again(article: Article) -> Message:
    """The re-announcement of an article: a rebuild follows from it, no notice."""
    return update_message(Announcement(update_of(article), article.time, again=True))


def outcome(decision: Decision, times: Mapping[str, datetime] | None = None) -> Message:
    """What became of an event, as a record. `times` are steps known only now."""
    return outcome_message(outcome_of(decision, times), now(), decision.trace)


def outcome_of(decision: Decision, times: Mapping[str, datetime] | None = None) -> EventOutcome:
    """What became of an event."""
    return EventOutcome(
        event_id=decision.event_id,
        article_id=decision.article_id,
        state=decision.state,
        request_hash=decision.request_hash,
        revision=decision.revision,
        renders=decision.renders,
        path=decision.path,
        rejection=decision.rejection,
        reason=decision.reason,
        times={**decision.times, **(times or {})},
    )
