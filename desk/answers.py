"""What the services answer to the desk, as far as the desk reads it (API, "Ingest" and "Store")."""

from __future__ import annotations

from newsroom.articles import ArticleText, Contract
from newsroom.keys import Role
from newsroom.outcomes import EventState
from newsroom.times import Moment


class Receipt(Contract):
    """What a change came to within the wait. `url` only where a page stands."""

    event_id: str
    article_id: str
    state: EventState = EventState.ACCEPTED
    status_url: str | None = None
    revision: int | None = None
    url: str | None = None
    entry_id: str | None = None


class KeyEntry(Contract):
    """A key as the operator sees it: never its secret."""

    name: str
    role: Role
    created_at: Moment | None = None
    expires_at: Moment | None = None
    revoked_at: Moment | None = None


class NewKey(KeyEntry):
    """A key just made, with its secret, which is told this once."""

    secret: str


class KeyList(Contract):
    """Every key there is or was."""

    keys: tuple[KeyEntry, ...]


class ProblemField(Contract):
    """One bad field of a problem (RFC 9457, with our `errors`)."""

    pointer: str = ""
    detail: str = ""


class Problem(Contract):
    """`application/problem+json`."""

    title: str = ""
    detail: str = ""
    errors: tuple[ProblemField, ...] = ()


class SiteNotice(Contract):
    """One `event: notice` of the live stream."""

    article_id: str
    revision: int
    kind: str
    note: str | None = None
    time: Moment
    url: str
    headline: str


class ListedText(Contract):
    """What a list shows of an article's text."""

    headline: str
    section: str


class Standing(Contract):
    """How an article stands. `waiting`: what the newest text that was sent waits for, until `due_at`."""

    id: str
    revision: int
    status: str
    url: str | None = None
    published_at: Moment | None = None
    updated_at: Moment | None = None
    time: Moment | None = None
    waiting: str | None = None
    due_at: Moment | None = None


class ListedArticle(Standing):
    """One article of a list. `article` is absent of a retracted one."""

    article: ListedText | None = None


class LiveCounts(Contract):
    """What a live article says of its entries."""

    entries: int
    pinned: str | None = None
    entry_at: Moment | None = None
    closed_at: Moment | None = None


class Head(Standing):
    """An article as its editor may see it, with its whole text."""

    article: ArticleText | None = None
    live: LiveCounts | None = None
    public_revision: int | None = None
    draft_revision: int | None = None
    withheld_revision: int | None = None
    publish_at: Moment | None = None
    embargo_until: Moment | None = None
    breaking_until: Moment | None = None


class HistoryEntry(Contract):
    """One revision in an article's history."""

    revision: int
    kind: str
    time: Moment
    note: str | None = None
    breaking: bool = False
    changed: tuple[str, ...] = ()
    is_public: bool = True
    actor: str | None = None
    event_id: str | None = None
    entry_id: str | None = None


class History(Contract):
    """An article's revisions, oldest first."""

    article_id: str
    revisions: tuple[HistoryEntry, ...]


class ListedPost(Contract):
    """What a list shows of an entry; without a key no body."""

    headline: str = ""
    body: str | None = None
    key_event: bool = False
    pinned: bool = False
    author: str | None = None


class ListedEntry(Contract):
    """One entry of a live article. `revision` is the one to name in `If-Match`."""

    id: str
    number: int
    revision: int
    url: str | None = None
    entry: ListedPost
    excerpt: str | None = None
    is_on_top: bool = False
    added_at: Moment
    changed_at: Moment | None = None


class Part(Contract):
    """A part of a list of the store; with `next` there is more."""

    next: str | None = None


class EntryList(Part):
    """A part of a live article's entries, newest first; with `next` there is more."""

    entries: tuple[ListedEntry, ...]


class ArticleList(Part):
    """A part of a list; with `next` there is more."""

    articles: tuple[ListedArticle, ...]


class Rebuild(Contract):
    """A rebuild and how far it is."""

    id: str
    state: str
    announced: int
    total: int

    @property
    def is_done(self) -> bool:
        return self.state == "done"


class DeadLetter(Contract):
    """A record that could not be processed, as a list shows it."""

    id: str
    state: str
    topic: str
    partition: int
    offset: int
    time: Moment
    reason: str
    consumer: str
    article_id: str | None = None
    event_id: str | None = None
    attempts: int
    size: int
    is_whole: bool


class DeadBytes(Contract):
    """Bytes as they are; as text too where they are UTF-8."""

    base64: str
    text: str | None = None


class DeadHeader(Contract):
    """One header of the record."""

    name: str
    value: DeadBytes


class WholeDeadLetter(DeadLetter):
    """With everything that the record held."""

    key: DeadBytes | None = None
    headers: tuple[DeadHeader, ...] = ()
    value: DeadBytes | None = None


class DeadLetterList(Part):
    """A part of the dead letters; with `next` there is more."""

    dead_letters: tuple[DeadLetter, ...]
