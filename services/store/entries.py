"""The entries of a live article over HTTP: newest first, part by part, or one with its revision as `ETag`."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import ConfigDict, Field

from newsroom.articles import Contract
from newsroom.errors import Invalid, NotFound
from newsroom.excerpts import excerpt
from newsroom.http.auth import OPTIONAL_KEY, caller
from newsroom.http.problems import Kind, responses
from newsroom.keys import ApiKey
from newsroom.times import Moment
from newsroom.updates import Status
from services.store import examples
from services.store.articles import Article, Entry
from services.store.reading import Reading
from services.store.views import ShownEntry, Sight, page_url, shown_entry, sight_of
from services.store.visible import visible_article

_Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", examples=["bank-siege"])]
_EntryId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", examples=["0930-police"])]


class EntryView(Contract):
    """An entry as the caller may see it. `revision` is its own; send it back in `If-Match`."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ENTRY]})

    id: str
    article_id: str
    number: int = Field(description="From 1, in the order in which entries were added")
    revision: int = Field(description="The article's revision with which the entry came to read so")
    url: str | None = Field(default=None, description="Where it stands, absolute; absent where no page does")
    entry: ShownEntry
    excerpt: str = Field(description="All of the body that may be quoted, plain text")
    is_on_top: bool = Field(description="It is the one that is pinned now")
    added_at: Moment
    changed_at: Moment | None = None


class EntryQuery(Contract):
    """What the list is asked with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cursor: Annotated[str | None, Field(max_length=100, description="`next` of the part before")] = None
    limit: Annotated[int, Field(ge=1, le=100, description="Most entries in one answer")] = 50


class EntryList(Contract):
    """A part of an article's entries, newest first. Without `next` it is the last."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ENTRIES]})

    article_id: str
    entries: tuple[EntryView, ...]
    next: str | None = Field(default=None, description="Send it as `cursor` for the next part")


def may_see(article: Article, entry: Entry, sight: Sight) -> bool:
    """Whether a caller who sees the article may see the entry as it reads now.

    Of a retracted article nobody may. What was changed while the article was withdrawn shows once it is
    published again, and an entry never ahead of its article.
    """
    if article.status is Status.RETRACTED:
        return False
    if sight is Sight.DRAFTS:
        return True
    return article.public is not None and entry.revision <= article.public.revision


def shown(article: Article, entry: Entry, sight: Sight, site_url: str) -> EntryView:
    """An entry that the caller may see."""
    page = page_url(article, site_url)
    text = shown_entry(entry.text, with_body=sight is not Sight.PUBLIC_EXCERPTS)
    return EntryView(
        id=entry.id,
        article_id=article.id,
        number=entry.number,
        revision=entry.revision,
        url=f"{page}entries/{entry.page}/#entry-{entry.id}" if page else None,
        entry=text,
        excerpt=excerpt(entry.text.body),
        is_on_top=article.live is not None and article.live.pinned == entry.id,
        added_at=entry.added_at,
        changed_at=entry.changed_at,
    )


def make_cursor(entry: Entry) -> str:
    """The place behind the entry."""
    return base64.urlsafe_b64encode(f"#{entry.number}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> int:
    """The number that a cursor says. Raises: Invalid."""
    try:
        said = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        mark, number = said[:1], int(said[1:])
    except (binascii.Error, ValueError) as error:
        raise _bad_cursor() from error
    if mark != "#" or not 0 <= number < 2**53:
        raise _bad_cursor()
    return number


def _bad_cursor() -> Invalid:
    detail = "is none of this list's: send `next` of an answer as it was, or leave it out"
    return Invalid(f"The cursor {detail}.")


def entry_routes(reading: Reading, site_url: str) -> APIRouter:
    """`GET /articles/{id}/entries` and `GET /articles/{id}/entries/{entry}`.

    The head is read after the entries: what was taken down meanwhile is not shown.
    """
    router = APIRouter(tags=["live articles"])

    @router.get(
        "/articles/{article_id}/entries",
        summary="A live article's entries, newest first",
        response_model=EntryList,
        response_model_exclude_none=True,
        responses=responses(Kind.UNAUTHENTICATED, Kind.NOT_FOUND, Kind.INVALID, Kind.AWAY),
        openapi_extra=OPTIONAL_KEY,
    )
    async def entries(
        article_id: _Id, query: Annotated[EntryQuery, Query()], key: Annotated[ApiKey | None, Depends(caller)]
    ) -> EntryList:
        sight = sight_of(key)
        before = read_cursor(query.cursor) if query.cursor is not None else None
        found = await reading.entries(article_id, query.limit + 1, before)
        article = await visible_article(reading, article_id, sight)
        part = found[: query.limit]
        is_hidden = article.status is Status.RETRACTED
        return EntryList(
            article_id=article_id,
            entries=tuple(
                shown(article, entry, sight, site_url) for entry in part if may_see(article, entry, sight)
            ),
            next=make_cursor(part[-1]) if len(found) > query.limit and not is_hidden else None,
        )

    @router.get(
        "/articles/{article_id}/entries/{entry_id}",
        summary="One entry",
        description="`ETag` is the entry's own revision: send it as `If-Match` with a change of the entry.",
        response_model=EntryView,
        response_model_exclude_none=True,
        responses=responses(Kind.UNAUTHENTICATED, Kind.NOT_FOUND, Kind.INVALID, Kind.AWAY),
        openapi_extra=OPTIONAL_KEY,
    )
    async def entry(
        article_id: _Id,
        entry_id: _EntryId,
        key: Annotated[ApiKey | None, Depends(caller)],
        response: Response,
    ) -> EntryView:
        sight = sight_of(key)
        found = await reading.entry(article_id, entry_id)
        article = await visible_article(reading, article_id, sight)
        if found is None or not may_see(article, found, sight):
            raise NotFound(f"The article has no entry {entry_id}, or none that you may see.")
        response.headers["ETag"] = f'"{found.revision}"'
        response.headers["Vary"] = "Authorization"
        return shown(article, found, sight, site_url)

    return router
