"""The store over HTTP: articles, their history, what became of an event, rebuilds.

Who sees what is told in `services.store.views`. Nothing is answered before the log's history is filed: in
mid-replay a head may be one that was taken down long ago.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Path, Query, Response

from newsroom.errors import NotFound
from newsroom.http.app import Health, create_app
from newsroom.http.auth import OPTIONAL_KEY, caller, demand, requires
from newsroom.http.docs import document_models
from newsroom.http.problems import Kind, Refused, responses
from newsroom.keys import ApiKey, Role
from newsroom.outcomes import EventStatus
from services.store.announced import announced_routes
from services.store.comparing import diff_routes
from services.store.entries import entry_routes
from services.store.histories import History, RevisionView, shown_history, shown_revision, text_revision
from services.store.letter_routes import letter_routes
from services.store.letterbox import Letterbox
from services.store.listing import ArticleList, ListQuery, list_articles
from services.store.reading import Reading
from services.store.rebuilds import Rebuilds, RepublicationRequest, rebuild_routes
from services.store.settings import StoreSettings
from services.store.views import ArticleView, event_status, page_url, shown_head, sight_of
from services.store.visible import visible_article

VERSION = "1"
_DESCRIPTION = """\
Every article with its history, and what became of every event.

Without a key: what is public, of a body only the excerpt of the reuse rule (at most 30 %, with a link to the
page). With a key (`reader` and up) the whole; drafts and what was withdrawn for `reporter` and up. The text
of a retracted article is shown to nobody.
"""
MaybeKey = Annotated[ApiKey | None, Depends(caller)]
ArticleIdPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", examples=["bank-siege"])]


def create_api(
    settings: StoreSettings,
    health: Health,
    reading: Reading,
    rebuilds: Rebuilds,
    letters: Letterbox,
    is_open: Callable[[], bool],
) -> FastAPI:
    """The application of one store process. Connects to nothing. `is_open`: whether the history is filed."""
    app = create_app(
        title="Newsroom store", description=_DESCRIPTION, version=VERSION, health=health, settings=settings
    )

    def opened() -> None:
        if not is_open():
            raise Refused(Kind.AWAY, "The store is still reading the log: try again in a moment.")

    for router in (
        _articles(reading, settings.site_url),
        _events(reading, settings.site_url),
        diff_routes(reading),
        entry_routes(reading, settings.site_url),
        rebuild_routes(rebuilds),
        announced_routes(rebuilds, reading),
    ):
        app.include_router(router, dependencies=[Depends(opened)])
    app.include_router(letter_routes(letters))  # also in mid-replay: a letter may tell why it takes so long
    document_models(app, [RepublicationRequest])
    return app


def _articles(reading: Reading, site_url: str) -> APIRouter:
    router = APIRouter(tags=["articles"])

    @router.get(
        "/articles",
        summary="Articles, newest first",
        description="Or what is not public yet: drafts, newest first; what is scheduled or under an embargo, "
        "with its due time, soonest first.",
        response_model=ArticleList,
        response_model_exclude_none=True,
        responses=responses(Kind.UNAUTHENTICATED, Kind.FORBIDDEN, Kind.INVALID, Kind.AWAY),
        openapi_extra=OPTIONAL_KEY,
    )
    async def articles(query: Annotated[ListQuery, Query()], key: MaybeKey) -> ArticleList:
        if query.state != "public":
            demand(key, Role.REPORTER)
        return await list_articles(reading, query, sight_of(key), site_url)

    @router.get(
        "/articles/{article_id}",
        summary="One article",
        description="`ETag` is the revision shown: send it as `If-Match` with a change.",
        response_model=ArticleView,
        response_model_exclude_none=True,
        responses=responses(Kind.UNAUTHENTICATED, Kind.NOT_FOUND, Kind.INVALID, Kind.AWAY),
        openapi_extra=OPTIONAL_KEY,
    )
    async def head(article_id: ArticleIdPath, key: MaybeKey, response: Response) -> ArticleView:
        sight = sight_of(key)
        view = shown_head(await visible_article(reading, article_id, sight), sight, site_url)
        response.headers["ETag"] = f'"{view.revision}"'
        response.headers["Vary"] = "Authorization"
        return view

    @router.get(
        "/articles/{article_id}/revisions",
        summary="An article's history",
        response_model=History,
        response_model_exclude_none=True,
        responses=responses(Kind.UNAUTHENTICATED, Kind.NOT_FOUND, Kind.INVALID, Kind.AWAY),
        openapi_extra=OPTIONAL_KEY,
    )
    async def history(article_id: ArticleIdPath, key: MaybeKey) -> History:
        sight = sight_of(key)
        await visible_article(
            reading, article_id, sight
        )  # or how long the answer takes would tell of a hidden history
        decisions = await reading.history(article_id)
        article = await visible_article(reading, article_id, sight)
        return History(article_id=article_id, revisions=tuple(shown_history(article, decisions, sight)))

    @router.get(
        "/articles/{article_id}/revisions/{revision}",
        summary="One revision",
        response_model=RevisionView,
        response_model_exclude_none=True,
        responses=responses(Kind.UNAUTHENTICATED, Kind.NOT_FOUND, Kind.INVALID, Kind.AWAY),
        openapi_extra=OPTIONAL_KEY,
    )
    async def revision(
        article_id: ArticleIdPath, revision: Annotated[int, Path(ge=1, le=2**53)], key: MaybeKey
    ) -> RevisionView:
        sight = sight_of(key)
        decision = await reading.revision(article_id, revision)
        # The head is read last: what was taken down meanwhile is not shown.
        article = await visible_article(reading, article_id, sight)
        shown_by = text_revision(article, revision, sight)
        if shown_by != revision:
            decision = await reading.revision(article_id, shown_by)
            article = await visible_article(reading, article_id, sight)
        view = shown_revision(article, revision, decision, sight) if decision is not None else None
        if view is None:
            raise NotFound(f"The article has no revision {revision}, or none that you may see.")
        return view.model_copy(update={"url": page_url(article, site_url)})

    return router


def _events(reading: Reading, site_url: str) -> APIRouter:
    router = APIRouter(tags=["events"])

    @router.get(
        "/events/{event_id}",
        summary="What became of an event",
        description="For ever. An event that is on the log but not filed yet is unknown here: ask ingest.",
        response_model=EventStatus,
        response_model_exclude_none=True,
        responses=responses(Kind.UNAUTHENTICATED, Kind.NOT_FOUND, Kind.INVALID, Kind.AWAY),
    )
    async def status(
        event_id: Annotated[
            str, Path(pattern=r"^evt_[a-z2-7]{26}$", examples=["evt_abcdefghijklmnopqrstuvwxyz"])
        ],
        _key: Annotated[ApiKey, Depends(requires(Role.READER))],
    ) -> EventStatus:
        decision = await reading.decision(event_id)
        if decision is None:
            raise NotFound("The store knows no such event.")
        return event_status(decision, await reading.rendering(decision.article_id), site_url)

    return router
