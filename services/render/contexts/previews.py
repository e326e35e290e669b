"""What the preview of a text may use: its page as it would look, under a banner that says what it is."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Literal
from urllib.parse import urlsplit

from newsroom.articles import ArticleText, Contract
from newsroom.times import Moment
from newsroom.updates import ArticleUpdate, PublicArticle, Status
from services.render.contexts.articlepages import ArticlePage, article_page
from services.render.looks.sitefile import Site
from services.render.words.dates import When
from services.render.words.wording import Wording, message

PLACE = "/preview/"
_STANDING = {
    Status.UNPUBLISHED: message("Not public"),
    Status.PUBLIC: message("Public"),
    Status.WITHDRAWN: message("Withdrawn, not public"),
    Status.RETRACTED: message("Retracted"),
}


class Head(Contract):
    """An article as its desk sees it. `article` is its newest text, None once it is retracted."""

    id: str
    revision: int
    status: Status
    url: str | None = None
    article: ArticleText | None = None
    published_at: Moment | None = None
    updated_at: Moment | None = None
    time: Moment | None = None
    draft_revision: int | None = None
    withheld_revision: int | None = None
    waiting: Literal["scheduled", "embargoed"] | None = None
    due_at: Moment | None = None


class Revision(Contract):
    """One revision of an article. `article` is None of one that brought no text."""

    revision: int
    is_public: bool = True
    article: ArticleText | None = None


@dataclass(frozen=True)
class Banner:
    """What is shown: in words, and until when it waits."""

    text: str
    until: When | None
    revision: int


@dataclass(frozen=True, kw_only=True)
class PreviewPage(ArticlePage):
    """An article's page with a banner. `public_path`: where its public page stands, None where none does."""

    banner: Banner
    public_path: str | None


def preview_page(head: Head, revision: Revision | None, site: Site, wording: Wording) -> PreviewPage | None:
    """The page of the newest text, or of a revision's. None where there is no text to show."""
    text = revision.article if revision else head.article
    if text is None or head.status is Status.RETRACTED:
        return None
    number = revision.revision if revision else head.revision
    public_path = urlsplit(head.url).path if head.url else None
    page = article_page(*_as_if_public(head, number, text, public_path), text, site, wording)
    shown = replace(page.head, canonical=site.absolute(f"{PLACE}{head.id}"), is_indexed=False, graph=None)
    as_it_would_be: dict[str, Any] = {field.name: getattr(page, field.name) for field in fields(page)}
    banner = _banner(head, revision, _zone(text), wording)
    return PreviewPage(**as_it_would_be | {"head": shown}, banner=banner, public_path=public_path)


def _as_if_public(
    head: Head, number: int, text: ArticleText, path: str | None
) -> tuple[ArticleUpdate, PublicArticle]:
    """What the store would announce of the text, without a history: nothing was told of it yet."""
    published_at = _published_at(head, text)
    public = PublicArticle(
        revision=number,
        text=text,
        section=text.section,
        language=text.language,
        dateline_place=text.dateline.place if text.dateline else None,
        timezone=_zone(text),
        published_at=published_at,
        updated_at=head.updated_at or published_at,
        bumped_at=published_at,
        changes=(),
    )
    update = ArticleUpdate(
        article_id=head.id,
        revision=number,
        status=Status.PUBLIC,
        path=path or f"{PLACE}{head.id}",
        public=public,
    )
    return update, public


def _published_at(head: Head, text: ArticleText) -> Moment:
    """When it was or would be published; where nobody said when, the time of its newest revision."""
    found = head.published_at or text.published_at or head.due_at or head.time
    if found is None:
        raise ValueError(f"article {head.id} came without any time")
    return found


def _banner(head: Head, revision: Revision | None, zone: str, wording: Wording) -> Banner:
    """The newest text is a draft, or what waits, or what is public, in this order."""
    newest = head.draft_revision or head.withheld_revision or head.revision
    number = revision.revision if revision else newest
    if number == head.draft_revision:
        return Banner(wording.text("Draft, not public"), None, number)
    if number == head.withheld_revision and head.waiting and head.due_at:
        until = wording.when(head.due_at, zone)
        if head.waiting == "scheduled":
            return Banner(wording.text("Scheduled for"), until, number)
        return Banner(wording.text("Embargoed until"), until, number)
    if revision is None:
        return Banner(wording.text(_STANDING[head.status]), None, number)
    earlier = wording.text("An earlier revision") if revision.is_public else wording.text("Was not public")
    return Banner(earlier, None, number)


def _zone(text: ArticleText) -> str:
    return text.dateline.timezone if text.dateline else "UTC"
