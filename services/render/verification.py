"""`POST /api/verification`: the site compared with a rebuild, told line by line as it goes on (publishers).

A line is a JSON object: how far it is, one difference, or at last the totals. An answer without totals, or
with a failure in their place, is no result.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, Literal, Protocol

import structlog
from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import StreamingResponse

from newsroom.articles import Contract
from newsroom.errors import Away
from newsroom.http.auth import requires
from newsroom.http.problems import Extras, Kind, Refused, responses
from newsroom.keys import ApiKey, Role
from services.render.comparison import Difference, What
from services.render.headers import NEVER_KEPT, SECURITY
from services.render.verifying import Progress, Totals

log = structlog.get_logger(__name__)
NDJSON = "application/x-ndjson"
MOST_TOLD = 1_000
_RETRY_AFTER_SECONDS = 30
_STOPPING = "this instance stopped before it was done: ask again"


class Counts(Contract):
    """What was looked at."""

    articles: int
    expected: int = Field(description="Articles there are, about")
    listings: int
    files: int = Field(description="Files that a rebuild would write, siblings left out")


class ProgressLine(Counts):
    """How far it is."""

    line: Literal["progress"] = "progress"


class DifferenceLine(Contract):
    """One thing that a rebuild would make otherwise; it still did when it was looked at again."""

    line: Literal["difference"] = "difference"
    what: What
    path: str
    detail: str
    article_id: str | None = None


class TotalLine(Counts):
    """The result: equal where nothing differs. Of very many differences the first are told, all counted."""

    line: Literal["total"] = "total"
    differences: int


class FailureLine(Contract):
    """It could not be done to the end."""

    line: Literal["failure"] = "failure"
    reason: str


Line = ProgressLine | DifferenceLine | TotalLine | FailureLine


class Comparison(Protocol):
    """What `verifying.Verifier` does."""

    def run(self) -> AsyncIterator[Progress]: ...


def verification_routes(begin: Callable[[], Comparison]) -> APIRouter:
    """The route, for render's application. One comparison runs at a time; `begin` makes it."""
    router = APIRouter(tags=["verification"])
    turn = asyncio.Lock()
    answers: dict[int | str, dict[str, Any]] = {
        200: {"content": {NDJSON: {}}, "description": "Lines of JSON: progress, differences, then the total"}
    }

    @router.post(
        "/api/verification",
        summary="Compare the site with a rebuild",
        description="Draws every page and listing anew in memory and tells what differs. Nothing is written.",
        response_class=StreamingResponse,
        responses={**answers, **responses(Kind.UNAUTHENTICATED, Kind.FORBIDDEN, Kind.AWAY, Kind.BUSY)},
    )
    async def verify(
        request: Request, _key: Annotated[ApiKey, Depends(requires(Role.PUBLISHER))]
    ) -> StreamingResponse:
        if turn.locked():
            later = Extras(headers={"Retry-After": str(_RETRY_AFTER_SECONDS)})
            raise Refused(Kind.BUSY, "A comparison runs here already: ask again when it is done.", later)
        stopping: asyncio.Event = request.app.state.stopping
        headers = {**SECURITY, "Cache-Control": NEVER_KEPT, "X-Accel-Buffering": "no"}
        return StreamingResponse(_lines(begin(), turn, stopping), headers=headers, media_type=NDJSON)

    return router


async def _lines(comparison: Comparison, turn: asyncio.Lock, stopping: asyncio.Event) -> AsyncIterator[str]:
    """The answer's lines. The turn is taken here, so that it is given up however the answer ends."""
    async with turn:
        async for line in told(comparison, stopping):
            yield f"{line.model_dump_json(exclude_none=True)}\n"


async def told(comparison: Comparison, stopping: asyncio.Event) -> AsyncIterator[Line]:
    """What is found, as lines: the last is the total, or why there is none."""
    newest, count = Totals(), 0
    try:
        async for progress in comparison.run():
            if stopping.is_set():
                yield FailureLine(reason=_STOPPING)
                return
            newest = progress.totals
            for difference in progress.differences[: max(0, MOST_TOLD - count)]:
                yield _line(difference)
            count += len(progress.differences)
            yield ProgressLine(**_counts(newest))
    except Away as error:
        yield FailureLine(reason=str(error))
        return
    log.info("site_verified", articles=newest.articles, files=newest.files, differences=count)
    yield TotalLine(**_counts(newest), differences=count)


def _line(difference: Difference) -> DifferenceLine:
    return DifferenceLine(
        what=difference.what,
        path=difference.path,
        detail=difference.detail,
        article_id=difference.article_id,
    )


def _counts(totals: Totals) -> dict[str, int]:
    return {
        "articles": totals.articles,
        "expected": totals.expected,
        "listings": totals.listings,
        "files": totals.files,
    }
