"""Bugs of ingest."""

from __future__ import annotations

import asyncio
from typing import Any

from faults.bugs.planting import instead


def accept_before_the_log_has_it() -> None:
    """The 202 goes out while the record is on its way."""

    def wrap(sound: Any) -> Any:
        async def publish(self: Any, event: Any) -> None:
            self.on_their_way = getattr(self, "on_their_way", [])
            self.on_their_way.append(asyncio.create_task(_quietly(sound(self, event))))

        return publish

    instead("services.ingest.intake:Intake._publish", wrap)


async def _quietly(work: Any) -> None:
    await asyncio.gather(work, return_exceptions=True)


def forget_the_idempotency_key() -> None:
    """A retry becomes another event."""

    def wrap(_: Any) -> Any:
        from newsroom.ids import new_event_id

        return lambda *_: new_event_id()

    instead("newsroom.ids:derive_event_id", wrap)
