"""Lists of articles, part by part: an opaque cursor says behind which article the next part begins.

A cursor is a place in the order of the list, not a count, so what is published meanwhile shifts nothing.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from newsroom.addresses import slugify
from newsroom.articles import Contract
from newsroom.errors import Invalid
from newsroom.times import Moment, SentMoment, rfc3339
from services.store import examples
from services.store.articles import Article, release_due
from services.store.reading import Mark, Reading, Wanted
from services.store.views import ArticleView, Sight, shown_head

State = Literal["public", "draft", "scheduled", "embargoed"]
_mark = TypeAdapter(tuple[Moment, str])


class ListQuery(Contract):
    """What a list is asked with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state: Annotated[
        State,
        Field(
            description="`draft`: with a draft that nothing public has superseded; `scheduled`, `embargoed`: "
            "of which something waits for that, soonest first (all but `public`: `reporter` and up)"
        ),
    ] = "public"
    section: Annotated[str | None, Field(max_length=200, description="Only this section (name or slug)")] = (
        None
    )
    tag: Annotated[str | None, Field(max_length=200, description="Only with this tag (name or slug)")] = None
    since: Annotated[
        SentMoment | None,
        Field(
            description="Only what was published or updated then or later; of what waits, what is due then "
            "or later (RFC 3339)"
        ),
    ] = None
    cursor: Annotated[str | None, Field(max_length=300, description="`next` of the part before")] = None
    limit: Annotated[int, Field(ge=1, le=100, description="Most articles in one answer")] = 50


class ArticleList(Contract):
    """A part of a list, newest first (what waits: soonest first), without bodies.

    Without `next` it is the last.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [examples.LIST]})

    articles: tuple[ArticleView, ...]
    next: str | None = Field(default=None, description="Send it as `cursor` for the next part")


async def list_articles(reading: Reading, query: ListQuery, sight: Sight, site_url: str) -> ArticleList:
    """A part of the list that the query asks for. Raises: Invalid, Away."""
    if query.state != "public" and (query.section is not None or query.tag is not None):
        raise Invalid(
            f"section and tag go with public articles only: leave them out, or leave out state={query.state}."
        )
    wanted = Wanted(
        most=query.limit + 1,
        section=slugify(query.section) if query.section is not None else None,
        tag=slugify(query.tag) if query.tag is not None else None,
        since=query.since,
        after=read_cursor(query.cursor) if query.cursor is not None else None,
    )
    found = await _find(reading, query.state, wanted)
    # A list of public articles tells of these what the public sees, whoever asks.
    shown_as = sight if query.state != "public" else min(sight, Sight.PUBLIC)
    page = found[: query.limit]
    has_more = len(found) > query.limit
    return ArticleList(
        articles=tuple(shown_head(article, shown_as, site_url, with_body=False) for article in page),
        next=make_cursor(page[-1], query.state) if has_more else None,
    )


async def _find(reading: Reading, state: State, wanted: Wanted) -> list[Article]:
    match state:
        case "public":
            return await reading.public(wanted)
        case "draft":
            return await reading.drafts(wanted)
        case "scheduled" | "embargoed":
            return await reading.waiting(state, wanted)


def make_cursor(article: Article, state: State) -> str:
    """The place behind the article in its list."""
    time = _time_in_list(article, state)
    if time is None:
        raise ValueError(f"article {article.id} has no place in the list of what is {state}")
    return base64.urlsafe_b64encode(f'["{rfc3339(time)}","{article.id}"]'.encode()).decode().rstrip("=")


def _time_in_list(article: Article, state: State) -> datetime | None:
    """What orders the list."""
    match state:
        case "public":
            return article.bumped_at
        case "draft":
            return article.time
        case "scheduled" | "embargoed":
            release = release_due(article)
            return release.at if release else None


def read_cursor(cursor: str) -> Mark:
    """The place that a cursor says. Raises: Invalid."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        time, article_id = _mark.validate_json(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValidationError, ValueError) as error:
        detail = "is none of this list's: send `next` of an answer as it was, or leave it out"
        raise Invalid(f"The cursor {detail}.") from error
    return Mark(time, article_id)
