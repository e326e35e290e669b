"""What the store would announce now, over HTTP: for render, which compares the site with a rebuild.

For publishers only, as it is render's question; it carries no text that the public may not see.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from newsroom.announced import AnnouncedEntries, AnnouncedPart
from newsroom.errors import NotFound
from newsroom.http.auth import requires
from newsroom.http.problems import Kind, responses
from newsroom.keys import ApiKey, Role
from newsroom.updates import ArticleUpdate
from services.store.announcing import entry_update_of, update_of
from services.store.articles import Article
from services.store.reading import Reading
from services.store.rebuilds import Rebuilds

MOST_ARTICLES = 50
MOST_ENTRIES = 100
_ArticleIdPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", examples=["bank-siege"])]
_Publisher = Annotated[ApiKey, Depends(requires(Role.PUBLISHER))]


def announced_routes(rebuilds: Rebuilds, reading: Reading) -> APIRouter:
    """`GET /announcements`, of one article, and the entries of one."""
    router = APIRouter(tags=["rebuilds"])

    async def standing(article_id: str) -> Article:
        article = await reading.article(article_id)
        if article is None:
            raise NotFound("There is no such article.")
        return article

    @router.get(
        "/announcements",
        summary="What a rebuild would announce, by article id",
        response_model=AnnouncedPart,
        response_model_exclude_none=True,
        responses=responses(Kind.UNAUTHENTICATED, Kind.FORBIDDEN, Kind.INVALID, Kind.AWAY),
    )
    async def announcements(
        _key: _Publisher,
        after: Annotated[
            str, Query(pattern=r"^[A-Za-z0-9_-]{0,64}$", description="`next` of the part before")
        ] = "",
        limit: Annotated[int, Query(ge=1, le=MOST_ARTICLES, description="Most articles in one answer")] = 20,
    ) -> AnnouncedPart:
        articles = await rebuilds.part(after, limit + 1)
        page = articles[:limit]
        return AnnouncedPart(
            updates=tuple(update_of(article) for article in page),
            total=await rebuilds.total(),
            next=page[-1].id if len(articles) > limit else None,
        )

    @router.get(
        "/announcements/{article_id}",
        summary="What a rebuild would announce of one article",
        response_model=ArticleUpdate,
        response_model_exclude_none=True,
        responses=responses(Kind.UNAUTHENTICATED, Kind.FORBIDDEN, Kind.NOT_FOUND, Kind.INVALID, Kind.AWAY),
    )
    async def announcement(article_id: _ArticleIdPath, _key: _Publisher) -> ArticleUpdate:
        return update_of(await standing(article_id))

    @router.get(
        "/announcements/{article_id}/entries",
        summary="What a rebuild would announce of a live article's entries, newest first",
        response_model=AnnouncedEntries,
        response_model_exclude_none=True,
        responses=responses(Kind.UNAUTHENTICATED, Kind.FORBIDDEN, Kind.NOT_FOUND, Kind.INVALID, Kind.AWAY),
    )
    async def entries(
        article_id: _ArticleIdPath,
        _key: _Publisher,
        before: Annotated[int | None, Query(ge=1, le=2**53, description="`next` of the part before")] = None,
        limit: Annotated[int, Query(ge=1, le=MOST_ENTRIES, description="Most entries in one answer")] = 100,
    ) -> AnnouncedEntries:
        found = await reading.entries(article_id, limit + 1, before)
        article = await standing(article_id)
        page = found[:limit]
        return AnnouncedEntries(
            entries=tuple(entry_update_of(article, entry) for entry in page),
            next=page[-1].number if len(found) > limit else None,
        )

    return router
