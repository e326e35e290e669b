"""Bugs of the loop that store and render run."""

from __future__ import annotations

from typing import Any

from faults.bugs.planting import instead

LOOP = "newsroom.kafka.consumer:Consumer"


def commit_before_the_effect() -> None:
    """A batch counts as finished when it is taken."""

    def wrap(sound: Any) -> Any:
        async def finish(self: Any, polled: Any) -> None:
            self._finished.update({each.topic_partition: each.offset + 1 for each in polled.records})
            await sound(self, polled)

        return finish

    instead(f"{LOOP}._finish", wrap)


def park_without_a_letter() -> None:
    """A bad record is skipped."""

    def wrap(sound: Any) -> Any:
        async def park(self: Any, parked: Any) -> None:
            parked.is_written = True
            await sound(self, parked)

        return park

    instead(f"{LOOP}._park", wrap)


def never_resume() -> None:
    """What was paused for an outage stays paused."""
    instead("newsroom.kafka.source:KafkaSource.resume", lambda _: lambda _self: None)
