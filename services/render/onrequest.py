"""Pages that are made when they are asked for and never written: comparisons, and previews by key.

Between the store, which has the texts, and whoever asks. Bounded, so that a crowd at one of them takes no
time from the pages that stand; previews have a room of their own, which no crowd of readers fills.
"""

from __future__ import annotations

import asyncio
import gzip

from newsroom.http.room import Room
from services.render.archive import Archive
from services.render.pages import Pages

AT_ONCE = 4
MOST = 32
_GZIP_LEVEL = 6


class OnRequest:
    """Makes such pages. Raises Away where the store is, and Refused where there is no room for one more."""

    def __init__(self, archive: Archive, pages: Pages) -> None:
        self._archive, self._pages = archive, pages
        self._for_readers, self._for_the_desk = Room(AT_ONCE, MOST), Room(AT_ONCE, MOST)

    async def versions(self, article_id: str, path: str, older: int, newer: int) -> bytes | None:
        """Two public revisions of the article at that path; None where the public may not see both."""
        async with self._for_readers.turn():
            difference = await self._archive.difference(article_id, older, newer)
            if difference is None:
                return None
            return await asyncio.to_thread(self._pages.versions, path, difference)

    async def preview(self, article_id: str, number: int | None, secret: str) -> bytes | None:
        """The newest text, or a revision's, as the owner of this key may see it; None where he may not."""
        async with self._for_the_desk.turn():
            head = await self._archive.head(article_id, secret)
            revision = await self._archive.revision(article_id, number, secret) if head and number else None
            if head is None or (number is not None and revision is None):
                return None
            return await asyncio.to_thread(self._pages.preview, head, revision)

    async def packed(self, page: bytes) -> bytes:
        """The page gzipped; the same for the same page, so that its entity tag is."""
        return await asyncio.to_thread(gzip.compress, page, _GZIP_LEVEL, mtime=0)
