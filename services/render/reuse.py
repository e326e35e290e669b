"""What is made of an article's card when it is asked for, for other sites and for search engines.

Between the read model and who asks: quotes of an article as JSON, as a page and as oEmbed, the latest news as
a sitemap, and the way from an article's id to its page. None of it is ever a file: a correction shows in it
at once, and what the clock alone takes away is away.
"""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, Path, Query, Request, Response

from newsroom.addresses import NEWS_SITEMAP, OEMBED
from newsroom.errors import Away, NotFound
from newsroom.http.problems import MEDIA_TYPE, Kind, Refused, responses
from newsroom.times import now
from newsroom.updates import Status
from services.render.cards import Card, LedgerEntry
from services.render.contexts.quotes import Excerpt, OEmbed
from services.render.headers import CONTENT_TYPES, NEVER_KEPT, READ_ANYWHERE, REVALIDATED, SECURITY
from services.render.negotiation import accepted_encodings, entity_tag, matches
from services.render.pages import ErrorStatus, Pages
from services.render.readmodel import Address, ReadModel
from services.render.serving import RETRY_AFTER_SECONDS

NEWS_AGE = timedelta(hours=48)
NEWS_LIMIT = 1_000
_WORTH_PACKING_BYTES = 1_400
_MOST_PIXELS = 10_000
_MOST_CHARACTERS = 2_000
_DATA, _PAGE = "excerpt.json", "excerpt.html"
_BELOW_AN_ARTICLE = re.compile(r"(?<=/)(entries/[a-z0-9]+|history)/$")

Place = Annotated[str, Path(description="The path of the article's page, without the slashes around it")]
ArticleId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Url = Annotated[str, Query(max_length=_MOST_CHARACTERS, description="The address of an article's page")]
Pixels = Annotated[int, Query(ge=1, le=_MOST_PIXELS, description="CSS pixels")]


@dataclass(frozen=True)
class Quotable:
    """What is at hand of an article that may be quoted."""

    card: Card
    ledger: tuple[LedgerEntry, ...]


class Quotables:
    """Finds articles by the addresses that others know of them."""

    def __init__(self, model: ReadModel) -> None:
        self._model = model

    async def at(self, place: str) -> Quotable:
        """The article whose page stands or stood there. Raises: NotFound; Refused; Away."""
        address = await self._model.address(place)
        state = await self._model.find(address.article_id) if address else None
        if state is None or state.update.status is Status.UNPUBLISHED:
            raise NotFound("There is no article of this site at that address.")
        if state.card is None:
            raise Refused(Kind.GONE, "The article has been taken down. It may come back at its address.")
        return Quotable(state.card, state.ledger)

    async def by_url(self, url: str, site_url: str) -> Quotable:
        """The article at a whole address, or above it. Raises: NotFound; Refused; Away."""
        if not url.startswith(f"{site_url}/"):
            raise NotFound("That address is none of this site.")
        return await self.at(_BELOW_AN_ARTICLE.sub("", f"{urlsplit(url).path.rstrip('/')}/"))

    async def by_id(self, article_id: str) -> Address | None:
        """Where an article's page stands. Raises: Away."""
        return await self._model.page_of(article_id)

    async def news(self, at: datetime) -> tuple[Card, ...]:
        """What was first published in the two days before. Raises: Away."""
        return await self._model.fresh(at - NEWS_AGE, NEWS_LIMIT)


def reuse_routes(model: ReadModel, pages: Pages, clock: Callable[[], datetime] = now) -> APIRouter:
    """The routes, for render's application."""
    router = APIRouter(tags=["reuse"])
    quotables = Quotables(model)
    _add_quotes(router, quotables, pages)
    _add_oembed(router, quotables, pages)
    _add_ways(router, quotables, pages, clock)
    return router


def _add_quotes(router: APIRouter, quotables: Quotables, pages: Pages) -> None:
    @router.head(f"/{{place:path}}/{_DATA}", include_in_schema=False)
    @router.get(
        f"/{{place:path}}/{_DATA}",
        summary="What others may use of an article, as data",
        response_model=Excerpt,
        responses=responses(Kind.NOT_FOUND, Kind.GONE, Kind.AWAY) | _REDIRECT,
    )
    async def excerpt_data(request: Request, place: Place) -> Response:
        found = await quotables.at(f"/{place}/")
        if found.card.path != f"/{place}/":
            return _led(301, found.card.path + _DATA)
        return await _made(request, ".json", pages.excerpt(found.card, found.ledger))

    @router.head(f"/{{place:path}}/{_PAGE}", include_in_schema=False)
    @router.get(
        f"/{{place:path}}/{_PAGE}",
        summary="The same as a page",
        response_class=Response,
        responses=_html_of("The excerpt with its link"),
    )
    async def excerpt_page(request: Request, place: Place) -> Response:
        try:
            found = await quotables.at(f"/{place}/")
        except (NotFound, Refused, Away) as error:
            return _error(pages, _STATUSES[type(error)])
        if found.card.path != f"/{place}/":
            return _led(301, found.card.path + _PAGE)
        return await _made(request, ".html", pages.excerpt_page(found.card, found.ledger))


def _add_oembed(router: APIRouter, quotables: Quotables, pages: Pages) -> None:
    @router.head(OEMBED, include_in_schema=False)
    @router.get(
        OEMBED,
        summary="What others may show beside a link to an article (oEmbed 1.0)",
        response_model=OEmbed,
        responses=responses(Kind.NOT_FOUND, Kind.GONE, Kind.INVALID, Kind.AWAY),
    )
    async def oembed(
        request: Request,
        url: Url,
        maxwidth: Pixels = _MOST_PIXELS,
        maxheight: Pixels = _MOST_PIXELS,
        format: Literal["json"] = "json",  # noqa: A002, ARG001  (oEmbed calls it so)
    ) -> Response:
        found = await quotables.by_url(url, pages.site.url)
        return await _made(request, ".json", pages.oembed(found.card, found.ledger, maxwidth, maxheight))


def _add_ways(router: APIRouter, quotables: Quotables, pages: Pages, clock: Callable[[], datetime]) -> None:
    @router.head(NEWS_SITEMAP, include_in_schema=False)
    @router.get(
        NEWS_SITEMAP,
        summary="What was published in the last 48 hours, as a sitemap",
        response_class=Response,
        responses=_SITEMAP | responses(Kind.AWAY),
    )
    async def news_sitemap(request: Request) -> Response:
        cards = await quotables.news(clock())
        return await _made(request, ".xml", await asyncio.to_thread(pages.news_sitemap, cards))

    @router.head("/articles/{article_id}/", include_in_schema=False)
    @router.get(
        "/articles/{article_id}/",
        summary="Where an article's page stands, by its id alone",
        response_class=Response,
        status_code=302,
        responses=_html_of("Why there is none", 404, 410, 503),
    )
    async def article_by_id(article_id: ArticleId) -> Response:
        try:
            address = await quotables.by_id(article_id)
        except Away:
            return _error(pages, 503)
        if address is None or address.status is Status.UNPUBLISHED:
            return _error(pages, 404)
        return _led(302, address.page_path) if address.page_path else _error(pages, 410)


async def _made(request: Request, suffix: str, content: bytes) -> Response:
    """What was made for this request, as a file would be served: packed, with a validator."""
    headers = {
        **SECURITY,
        **READ_ANYWHERE,
        "Cache-Control": REVALIDATED,
        "Vary": "Accept-Encoding",
        "X-Robots-Tag": "noindex",
    }
    takes = accepted_encodings(request.headers.get("accept-encoding", ""))
    if "gzip" in takes and len(content) > _WORTH_PACKING_BYTES:
        content = await asyncio.to_thread(gzip.compress, content, 6, mtime=0)
        headers["Content-Encoding"] = "gzip"
    headers["ETag"] = entity_tag(content)
    if matches(request.headers.get("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers | {"Content-Type": CONTENT_TYPES[suffix]})


def _led(status: int, path: str) -> Response:
    """On to where it stands, asked again each time: an article may move."""
    headers = {**SECURITY, **READ_ANYWHERE, "Location": quote(path), "Cache-Control": REVALIDATED}
    return Response(status_code=status, headers=headers)


_STATUSES: dict[type[Exception], ErrorStatus] = {NotFound: 404, Refused: 410, Away: 503}
_SITEMAP: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/xml": {}}, "description": "The sitemap"}
}
_REDIRECT: dict[int | str, dict[str, Any]] = {301: {"description": "The article's page has moved"}}


def _error(pages: Pages, status: ErrorStatus) -> Response:
    later = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == 503 else {}
    headers = {**SECURITY, "Content-Type": CONTENT_TYPES[".html"], "Cache-Control": NEVER_KEPT, **later}
    return Response(pages.error(status), status, headers)


def _html_of(description: str, *statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documentation of answers that are pages; to what is no address at all, the framework's own."""
    page = {"content": {"text/html": {}, MEDIA_TYPE: {}}, "description": description}
    return dict.fromkeys(statuses or (200, 301, 404, 410, 503), page)
