"""The store's read API, as far as pages made on request need it: comparisons, and texts by key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import httpx

from newsroom.articles import Contract
from newsroom.differences import Difference
from services.render.contexts.previews import Head, Revision
from services.render.storeapi import StoreApi

AnswerT = TypeVar("AnswerT", bound=Contract)
_UNKNOWN = (httpx.codes.NOT_FOUND, httpx.codes.UNPROCESSABLE_ENTITY)


class Archive(StoreApi):
    """Asks the store. Every call raises Away for anything but an answer that can be used."""

    async def difference(self, article_id: str, older: int, newer: int) -> Difference | None:
        """What changed between two public revisions, whole; None where the public may not see both."""
        asked = {"from": str(older), "to": str(newer), "view": "public", "whole": "true"}
        return await self._page(Difference, f"/articles/{article_id}/diff", asked=asked)

    async def head(self, article_id: str, secret: str) -> Head | None:
        """The article as the owner of this key sees it; None for one that he may not know of."""
        return await self._page(Head, f"/articles/{article_id}", secret=secret)

    async def revision(self, article_id: str, number: int, secret: str) -> Revision | None:
        """One of its revisions; None for one that the owner of this key may not see."""
        return await self._page(Revision, f"/articles/{article_id}/revisions/{number}", secret=secret)

    async def _page(
        self,
        model: type[AnswerT],
        path: str,
        *,
        asked: Mapping[str, str] | None = None,
        secret: str | None = None,
    ) -> AnswerT | None:
        what = "a page made on request"
        return await self._ask(model, path, what, asked=asked, secret=secret, unknown=_UNKNOWN)
