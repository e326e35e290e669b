"""`GET /articles/{id}/diff`: which two texts the caller may compare, and the comparison, beside the loop.

Below `reporter` only revisions of the public history, each with the text that the public saw; a reporter may
compare any two. The head is read again when the comparison is done, so that nothing is answered that was
taken down meanwhile.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import ConfigDict, Field

from newsroom.articles import ArticleText, Contract
from newsroom.differences import Difference, Side
from newsroom.errors import Invalid, NotFound
from newsroom.http.auth import OPTIONAL_KEY, caller
from newsroom.http.problems import Kind, responses
from newsroom.http.room import Room
from newsroom.keys import ApiKey
from newsroom.updates import Change, Status
from services.store.articles import Article, has_page
from services.store.decisions import Decision
from services.store.diffs import field_differences, only_counts
from services.store.histories import desk_text, public_text
from services.store.reading import Reading
from services.store.views import Sight, sight_of
from services.store.visible import visible_article

AT_ONCE = 1
"""Two would share one processor anyway, and comparing the largest two bodies takes some 200 MB."""
MOST = 16
_MOST_REVISION = 2**53


class DiffQuery(Contract):
    """Which two revisions, and how they are to be told."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    older: Annotated[int, Field(alias="from", ge=1, le=_MOST_REVISION, description="The earlier revision")]
    newer: Annotated[int, Field(alias="to", ge=1, le=_MOST_REVISION, description="The later, or the same")]
    view: Annotated[
        Literal["own", "public"],
        Field(description="`public`: as somebody sees it who sees only what is public, whatever the key"),
    ] = "own"
    whole: Annotated[
        bool, Field(description="Headline, deck and body in any case, and the rest of the newer text")
    ] = False


class Comparer:
    """Compares texts in threads, so many at once; who comes when too many wait is told to come again."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._room = Room(AT_ONCE, MOST)

    async def compare(self, article_id: str, query: DiffQuery, sight: Sight) -> Difference:
        """Raises: NotFound; Invalid where the revisions stand the wrong way round; Away; Refused."""
        if query.older > query.newer:
            raise Invalid("from is later than to: give the earlier revision as from.")
        async with self._room.turn():
            return await self._compare(article_id, query, sight)

    async def _compare(self, article_id: str, query: DiffQuery, sight: Sight) -> Difference:
        article = await self._visible(article_id, sight)
        older, old = await self._side(article, query.older, sight)
        newer, new = await self._side(article, query.newer, sight)
        sees_words = sight is not Sight.PUBLIC_EXCERPTS
        is_whole = sees_words and query.whole
        fields = await asyncio.to_thread(field_differences, old, new, whole=is_whole)
        now = await self._visible(article_id, sight)
        if sight is not Sight.DRAFTS and not {change.revision for change in now.changes} >= {
            query.older, query.newer
        }:  # fmt: skip
            raise _unknown(query.older, query.newer)
        return Difference(
            article_id=article_id,
            older=older,
            newer=newer,
            fields=fields if sees_words else tuple(only_counts(each) for each in fields),
            article=new.model_copy(update={"body": ""}) if is_whole else None,
        )

    async def _visible(self, article_id: str, sight: Sight) -> Article:
        """The article as it stands. A retracted one has no text to compare, for nobody."""
        article = await visible_article(self._reading, article_id, sight)
        if article.status is Status.RETRACTED:
            raise NotFound("There is no such article, or none with a text that you may see.")
        return article

    async def _side(self, article: Article, number: int, sight: Sight) -> tuple[Side, ArticleText]:
        change = next((each for each in article.changes if each.revision == number), None)
        if sight is Sight.DRAFTS:
            decision = await self._reading.revision(article.id, number)
            text = desk_text(decision) if decision else None
        elif change is not None and has_page(article):
            decision = await self._reading.revision(article.id, change.text_at)
            text = public_text(decision) if decision else None
        else:
            raise _unknown(number)
        if decision is None or text is None:
            raise _unknown(number)
        return _told(number, change, decision), text


def _unknown(*numbers: int) -> NotFound:
    named = " and ".join(map(str, numbers))
    return NotFound(f"The article has no revision {named}, or none that you may see.")


def _told(number: int, change: Change | None, decision: Decision) -> Side:
    if change is not None:
        return Side(revision=number, kind=change.kind.value, time=change.time, note=change.note)
    if decision.kind is None or decision.revised_at is None:
        raise ValueError(f"decision {decision.event_id} made no revision")
    kind = decision.corrects or decision.kind
    return Side(revision=number, kind=kind.value, time=decision.revised_at, note=decision.note)


def diff_routes(reading: Reading) -> APIRouter:
    """The route, for the store's application."""
    router = APIRouter(tags=["articles"])
    comparer = Comparer(reading)

    @router.get(
        "/articles/{article_id}/diff",
        summary="The words that changed between two revisions",
        description="Without a key the names of the changed fields and how many words came and went.",
        response_model=Difference,
        response_model_exclude_none=True,
        responses=responses(Kind.UNAUTHENTICATED, Kind.NOT_FOUND, Kind.INVALID, Kind.AWAY, Kind.BUSY),
        openapi_extra=OPTIONAL_KEY,
    )
    async def diff(
        article_id: Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", examples=["bank-siege"])],
        query: Annotated[DiffQuery, Query()],
        key: Annotated[ApiKey | None, Depends(caller)],
        response: Response,
    ) -> Difference:
        response.headers["Vary"] = "Authorization"
        sight = sight_of(key)
        if query.view == "public":
            sight = min(sight, Sight.PUBLIC)
        return await comparer.compare(article_id, query, sight)

    return router
