"""A member of a group tells a broker that says nothing from a batch that took long, and takes a client whose
commits are never answered for dead.
"""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from aiokafka.structs import ConsumerRecord  # type: ignore[import-untyped]

from newsroom.errors import Away
from newsroom.kafka import source as sources
from newsroom.kafka.source import KafkaSource, NotCommitted
from newsroom.records import TopicPartition

PARTITION = TopicPartition("topic", 0)


class SilentClient:
    """Connected, and never answered again after what it `fetched`; `commits`: save its commits."""

    commits = False
    fetched = 0

    async def getmany(self, **_: int) -> dict[object, list[object]]:
        if not self.fetched:
            return {}
        self.fetched -= 1
        return {None: [ConsumerRecord("topic", 0, 0, 0, 0, b"key", b"value", None, 3, 5, ())]}

    def assignment(self) -> set[object]:
        return set()

    async def commit(self, offsets: object) -> None:  # noqa: ARG002
        """Never answered, or at once."""
        if not self.commits:
            raise TimeoutError

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
    member._owned = frozenset({PARTITION})
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


async def test_while_records_of_one_answer_are_taken_the_broker_is_asked_for_none(clock: Clock) -> None:
    """An answer may hold so many that they last for long: it is silent from the last of them on."""
    member, client = a_member(), SilentClient()
    member._client, client.fetched = client, 60
    while client.fetched:
        assert (await member.poll(0)).records
        clock.seconds += 1.7
    for _ in range(11):
        assert (await member.poll(0)).records == ()
        clock.seconds += 1.7
    with pytest.raises(Away, match="no answer"):
        await member.poll(0)


def hears(member: KafkaSource, clock: Clock) -> None:
    """As if a record had come just now."""
    member._heard_at = clock.seconds


async def test_a_client_that_gets_records_and_commits_nothing_is_replaced(clock: Clock) -> None:
    """Its part for the group may hang for good after a cut, while fetches go on."""
    member = a_member()
    for _ in range(26):
        hears(member, clock)
        await member.poll(0)
        with pytest.raises(NotCommitted):
            await member.commit({PARTITION: 1})
        clock.seconds += 1
    hears(member, clock)
    with pytest.raises(Away, match="no commit went through for 25 s"):
        await member.poll(0)
    assert member.owned == frozenset()


async def test_a_commit_that_goes_through_in_between_is_enough(clock: Clock) -> None:
    member, client = a_member(), SilentClient()
    member._client = client
    for second in range(60):
        hears(member, clock)
        await member.poll(0)
        client.commits = second % 20 == 19
        with nullcontext() if client.commits else pytest.raises(NotCommitted):
            await member.commit({PARTITION: 1})
        clock.seconds += 1
    assert member.owned
