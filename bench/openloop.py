"""An open load: each task begins when it is due, however long those before it take.

Time counts from when a task was due, so that what falls behind shows (no coordinated omission). Who drives
the load is on the same machine, so how late it began a task itself is told as well.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
_CLOCK_SECONDS = 0.001
"""uvloop rounds what it waits for to this: half of it more, and nothing begins before it is due."""


@dataclass(frozen=True)
class Done(Generic[T]):
    """One task: when it was due and when it began, seconds since the epoch, and what came of it."""

    due: float
    began: float
    result: T


async def drive(rate: float, seconds: float, act: Callable[[int], Awaitable[T]]) -> list[Done[T]]:
    """Begin `act(number)` at `rate` a second for so long; what came of each, in order.

    Raises: ValueError when not even one would be due; ExceptionGroup of what acts raise.
    """
    if not 0.5 < rate * seconds < math.inf:
        raise ValueError(f"{rate:g} a second for {seconds:g} s is no load: one task at least has to be due")
    count = round(rate * seconds)
    first = time.time() + 0.05
    tasks: list[asyncio.Task[Done[T]]] = []
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            due = first + number / rate
            if (early := due - time.time()) > 0:
                await asyncio.sleep(early + _CLOCK_SECONDS / 2)
            tasks.append(group.create_task(_done(due, act(number))))
    return [task.result() for task in tasks]


async def _done(due: float, acting: Awaitable[T]) -> Done[T]:
    began = time.time()
    return Done(due, began, await acting)
