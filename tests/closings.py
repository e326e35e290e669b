"""Kafka clients left closing in the background: a loop that ends before them leaves connections open."""

from __future__ import annotations

import asyncio

from newsroom.kafka.closing import left_behind

_SECONDS = 60


async def all_closed() -> None:
    """Wait for the clients of this loop. Raises: TimeoutError when one does not end."""
    here = {task for task in left_behind if task.get_loop() is asyncio.get_running_loop()}
    if here:
        _, waiting = await asyncio.wait(here, timeout=_SECONDS)
        if waiting:
            raise TimeoutError(f"{len(waiting)} Kafka clients did not close within {_SECONDS} s")
