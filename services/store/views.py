"""Who sees what of an article: the API's answers as functions of what is stored and the caller's role. Pure.

| status | no key | `reader` | `reporter` and up |
|---|---|---|---|
| public | public revision, excerpt | public revision, whole | newest revision, drafts too, whole |
| … and an update waits | as if there were none | the same | what waits, and until when |
| waits to be published | nothing (404, as for an unknown one) | nothing | everything, and until when |
| retracted | the retraction, no text | the same | the same, and the history without texts |
| withdrawn | nothing (404) | nothing | everything |
| never public | nothing (404, as for an unknown one) | nothing | everything |

A retraction is final for everybody: no role is shown a word of a retracted article, of no revision and no
entry. Below `reporter` the history is the public one, which begins anew at a publication after a withdrawal;
a revision that was withheld stands in it from its release on, with the text that the public then saw, and an
entry's revision while its article is public. Notes of withdrawals and the names of those who wrote are for
`reporter` and up.
"""

from __future__ import annotations

from enum import IntEnum

from pydantic import ConfigDict, Field

from newsroom.articles import ArticleText, Contract, Dateline, EntryText, Source
from newsroom.excerpts import excerpt
from newsroom.keys import ApiKey, Role
from newsroom.outcomes import EventState, EventStatus, Rendering
from newsroom.times import Moment
from newsroom.updates import Status
from services.store import examples
from services.store.articles import Article, Live, Waits, has_page, release_due, waits_for
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
    live: bool = Field(default=False, description="Entries may be added")
    sources: tuple[Source, ...]
    translation_of: str | None = Field(default=None, description="Id of the article that it translates")


class ShownEntry(Contract):
    """An entry's fields as its editor sent them. `body` is left out where only the excerpt may be seen."""

    headline: str
    body: str | None = Field(default=None, description="Cleaned HTML")
    key_event: bool
    pinned: bool
    author: str | None = None


class LiveView(Contract):
    """What a live article says of its entries; they are listed at `/articles/{id}/entries`."""

    entries: int = Field(description="How many there are")
    pages: int = Field(description="On how many pages of their own they stand")
    pinned: str | None = Field(default=None, description="The entry that stands on top")
    entry_at: Moment | None = Field(default=None, description="When one was added or changed last")
    closed_at: Moment | None = Field(default=None, description="Since when none can be added")


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
    live: LiveView | None = Field(default=None, description="Of an article that is or was live")
    time: Moment | None = Field(default=None, description="Time of the newest revision (`reporter` and up)")
    public_revision: int | None = Field(default=None, description="What the public sees (`reporter` and up)")
    draft_revision: int | None = Field(
        default=None, description="A draft that nothing public has superseded (`reporter` and up)"
    )
    waiting: Waits | None = Field(
        default=None, description="What the newest text that was sent waits for (`reporter` and up)"
    )
    due_at: Moment | None = Field(default=None, description="When that will be public (`reporter` and up)")
    withheld_revision: int | None = Field(
        default=None, description="The revision that will be public then (`reporter` and up)"
    )
    publish_at: Moment | None = Field(default=None, description="(`reporter` and up)")
    embargo_until: Moment | None = Field(default=None, description="(`reporter` and up)")
    breaking_until: Moment | None = Field(default=None, description="(`reporter` and up)")


def is_visible(article: Article | None, sight: Sight) -> bool:
    """Whether the caller may know of the article at all."""
    return article is not None and (sight is Sight.DRAFTS or has_page(article))


def shown_head(article: Article, sight: Sight, site_url: str, *, with_body: bool = True) -> ArticleView:
    """The head of an article that is visible. In a list without its body."""
    text, revision = _head_text(article, sight)
    view = ArticleView(
        id=article.id,
        revision=revision,
        status=article.status,
        url=page_url(article, site_url),
        article=shown_text(text, with_body=with_body and sight is not Sight.PUBLIC_EXCERPTS),
        excerpt=excerpt(text.body) if text else None,
        published_at=article.published_at,
        updated_at=article.updated_at,
        live=_shown_live(article.live) if article.status is not Status.RETRACTED else None,
    )
    return view.model_copy(update=_for_the_desk(article)) if sight is Sight.DRAFTS else view


def page_url(article: Article, site_url: str) -> str | None:
    """The article's page, absolute; None where none stands."""
    return f"{site_url}{article.path}" if article.path and has_page(article) else None


def _for_the_desk(article: Article) -> dict[str, object]:
    """What stands beside the public text, and the due times."""
    release = release_due(article) if article.withheld else None
    return {
        "time": article.time,
        "public_revision": article.public.revision if article.public and has_page(article) else None,
        "draft_revision": article.draft_revision,
        "waiting": waits_for(article),
        "due_at": release.at if release else None,
        "withheld_revision": article.withheld.changes[-1].revision if article.withheld else None,
        "publish_at": article.publish_at.at if article.publish_at else None,
        "embargo_until": article.embargo_until.at if article.embargo_until else None,
        "breaking_until": article.breaking_until.at if article.breaking_until else None,
    }


def _head_text(article: Article, sight: Sight) -> tuple[ArticleText | None, int]:
    """The text that the caller sees, and the revision it is of."""
    if article.status is Status.RETRACTED:
        return None, article.revision
    if sight is Sight.DRAFTS:
        return article.text, article.revision
    if article.public is None:
        raise ValueError(f"article {article.id} has nothing for the public")
    return article.public.text, article.public.revision


def _shown_live(live: Live | None) -> LiveView | None:
    if live is None:
        return None
    return LiveView(
        entries=live.entries,
        pages=live.pages,
        pinned=live.pinned,
        entry_at=live.entry_at,
        closed_at=live.closed_at,
    )


def shown_text(text: ArticleText | None, *, with_body: bool) -> ShownText | None:
    """The fields that a caller may see of a text."""
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
        live=text.live,
        sources=text.sources,
        translation_of=text.translation_of,
    )


def shown_entry(text: EntryText | None, *, with_body: bool) -> ShownEntry | None:
    """The fields that a caller may see of an entry."""
    if text is None:
        return None
    return ShownEntry(
        headline=text.headline,
        body=text.body if with_body else None,
        key_event=text.key_event,
        pinned=text.pinned,
        author=text.author,
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
    if decision.state is not EventState.STORED or not decision.renders:
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
