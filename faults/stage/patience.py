"""Waiting for what must come about."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE_SECONDS = 120.0
"""Long, for a machine that runs several newsrooms at a time."""
LOOK_SECONDS = 0.3


async def until(
    condition: Callable[[], Awaitable[T | None]],
    what: str,
    seconds: float = PATIENCE_SECONDS,
    *,
    look_seconds: float = LOOK_SECONDS,
) -> T:
    """The condition's first answer that is true. Raises: TimeoutError that names what was waited for."""
    deadline = time.monotonic() + seconds
    while not (answer := await condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for: {what}")
        await asyncio.sleep(look_seconds)
    return answer
