"""Pages that are made when they are asked for and never written: comparisons, and previews by key.

Between the store, which has the texts, and whoever asks. Bounded, so that a crowd at one of them takes no
time from the pages that stand.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from newsroom.errors import Away
from services.render.archive import Archive
from services.render.pages import Pages

AT_ONCE = 4
MOST_WAITING = 32
_GZIP_LEVEL = 6


class OnRequest:
    """Makes such pages. Every call raises Away where the store, or the room for one more, is missing."""

    def __init__(self, archive: Archive, pages: Pages) -> None:
        self._archive, self._pages = archive, pages
        self._room = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def versions(self, article_id: str, path: str, older: int, newer: int) -> bytes | None:
        """Two public revisions of the article at that path; None where the public may not see both."""
        async with self._turn():
            difference = await self._archive.difference(article_id, older, newer)
            if difference is None:
                return None
            return await asyncio.to_thread(self._pages.versions, path, difference)

    async def preview(self, article_id: str, number: int | None, secret: str) -> bytes | None:
        """The newest text, or a revision's, as the owner of this key may see it; None where he may not."""
        async with self._turn():
            head = await self._archive.head(article_id, secret)
            revision = await self._archive.revision(article_id, number, secret) if head and number else None
            if head is None or (number is not None and revision is None):
                return None
            return await asyncio.to_thread(self._pages.preview, head, revision)

    async def packed(self, page: bytes) -> bytes:
        """The page gzipped; the same for the same page, so that its entity tag is."""
        return await asyncio.to_thread(gzip.compress, page, _GZIP_LEVEL, mtime=0)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= MOST_WAITING:
            raise Away("render", "too many pages are asked for that have to be made first")
        self._waiting += 1
        try:
            async with self._room:
                yield
        finally:
            self._waiting -= 1
