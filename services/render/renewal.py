"""Notices that the site's file or its own folder changed, and has the site become what they say now.

No restart: the new look is loaded as a whole and tried on a sample; one that cannot be used is told in the
log, and the site stays as it was. Then everything is built anew, as after a start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog

from newsroom.errors import Misconfigured
from newsroom.service import persist
from services.render.looks.look import Look, load_look
from services.render.looks.sitefile import load_site
from services.render.pages import Pages, fingerprint_of
from services.render.readmodel import Identity
from services.render.rebuild import Rebuilder
from services.render.rehearsal import rehearse

log = structlog.get_logger(__name__)
POLL_SECONDS = 1.0
"""A change counts when it has stood for so long: an editor may be in the middle of writing."""

Mark = frozenset[tuple[str, int, int, int]]


@dataclass(frozen=True)
class LookSource:
    """Where a look is read from: the site's file and its own folder. `url`: the site's public address."""

    file: Path
    folder: Path
    url: str

    def load(self) -> Look:
        """The look as it lies there now, tried on a sample. Raises: Misconfigured."""
        look = load_look(load_site(self.file, self.url), self.folder)
        rehearse(look)
        return look

    def mark(self) -> Mark:
        """What changes with any of the files, without reading them."""
        return frozenset(self._marks())

    def _marks(self) -> Iterator[tuple[str, int, int, int]]:
        for file in (self.file, *self.folder.rglob("*")):
            try:
                found = file.stat()
            except OSError:
                continue
            yield str(file), found.st_mtime_ns, found.st_size, found.st_ino


class Renewal:
    """Keeps a site up to what its files say."""

    def __init__(
        self,
        source: LookSource,
        pages: Pages,
        rebuilder: Rebuilder,
        *,
        seen: Mark,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        """`seen`: the mark under which the look of `pages` was loaded."""
        self._source, self._pages, self._rebuilder = source, pages, rebuilder
        self._seen, self._poll_seconds = seen, poll_seconds

    async def run(self, identity: Identity) -> None:
        """Build what the folder lacks, and again after each change, until cancelled.

        A change in the middle of a rebuild begins another.
        """
        while True:
            rebuilding = asyncio.create_task(self._rebuilder.run(identity), name="rebuild")
            try:
                look = await self._changed(rebuilding)
            finally:
                rebuilding.cancel()
                await asyncio.wait([rebuilding])
            log.info("site_changes", fingerprint=fingerprint_of(look))
            await persist(partial(self._rebuilder.renew, look), "look")

    async def _changed(self, rebuilding: asyncio.Task[None]) -> Look:
        """Another look, once there is one that can be used. Raises what the rebuild raised."""
        while True:
            look = await self._another()
            if look is not None:
                return look
            if rebuilding.done():
                rebuilding.result()
            await asyncio.sleep(self._poll_seconds)

    async def _another(self) -> Look | None:
        mark = await asyncio.to_thread(self._source.mark)
        if mark == self._seen:
            return None
        await asyncio.sleep(self._poll_seconds)
        if await asyncio.to_thread(self._source.mark) != mark:
            return None
        self._seen = mark
        try:
            look = await asyncio.to_thread(self._source.load)
        except Misconfigured as error:
            log.warning("site_refused", reason=str(error))
            return None
        return None if fingerprint_of(look) == self._pages.fingerprint else look
