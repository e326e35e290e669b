"""Rebuilds over HTTP: asked for and followed by publishers; `services.store.republishing` does the work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import ConfigDict, Field, model_validator

from newsroom.articles import ArticleId, Contract
from newsroom.errors import FieldError, Invalid, NotFound
from newsroom.http import bodies
from newsroom.http.auth import requires
from newsroom.http.docs import request_body
from newsroom.http.problems import Kind, pointer, responses
from newsroom.keys import ApiKey, Role
from newsroom.times import Moment
from services.store import examples
from services.store.articles import Article
from services.store.decisions import Revisions
from services.store.republications import Republication, Republications, new_republication

MAX_CHOSEN = 1000
_MAX_REQUEST_BYTES = 128 * 1024


class RepublicationRequest(Contract):
    """What to announce again: everything, or the articles named."""

    all: bool = False
    article_ids: Annotated[tuple[ArticleId, ...], Field(max_length=MAX_CHOSEN)] = ()

    @model_validator(mode="after")
    def _one_of_them(self) -> RepublicationRequest:
        if self.all == bool(self.article_ids):
            raise ValueError("must say either all or article_ids")
        return self


class RepublicationView(Contract):
    """A rebuild and how far it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.REBUILD]})

    id: str
    state: Literal["running", "done"]
    all: bool
    article_ids: tuple[str, ...] = Field(default=(), description="The articles named; empty for all")
    announced: int = Field(description="Articles announced again so far")
    total: int = Field(description="Articles to announce, as counted when it was asked for")
    asked_at: Moment
    finished_at: Moment | None = None


class Rebuilds:
    """Takes rebuilds in and tells of them. `ring` wakes the worker of this process."""

    def __init__(
        self, republications: Republications, revisions: Revisions, ring: Callable[[], None]
    ) -> None:
        self._republications = republications
        self._revisions = revisions
        self._ring = ring

    async def ask(self, wanted: RepublicationRequest) -> Republication:
        """Begin a rebuild. Raises: Invalid for articles that are unknown, Away."""
        if not wanted.all:
            await self._check_known(wanted.article_ids)
        total = await self.total() if wanted.all else len(set(wanted.article_ids))
        republication = new_republication(None if wanted.all else wanted.article_ids, total)
        await self._republications.add(republication)
        self._ring()
        return republication

    async def find(self, republication_id: str) -> Republication:
        """A rebuild. Raises: NotFound, Away."""
        found = await self._republications.find(republication_id)
        if found is None:
            raise NotFound(f"There is no rebuild {republication_id}.")
        return found

    async def part(self, after: str, most: int) -> list[Article]:
        """What a rebuild would announce next, after that article id. Raises: Away."""
        return await self._revisions.heads_from(after, most)

    async def total(self) -> int:
        """How many articles a rebuild would announce, about. Raises: Away."""
        return await self._revisions.count()

    async def _check_known(self, article_ids: Sequence[str]) -> None:
        known = {head.id for head in await self._revisions.heads(article_ids)}
        errors = tuple(
            FieldError(pointer("article_ids", place), "is no article here: leave it out")
            for place, article_id in enumerate(article_ids)
            if article_id not in known
        )
        if errors:
            raise Invalid("Some of the articles are unknown.", errors)


def view_of(republication: Republication) -> RepublicationView:
    """A rebuild as it is told."""
    return RepublicationView(
        id=republication.id,
        state=republication.state,
        all=republication.is_all,
        article_ids=republication.article_ids,
        announced=republication.announced,
        total=republication.total,
        asked_at=republication.asked_at,
        finished_at=republication.finished_at,
    )


_EXAMPLES = {
    "all": ("Everything", {"all": True}),
    "chosen": ("Two articles", {"article_ids": ["bank-siege", "2k7q5x3m6v4t8w9z"]}),
}


def rebuild_routes(rebuilds: Rebuilds) -> APIRouter:
    """`POST /republications` and `GET /republications/{id}`."""
    router = APIRouter(tags=["rebuilds"])

    @router.post(
        "/republications",
        status_code=202,
        summary="Rebuild all pages or some",
        description="Articles are announced again, so that their pages are made anew. Readers hear nothing.",
        response_model=RepublicationView,
        response_model_exclude_none=True,
        responses=responses(
            Kind.MALFORMED_JSON, Kind.UNAUTHENTICATED, Kind.FORBIDDEN, Kind.TOO_LARGE,
            Kind.UNSUPPORTED_MEDIA_TYPE, Kind.INVALID, Kind.AWAY,
        ),
        openapi_extra=request_body(RepublicationRequest, _EXAMPLES),
    )  # fmt: skip
    async def ask(
        request: Request,
        response: Response,
        _key: Annotated[ApiKey, Depends(requires(Role.PUBLISHER))],
    ) -> RepublicationView:
        sent = await bodies.read(request, RepublicationRequest, _MAX_REQUEST_BYTES)
        republication = await rebuilds.ask(sent.content)
        response.headers["Location"] = f"/republications/{republication.id}"
        return view_of(republication)

    @router.get(
        "/republications/{republication_id}",
        summary="How far a rebuild is",
        response_model=RepublicationView,
        response_model_exclude_none=True,
        responses=responses(Kind.UNAUTHENTICATED, Kind.FORBIDDEN, Kind.NOT_FOUND, Kind.AWAY),
    )
    async def find(
        republication_id: Annotated[
            str, Path(pattern=r"^rep_[0-9a-f]{16}$", examples=["rep_00c0ffee00c0ffee"])
        ],
        _key: Annotated[ApiKey, Depends(requires(Role.PUBLISHER))],
    ) -> RepublicationView:
        return view_of(await rebuilds.find(republication_id))

    return router
