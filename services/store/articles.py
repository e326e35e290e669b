"""What stands of an article, and of an entry in a live one, after each revision: the states of the fold.

Between `services.store.filing`, which makes them, and everything that stores, tells or shows them. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from newsroom.articles import ArticleId, ArticleText, Contract, EntryId, EntryText
from newsroom.events import EventKind
from newsroom.records import Record
from newsroom.times import Moment
from newsroom.updates import Change, ChangeKind, LiveState, Status

UTC_ZONE = "UTC"
Waits = Literal["scheduled", "embargoed"]


class DueTime(Contract):
    """A time that something falls due, and the revision that set it."""

    at: Moment
    set_by: int


class PublicFace(Contract):
    """The last public revision. `text` is None after a retraction; the other fields outlive it.

    `filed_under` is filled by a retraction: the listings of tags and authors that the text stood in.
    """

    revision: int
    text: ArticleText | None = None
    section: str
    language: str
    dateline_place: str | None = None
    timezone: str = UTC_ZONE
    filed_under: tuple[str, ...] = ()


class HeldChange(Contract):
    """A change that readers hear of when what is withheld is released."""

    revision: int
    kind: ChangeKind
    note: str | None = None


class Withheld(Contract):
    """What is to be public once nothing stands against it: the newest such text, and what it will tell."""

    text: ArticleText
    changes: tuple[HeldChange, ...] = ()


class Live(LiveState):
    """`LiveState` with what the fold counts by: bytes of all entries, and what the newest page holds."""

    bytes: int = 0
    page_entries: int = 0
    page_bytes: int = 0


class Article(Contract):
    """An article after one of its revisions: all that the next event, a page or a reader of the API needs.

    `text` is the newest, drafts included; `draft_revision` is the revision of a draft that nothing public or
    withheld has superseded. `withheld` waits for its release (`release_due`). `partition` and `offset` are
    the log position of the newest event folded. `slug` to `public` are None until the first publication;
    `public` stays through a withdrawal, when `status` hides it. `changes` is the public history, as
    `newsroom.updates.PublicArticle` has it; empty while withdrawn. `live` is None of what never was live.
    """

    id: ArticleId
    revision: int
    time: Moment
    status: Status
    text: ArticleText
    partition: int
    offset: int
    draft_revision: int | None = None
    publish_at: DueTime | None = None
    embargo_until: DueTime | None = None
    breaking_until: DueTime | None = None
    withheld: Withheld | None = None
    slug: str | None = None
    day: str | None = None
    path: str | None = None
    former_paths: tuple[str, ...] = ()
    published_at: Moment | None = None
    updated_at: Moment | None = None
    bumped_at: Moment | None = None
    public: PublicFace | None = None
    changes: tuple[Change, ...] = ()
    live: Live | None = None


class Entry(Contract):
    """An entry of a live article after its newest event.

    `version` counts its own events from 1, `revision` is the article's with the newest of them. `number` and
    `page` never change.
    """

    article_id: ArticleId
    id: EntryId
    number: int
    page: int
    version: int
    revision: int
    added_at: Moment
    changed_at: Moment | None = None
    text: EntryText

    @property
    def key(self) -> str:
        """Its name among the entries of all articles."""
        return entry_key(self.article_id, self.id)


def entry_key(article_id: str, entry_id: str) -> str:
    """How an entry is named where entries of several articles are."""
    return f"{article_id}/{entry_id}"


@dataclass(frozen=True)
class DueEvent:
    """An event that falls due, while nothing moves it."""

    kind: EventKind
    due: DueTime


def release_due(article: Article) -> DueTime | None:
    """When what is withheld becomes public: the later of schedule and embargo, None where neither stands."""
    standing = [due for due in (article.publish_at, article.embargo_until) if due is not None]
    return max(standing, key=lambda due: (due.at, due.set_by), default=None)


def waits_for(article: Article) -> Waits | None:
    """What keeps the newest text that was sent from the public: of both, what ends later."""
    release = release_due(article)
    if article.withheld is None or release is None:
        return None
    return "embargoed" if release == article.embargo_until else "scheduled"


def due_events(article: Article) -> list[DueEvent]:
    """What time alone will do to the article as it stands, the earliest first."""
    found = []
    release = release_due(article)
    if article.withheld is not None and release is not None:
        found.append(DueEvent(EventKind.RELEASED, release))
    if is_breaking(article) and article.breaking_until is not None:
        found.append(DueEvent(EventKind.BREAKING_ENDED, article.breaking_until))
    return sorted(found, key=lambda each: each.due.at)


def is_breaking(article: Article) -> bool:
    """Whether the public sees it as breaking."""
    face = article.public
    return article.status is Status.PUBLIC and bool(face and face.text and face.text.breaking)


def has_page(article: Article) -> bool:
    """Whether a page stands at the article's path."""
    return article.status in (Status.PUBLIC, Status.RETRACTED)


def is_in(article: Article, record: Record) -> bool:
    """Whether the article's log position says that the record was folded already."""
    return article.partition == record.partition and record.offset <= article.offset


def is_past(due: DueTime | None, at: datetime) -> bool:
    """Whether a due time stands against nothing any more at that moment."""
    return due is None or due.at <= at
