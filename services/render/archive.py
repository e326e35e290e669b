"""The store's read API, as far as pages made on request need it: comparisons, and texts by key."""

from __future__ import annotations

from typing import TypeVar

import httpx
from pydantic import SecretStr, ValidationError

from newsroom.articles import Contract
from newsroom.differences import Difference
from newsroom.errors import Away
from services.render.previews import Head, Revision

AnswerT = TypeVar("AnswerT", bound=Contract)
_UNKNOWN = frozenset({httpx.codes.NOT_FOUND, httpx.codes.UNPROCESSABLE_ENTITY})


class Archive:
    """Asks the store. Every call raises Away for anything but an answer that can be used."""

    def __init__(self, url: str, key: SecretStr | None, client: httpx.AsyncClient) -> None:
        self._url, self._key, self._client = url, key, client

    async def difference(self, article_id: str, older: int, newer: int) -> Difference | None:
        """What changed between two public revisions, whole; None where the public may not see both."""
        if self._key is None:
            raise Away("store", "comparisons need a key: set NEWSROOM_PUBLISHER_KEY")
        asked: dict[str, int | str] = {"from": older, "to": newer, "view": "public", "whole": "true"}
        path = f"/articles/{article_id}/diff"
        return await self._get(path, self._key.get_secret_value(), Difference, asked)

    async def head(self, article_id: str, secret: str) -> Head | None:
        """The article as the owner of this key sees it; None for one that he may not know of."""
        return await self._get(f"/articles/{article_id}", secret, Head)

    async def revision(self, article_id: str, number: int, secret: str) -> Revision | None:
        """One of its revisions; None for one that the owner of this key may not see."""
        return await self._get(f"/articles/{article_id}/revisions/{number}", secret, Revision)

    async def _get(
        self, path: str, secret: str, model: type[AnswerT], asked: dict[str, int | str] | None = None
    ) -> AnswerT | None:
        try:
            response = await self._client.get(
                self._url + path, params=asked, headers={"Authorization": f"Bearer {secret}"}
            )
        except httpx.TransportError as error:
            raise Away("store", type(error).__name__) from error
        if response.status_code in _UNKNOWN:
            return None
        if not response.is_success:
            raise Away("store", f"{response.status_code} for a page made on request")
        try:
            return model.model_validate_json(response.content)
        except ValidationError as error:
            raise Away("store", "its answer cannot be read") from error
