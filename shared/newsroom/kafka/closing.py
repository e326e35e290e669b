"""Closing a Kafka client in bounded time: with the broker away aiokafka's own `stop` may wait for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer  # type: ignore[import-untyped]

log = structlog.get_logger(__name__)

left_behind: set[asyncio.Task[Any]] = set()
"""What still closes. A loop that ends before them leaves their connections open."""


async def stopped(consumer: AIOKafkaConsumer) -> None:
    """Stop a consumer so that it is disconnected afterwards.

    Its own `stop` awaits fetches that it has just cancelled, and may end as they do, with its connections
    open and its tasks at work (aiokafka's issue 647).
    """
    cut_off = _times_cut_off()
    try:
        await consumer.stop()
    except asyncio.CancelledError:
        if _times_cut_off() > cut_off:
            raise
        fetches = set(consumer._fetcher._pending_tasks) if consumer._fetcher else set()
        for fetch in fetches:
            fetch.cancel()
        await asyncio.gather(*fetches, return_exceptions=True)
        await consumer._client.close()


def _times_cut_off() -> int:
    """How often somebody has cancelled the task that runs."""
    this = asyncio.current_task()
    return this.cancelling() if this else 0


async def closed_within(stop: Coroutine[Any, Any, None], seconds: float, what: str) -> None:
    """Close, or leave it closing in the background when it takes longer. Cutting it short leaks its tasks."""
    task = close_later(stop, what)
    await asyncio.wait({task}, timeout=seconds)
    if not task.done():
        log.warning("kafka.close_takes_long", what=what, seconds=seconds)


def close_later(stop: Coroutine[Any, Any, None], what: str) -> asyncio.Task[None]:
    """Close in the background; a failure is logged."""
    task = asyncio.create_task(stop, name=f"close {what}")
    left_behind.add(task)
    task.add_done_callback(_collect)
    return task


def _collect(task: asyncio.Task[Any]) -> None:
    left_behind.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        log.warning("kafka.close_failed", what=task.get_name(), reason=str(error) or type(error).__name__)
