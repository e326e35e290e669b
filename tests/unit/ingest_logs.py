"""Logs that make a request wait at the door."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from newsroom.errors import Away
from newsroom.kafka.fake import FakeLog, FakePublisher
from newsroom.records import Message, Position
from services.ingest.intake import PUBLISH_SECONDS
from tests.ingest_parts import until


class HeldPublisher(FakePublisher):
    """Acknowledges nothing until it is let go, or gives up as the real one does."""

    def __init__(self, log: FakeLog) -> None:
        super().__init__(log)
        self.held = 0
        self._may_go = asyncio.Event()

    async def holds(self, count: int) -> None:
        """Wait until so many records are held."""
        await until(lambda: self.held == count, f"{count} held records")

    def let_go(self) -> None:
        self._may_go.set()

    async def publish_all(self, messages: Sequence[Message]) -> list[Position]:
        self.held += 1
        try:
            async with asyncio.timeout(PUBLISH_SECONDS):
                await self._may_go.wait()
        except TimeoutError as error:
            raise Away("kafka", "it is held") from error
        finally:
            self.held -= 1
        return await super().publish_all(messages)
