"""Compares late what could not be compared in time, whoever wrote it and whatever became of its batch.

A batch whose partitions were taken away meanwhile is dropped, and nobody else would look at its pages again.
"""

from __future__ import annotations

import structlog

from newsroom.service import persist
from services.render.consumer import UpdateRenderer, tell_undrawn
from services.render.drawing import CannotBeDrawn
from services.render.listings import ListingRenderer
from services.render.site import SiteFolder

log = structlog.get_logger(__name__)
LOOK_SECONDS = 30.0
"""How often the living look for what the dead left."""


class Mender:
    """Makes files agree with the read model that an owner which came late, or died, has left in doubt."""

    def __init__(
        self,
        folder: SiteFolder,
        updates: UpdateRenderer,
        listings: ListingRenderer,
        *,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._folder, self._updates, self._listings = folder, updates, listings
        self._look_seconds = look_seconds

    async def run(self) -> None:
        """Mend whatever is left, at once, until cancelled."""
        while True:
            await persist(self._folder.take_over, "what dead processes left")
            await persist(self._mend, "verification")
            await self._folder.unverified.wait(self._look_seconds)

    async def _mend(self) -> None:
        unverified = self._folder.unverified
        for subject, number in unverified.left().items():
            try:
                await self._write(subject)
            except CannotBeDrawn as error:
                tell_undrawn(error, where="mending")
            unverified.mended(subject, number)
            log.info("verified_late", subject=subject)

    async def _write(self, subject: str) -> None:
        if subject.startswith("/"):
            await self._listings.write(subject)
        else:
            await self._updates.write_again(subject)
