"""What the store would announce now: asked of its API, so that the site can be compared with a rebuild."""

from __future__ import annotations

from newsroom.announced import AnnouncedEntries, AnnouncedPart
from newsroom.errors import Away
from newsroom.updates import ArticleUpdate, EntryUpdate
from services.render.storeapi import StoreApi

_WHAT = "what it would announce"


class AnnouncedByStore(StoreApi):
    """Asks the store. Every call raises Away for anything but an answer that can be used."""

    async def part(self, after: str) -> AnnouncedPart:
        """Articles after that id, as they would be announced, by id."""
        found = await self._ask(AnnouncedPart, "/announcements", _WHAT, asked={"after": after})
        if found is None:
            raise Away("store", f"it cannot tell {_WHAT}: is it of this version?")
        return found

    async def one(self, article_id: str) -> ArticleUpdate | None:
        """One article; None for one that the store does not know."""
        return await self._ask(ArticleUpdate, f"/announcements/{article_id}", _WHAT)

    async def entries(self, article_id: str) -> list[EntryUpdate]:
        """All entries of a live article, newest first: a few megabytes at most."""
        found: list[EntryUpdate] = []
        asked: dict[str, str] = {}
        while True:
            path = f"/announcements/{article_id}/entries"
            part = await self._ask(AnnouncedEntries, path, _WHAT, asked=asked)
            if part is None:
                return []
            found += part.entries
            if part.next is None:
                return found
            asked = {"before": str(part.next)}
