"""Lists of articles, part by part: an opaque cursor says behind which article the next part begins.

A cursor is a place in the order of the list, not a count, so what is published meanwhile shifts nothing.
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from newsroom.addresses import slugify
from newsroom.articles import Contract
from newsroom.errors import Invalid
from newsroom.times import Moment, rfc3339
from services.store import examples
from services.store.articles import Article
from services.store.reading import Mark, Reading, Wanted
from services.store.views import ArticleView, Sight, shown_head

_mark = TypeAdapter(tuple[Moment, str])


class ListQuery(Contract):
    """What a list is asked with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: Annotated[
        Literal["public", "draft"],
        Field(description="`draft`: with a draft that nothing public has superseded (`reporter` and up)"),
    ] = "public"
    section: Annotated[str | None, Field(max_length=200, description="Only this section (name or slug)")] = (
        None
    )
    tag: Annotated[str | None, Field(max_length=200, description="Only with this tag (name or slug)")] = None
    since: Annotated[
        Moment | None, Field(description="Only what was published or updated then or later (RFC 3339)")
    ] = None
    cursor: Annotated[str | None, Field(max_length=300, description="`next` of the part before")] = None
    limit: Annotated[int, Field(ge=1, le=100, description="Most articles in one answer")] = 50


class ArticleList(Contract):
    """A part of a list, newest first, without bodies. Without `next` it is the last."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.LIST]})

    articles: tuple[ArticleView, ...]
    next: str | None = Field(default=None, description="Send it as `cursor` for the next part")


async def list_articles(reading: Reading, query: ListQuery, sight: Sight, site_url: str) -> ArticleList:
    """A part of the list that the query asks for. Raises: Invalid, Away."""
    is_draft = query.state == "draft"
    if is_draft and (query.section is not None or query.tag is not None):
        raise Invalid(
            "section and tag go with public articles only: leave them out, or leave out state=draft."
        )
    wanted = Wanted(
        most=query.limit + 1,
        section=slugify(query.section) if query.section is not None else None,
        tag=slugify(query.tag) if query.tag is not None else None,
        since=query.since,
        after=read_cursor(query.cursor) if query.cursor is not None else None,
    )
    found = await (reading.drafts(wanted) if is_draft else reading.public(wanted))
    # A list of public articles tells of these what the public sees, whoever asks.
    shown_as = sight if is_draft else min(sight, Sight.PUBLIC)
    page = found[: query.limit]
    has_more = len(found) > query.limit
    return ArticleList(
        articles=tuple(shown_head(article, shown_as, site_url, with_body=False) for article in page),
        next=make_cursor(page[-1], is_draft=is_draft) if has_more else None,
    )


def make_cursor(article: Article, *, is_draft: bool) -> str:
    """The place behind the article in its list."""
    time = article.time if is_draft else article.bumped_at
    if time is None:
        raise ValueError(f"article {article.id} is public without its times")
    return base64.urlsafe_b64encode(f'["{rfc3339(time)}","{article.id}"]'.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> Mark:
    """The place that a cursor says. Raises: Invalid."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        time, article_id = _mark.validate_json(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValidationError, ValueError) as error:
        detail = "is none of this list's: send `next` of an answer as it was, or leave it out"
        raise Invalid(f"The cursor {detail}.") from error
    return Mark(time, article_id)
