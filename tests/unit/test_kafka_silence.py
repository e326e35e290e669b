"""A member of a group tells a broker that says nothing from a batch that took long."""

from __future__ import annotations

import pytest

from newsroom.errors import Away
from newsroom.kafka import source as sources
from newsroom.kafka.source import KafkaSource
from newsroom.records import TopicPartition


class SilentClient:
    """Connected, and never answered."""

    async def getmany(self, **_: int) -> dict[object, list[object]]:
        return {}

    def assignment(self) -> set[object]:
        return set()

    async def stop(self) -> None:
        """Nothing to close."""


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(sources, "time", clock)
    return clock


def a_member() -> KafkaSource:
    member = KafkaSource("nowhere:1", "topic", "group", client_id="test")
    member._client = SilentClient()  # what `_connect` would have made
    member._owned = frozenset({TopicPartition("topic", 0)})
    return member


async def test_a_batch_that_took_long_is_no_silence(clock: Clock) -> None:
    member = a_member()
    await member.poll(0)
    clock.seconds += 60
    assert (await member.poll(0)).records == ()


async def test_a_broker_that_answers_no_poll_is_away(clock: Clock) -> None:
    member = a_member()
    for _ in range(21):
        await member.poll(0)
        clock.seconds += 1
    with pytest.raises(Away, match="no answer"):
        await member.poll(0)
