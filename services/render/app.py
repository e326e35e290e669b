"""The site over HTTP: the live stream first, then everything else as a path of the site."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Header, Path, Query, Response
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.routing import Route

from newsroom.http.app import Health, create_app
from newsroom.http.limits import Places
from newsroom.http.problems import Extras, Kind, Refused
from newsroom.http.problems import responses as problems
from services.render.live import Hub
from services.render.readmodel import ReadModel
from services.render.serving import RETRY_AFTER_SECONDS, SiteServer
from services.render.settings import RenderSettings
from services.render.stream import Ask, EventStream, StreamSettings

VERSION = "1"
_MOST_REVISION = 2**53
LastEventId = Annotated[str | None, Header(description="Where to go on, as the browser sends it")]
After = Annotated[str | None, Query(description="The same for a first request; `Last-Event-ID` wins")]
Pulse = Annotated[bool, Query(description="Signs of life come as `event: pulse`, not as comments")]


def create_site(
    settings: RenderSettings,
    health: Health,
    hub: Hub,
    model: ReadModel,
    server: SiteServer,
    routers: Iterable[APIRouter] = (),
) -> FastAPI:
    """The application of one render process. Connects to nothing. `routers`: what is no page of the site."""
    app = create_app(
        title="Newsroom site",
        description="The public pages and the live stream of their update notices.",
        version=VERSION,
        health=health,
        settings=settings,
    )
    _add_live(app, hub, model, settings)
    for router in routers:
        app.include_router(router)
    _add_pages(app, server)
    return app


def _add_live(app: FastAPI, hub: Hub, model: ReadModel, settings: RenderSettings) -> None:
    times = StreamSettings(age_seconds=settings.live_age_seconds)
    places = Places(settings.live_streams_per_address)

    def stream(ask: Ask) -> Response:
        if hub.streams >= settings.live_streams or hub.is_over:
            later = Extras(headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
            raise Refused(Kind.BUSY, "Too many readers are connected here: try again in a moment.", later)
        return EventStream(hub, ask, model.told, times, places)

    answers: dict[int | str, dict[str, Any]] = {
        200: {"content": {"text/event-stream": {}}, "description": "`event: notice` and `event: reset`"},
        **problems(Kind.TOO_MANY, Kind.BUSY),
    }

    @app.get("/live", tags=["live"], summary="Notices of the whole site, as they are told", responses=answers)
    async def live_site(
        last_event_id: LastEventId = None, after: After = None, pulse: Pulse = False
    ) -> Response:
        return stream(Ask(None, None, last_event_id or after, pulse))

    @app.get(
        "/live/{article_id}",
        tags=["live"],
        summary="Notices of one page, as they are told",
        responses=answers,
    )
    async def live_article(
        article_id: Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")],
        revision: Annotated[
            int | None, Query(ge=0, le=_MOST_REVISION, description="The page's `data-revision`")
        ] = None,
        last_event_id: LastEventId = None,
        after: After = None,
        pulse: Pulse = False,
    ) -> Response:
        return stream(Ask(article_id, revision, last_event_id or after, pulse))


class _OftenAsked(PathConvertor):
    """The front, sections and articles: no other route is for a path of such a shape."""

    regex = r"(?:[^/\n]+/(?:\d{4}/\d{2}/\d{2}/[^/\n]+/)?)?"


def _add_pages(app: FastAPI, server: SiteServer) -> None:
    """Any path may be one, so they come last; first, too, where all other routes would be tried in vain."""
    register_url_convertor("often_asked", _OftenAsked())

    def pages(path: str) -> Route:
        return Route(path, server.answer, methods=["GET", "HEAD"], include_in_schema=False)

    app.routes.insert(0, pages("/{path:often_asked}"))
    app.routes.append(pages("/{path:path}"))
