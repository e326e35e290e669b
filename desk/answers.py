"""What the services answer to the desk, as far as the desk reads it (API, "Ingest" and "Store")."""

from __future__ import annotations

from newsroom.articles import Contract
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


class ListedArticle(Contract):
    """One article of a list. `article` is absent of a retracted one."""

    id: str
    revision: int
    status: str
    url: str | None = None
    article: ListedText | None = None
    published_at: Moment | None = None
    updated_at: Moment | None = None
    time: Moment | None = None


class ArticleList(Contract):
    """A part of a list; with `next` there is more."""

    articles: tuple[ListedArticle, ...]
    next: str | None = None


class Rebuild(Contract):
    """A rebuild and how far it is."""

    id: str
    state: str
    announced: int
    total: int

    @property
    def is_done(self) -> bool:
        return self.state == "done"
