"""Who sees what of an article: the API's answers as functions of what is stored and the caller's role. Pure.

| status | no key | `reader` | `reporter` and up |
|---|---|---|---|
| public | public revision, excerpt | public revision, whole | newest revision, drafts too, whole |
| retracted | the retraction, no text | the same | the same, and the history without texts |
| withdrawn | nothing (404) | nothing | everything |
| never public | nothing (404, as for an unknown one) | nothing | everything |

A retraction is final for everybody: no role is shown a word of a retracted article, of no revision. Below
`reporter` the history is the public one, which begins anew at a publication after a withdrawal. Notes of
withdrawals and the names of those who wrote are for `reporter` and up.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from pydantic import ConfigDict, Field

from newsroom.articles import ArticleText, Contract, Dateline, Source
from newsroom.excerpts import excerpt
from newsroom.keys import ApiKey, Role
from newsroom.outcomes import EventState, EventStatus, Rendering
from newsroom.times import Moment
from newsroom.updates import Change, Status
from services.store import examples
from services.store.announcing import has_page, renders
from services.store.articles import Article
from services.store.decisions import Decision


class Sight(IntEnum):
    """How much a caller may see; each sees all that the ones before see."""

    PUBLIC_EXCERPTS = 0
    PUBLIC = 1
    DRAFTS = 2


def sight_of(key: ApiKey | None) -> Sight:
    """What the caller with this key may see (None: nobody known)."""
    if key is None:
        return Sight.PUBLIC_EXCERPTS
    return Sight.DRAFTS if key.role.may_act_as(Role.REPORTER) else Sight.PUBLIC


class ShownText(Contract):
    """An article's fields as its editor sent them.

    `body` is left out where only the excerpt may be seen, and in lists.
    """

    headline: str
    deck: str
    body: str | None = Field(default=None, description="Cleaned HTML")
    section: str
    tags: tuple[str, ...]
    authors: tuple[str, ...]
    dateline: Dateline | None = None
    language: str
    slug: str | None = None
    breaking: bool
    published_at: Moment | None = None
    sources: tuple[Source, ...]


class ArticleView(Contract):
    """An article as the caller may see it. `revision` is the one shown; send it back in `If-Match`."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.HEAD]})

    id: str
    revision: int
    status: Status
    url: str | None = Field(default=None, description="The page, absolute; absent where none stands")
    article: ShownText | None = Field(default=None, description="Absent of a retracted article")
    excerpt: str | None = Field(default=None, description="All of the body that may be quoted, plain text")
    published_at: Moment | None = None
    updated_at: Moment | None = None
    time: Moment | None = Field(default=None, description="Time of the newest revision (`reporter` and up)")
    public_revision: int | None = Field(default=None, description="What the public sees (`reporter` and up)")
    draft_revision: int | None = Field(
        default=None, description="A draft that nothing public has superseded (`reporter` and up)"
    )


class RevisionView(Contract):
    """One revision in an article's history."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.REVISION]})

    revision: int
    kind: str = Field(
        description="What the editor declared; in the public history a correction by its own kind"
    )
    time: Moment
    note: str | None = None
    breaking: bool = False
    changed: tuple[str, ...] = Field(
        default=(),
        description="Fields that differ from what the public saw before; of a draft, from the text before",
    )
    is_public: bool = True
    actor: str | None = Field(
        default=None, description="Name of the key it was sent with (`reporter` and up)"
    )
    event_id: str | None = Field(default=None, description="(`reporter` and up)")
    article: ShownText | None = Field(default=None, description="The text; only of a single revision")
    excerpt: str | None = None


class History(Contract):
    """An article's revisions, oldest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.HISTORY]})

    article_id: str
    revisions: tuple[RevisionView, ...]


def is_visible(article: Article | None, sight: Sight) -> bool:
    """Whether the caller may know of the article at all."""
    return article is not None and (sight is Sight.DRAFTS or has_page(article))


def shown_head(article: Article, sight: Sight, site_url: str, *, with_body: bool = True) -> ArticleView:
    """The head of an article that is visible. In a list without its body."""
    text, revision = _head_text(article, sight)
    sees_drafts = sight is Sight.DRAFTS
    return ArticleView(
        id=article.id,
        revision=revision,
        status=article.status,
        url=f"{site_url}{article.path}" if article.path and has_page(article) else None,
        article=_shown(text, with_body=with_body and sight is not Sight.PUBLIC_EXCERPTS),
        excerpt=excerpt(text.body) if text else None,
        published_at=article.published_at,
        updated_at=article.updated_at,
        time=article.time if sees_drafts else None,
        public_revision=article.public.revision
        if sees_drafts and article.public and has_page(article)
        else None,
        draft_revision=article.draft_revision if sees_drafts else None,
    )


def _head_text(article: Article, sight: Sight) -> tuple[ArticleText | None, int]:
    """The text that the caller sees, and the revision it is of."""
    if article.status is Status.RETRACTED:
        return None, article.revision
    if sight is Sight.DRAFTS:
        return article.text, article.revision
    if article.public is None:
        raise ValueError(f"article {article.id} has nothing for the public")
    return article.public.text, article.public.revision


def public_history(article: Article, decisions: Iterable[Decision], sight: Sight) -> list[RevisionView]:
    """The history as the caller may see it. `decisions` are all of the article's revisions, oldest first."""
    if sight is Sight.DRAFTS:
        return [_full_revision(decision) for decision in decisions]
    changed = {decision.revision: decision.changed for decision in decisions}
    return [_public_revision(change, changed.get(change.revision, ())) for change in article.changes]


def shown_revision(article: Article, decision: Decision, sight: Sight) -> RevisionView | None:
    """One revision with its text; None where the caller may not see it.

    `decision` carries the article after it.
    """
    change = next((each for each in article.changes if each.revision == decision.revision), None)
    if sight is Sight.DRAFTS:
        view = _full_revision(decision)
    elif change is not None and has_page(article):
        view = _public_revision(change, decision.changed)
    else:
        return None
    text = decision.article.text if decision.article and article.status is not Status.RETRACTED else None
    return view.model_copy(
        update={
            "article": _shown(text, with_body=sight is not Sight.PUBLIC_EXCERPTS),
            "excerpt": excerpt(text.body) if text else None,
        }
    )


def _public_revision(change: Change, changed: tuple[str, ...]) -> RevisionView:
    return RevisionView(
        revision=change.revision,
        kind=change.kind.value,
        time=change.time,
        note=change.note,
        breaking=change.breaking,
        changed=changed,
    )


def _full_revision(decision: Decision) -> RevisionView:
    if decision.revision is None or decision.kind is None or decision.revised_at is None:
        raise ValueError(f"decision {decision.event_id} made no revision")
    change = decision.change
    return RevisionView(
        revision=decision.revision,
        kind=change.kind.value if change else decision.kind.value,
        time=decision.revised_at,
        note=decision.note,
        breaking=change.breaking if change else False,
        changed=decision.changed,
        is_public=change is not None,
        actor=decision.actor or None,
        event_id=decision.event_id,
    )


def _shown(text: ArticleText | None, *, with_body: bool) -> ShownText | None:
    if text is None:
        return None
    return ShownText(
        headline=text.headline,
        deck=text.deck,
        body=text.body if with_body else None,
        section=text.section,
        tags=text.tags,
        authors=text.authors,
        dateline=text.dateline,
        language=text.language,
        slug=text.slug,
        breaking=text.breaking,
        published_at=text.published_at,
        sources=text.sources,
    )


def event_status(decision: Decision, rendering: Rendering | None, site_url: str) -> EventStatus:
    """What became of an event; rendered once the article's public outputs have come to its revision."""
    status = EventStatus(
        event_id=decision.event_id,
        article_id=decision.article_id or None,
        state=decision.state,
        revision=decision.revision,
        code=decision.rejection.code if decision.rejection else None,
        reason=decision.rejection.detail if decision.rejection else decision.reason,
        request_hash=decision.request_hash or None,
        times=decision.times,
    )
    if decision.state is not EventState.STORED or not renders(decision):
        return status
    if rendering is None or rendering.revision < (decision.revision or 0):
        return status
    is_same = rendering.revision == decision.revision
    return status.model_copy(
        update={
            "state": EventState.RENDERED,
            "url": f"{site_url}{rendering.path}" if rendering.path else None,
            "times": {**(rendering.times if is_same else {}), **decision.times},
        }
    )
