"""What the store would announce now: asked of its API, so that the site can be compared with a rebuild."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import httpx
from pydantic import SecretStr, ValidationError

from newsroom.announced import AnnouncedEntries, AnnouncedPart
from newsroom.articles import Contract
from newsroom.errors import Away
from newsroom.updates import ArticleUpdate, EntryUpdate

AnswerT = TypeVar("AnswerT", bound=Contract)


class AnnouncedByStore:
    """Asks the store. Every call raises Away for anything but an answer that can be used."""

    def __init__(self, url: str, key: SecretStr | None, client: httpx.AsyncClient) -> None:
        self._url, self._key, self._client = url, key, client

    async def part(self, after: str) -> AnnouncedPart:
        """Articles after that id, as they would be announced, by id."""
        found = await self._get("/announcements", AnnouncedPart, {"after": after})
        if found is None:
            raise Away("store", "it cannot tell what it would announce: is it of this version?")
        return found

    async def one(self, article_id: str) -> ArticleUpdate | None:
        """One article; None for one that the store does not know."""
        return await self._get(f"/announcements/{article_id}", ArticleUpdate)

    async def entries(self, article_id: str) -> list[EntryUpdate]:
        """All entries of a live article, newest first: a few megabytes at most."""
        found: list[EntryUpdate] = []
        asked: dict[str, str] = {}
        while True:
            part = await self._get(f"/announcements/{article_id}/entries", AnnouncedEntries, asked)
            if part is None:
                return []
            found += part.entries
            if part.next is None:
                return found
            asked = {"before": str(part.next)}

    async def _get(
        self, path: str, model: type[AnswerT], asked: Mapping[str, str] | None = None
    ) -> AnswerT | None:
        if self._key is None:
            raise Away("store", "a comparison needs a publisher's key: set NEWSROOM_PUBLISHER_KEY")
        headers = {"Authorization": f"Bearer {self._key.get_secret_value()}"}
        try:
            response = await self._client.get(self._url + path, params=asked, headers=headers)
        except httpx.TransportError as error:
            raise Away("store", type(error).__name__) from error
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        if not response.is_success:
            hint = ": check NEWSROOM_PUBLISHER_KEY" if response.status_code in (401, 403) else ""
            raise Away("store", f"{response.status_code} for what it would announce{hint}")
        try:
            return model.model_validate_json(response.content)
        except ValidationError as error:
            raise Away("store", "its answer cannot be read") from error
