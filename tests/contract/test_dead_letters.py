"""One suite for the dead letters in memory and in MongoDB."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from pydantic import SecretStr

from newsroom import mongo
from newsroom.kafka.dead_letters import Mark, Parked
from newsroom.times import rfc3339
from services.store.dead_letters import After, DeadLetters, MongoDeadLetters
from tests.letter_parts import EVENT_ID, FakeDeadLetters, a_parked
from tests.running import RunningMongo
from tests.store_parts import BEGINNING


@pytest.fixture(params=["memory", pytest.param("mongodb", marks=pytest.mark.real)])
async def letters(request: pytest.FixtureRequest) -> AsyncIterator[DeadLetters]:
    if request.param == "memory":
        yield FakeDeadLetters()
        return
    running: RunningMongo = request.getfixturevalue("mongo")
    client = mongo.connect(SecretStr(running.url), app_name="test")
    database = client[f"letters_{secrets.token_hex(4)}"]
    real = MongoDeadLetters(database)
    await real.prepare()
    yield real
    await client.drop_database(database)
    client.close()


@pytest.mark.parametrize("value", [b"no json", b"\xff\x00", b"", None])
async def test_a_letter_is_found_with_its_bytes(letters: DeadLetters, value: bytes | None) -> None:
    parked = a_parked(value, reason="$where: it says $key")
    await letters.file(parked)
    found = await letters.find(parked.id)
    assert found is not None
    assert found.parked == parked
    assert (found.state, found.attempts, found.size) == ("waiting", 1, len(value or b""))
    assert (found.event_id, found.article_id) == (EVENT_ID, "bank-siege")
    assert await letters.find("dl_" + "a" * 26) is None


async def test_a_letter_read_twice_is_one(letters: DeadLetters) -> None:
    """Its topic is read again; also where a crash had it written twice for the same record."""
    parked = a_parked()
    for each in (parked, parked, replace(a_parked(at_ms=5), place=99)):
        await letters.file(each)
    found = await letters.find(parked.id)
    assert found is not None
    assert found.attempts == 1
    assert len(await letters.newest(10)) == 1


async def test_a_record_that_failed_again_waits_again(letters: DeadLetters) -> None:
    first, second = a_parked(offset=7), a_parked(offset=20, at_ms=1000, reason="still no JSON")
    await letters.file(first)
    await letters.mark(Mark(first.id, "retried", 1), BEGINNING)
    await letters.file(second)
    found = await letters.find(first.id)
    assert found is not None
    assert (found.state, found.attempts) == ("waiting", 2)
    assert found.parked == second


async def test_the_order_of_reading_decides_nothing(letters: DeadLetters) -> None:
    """Partitions are read in any order, and the whole topic again into an empty database."""
    steps = [a_parked(offset=7), a_parked(offset=20, at_ms=1000), "retried 1", "retried 2", "dropped 2"]
    ends = set()
    for number, order in enumerate(itertools.permutations(steps)):
        name = f"order {number}".encode()
        for step in order:
            if isinstance(step, Parked):
                await letters.file(_named(step, name))
            else:
                state, attempts = str(step).split()
                mark = Mark(_named(a_parked(), name).id, state, int(attempts))  # type: ignore[arg-type]
                await letters.mark(mark, BEGINNING)
        found = await letters.find(_named(a_parked(), name).id)
        assert found is not None
        ends.add((found.state, found.attempts, found.parked.record.offset))
    assert ends == {("dropped", 2, 20)}


def _named(parked: Parked, value: bytes) -> Parked:
    return replace(parked, record=replace(parked.record, value=value))


async def test_what_was_dropped_is_not_retried(letters: DeadLetters) -> None:
    parked = a_parked()
    await letters.file(parked)
    await letters.mark(Mark(parked.id, "dropped", 1), BEGINNING)
    await letters.mark(Mark(parked.id, "retried", 1), BEGINNING)
    found = await letters.find(parked.id)
    assert found is not None
    assert found.state == "dropped"


async def test_the_newest_come_first_part_by_part_without_their_values(letters: DeadLetters) -> None:
    filed = [a_parked(f"value {number}".encode(), at_ms=number // 2) for number in range(5)]
    for parked in filed:
        await letters.file(parked)
    await letters.mark(Mark(filed[4].id, "dropped", 1), BEGINNING)
    whole = await letters.newest(10)
    assert [each.time for each in whole] == sorted((each.time for each in whole), reverse=True)
    assert {each.id for each in whole} == {each.id for each in filed}
    assert {each.parked.record.value for each in whole} == {None}
    first = await letters.newest(2)
    rest = await letters.newest(10, after=After(rfc3339(first[-1].time), first[-1].id))
    assert [each.id for each in (*first, *rest)] == [each.id for each in whole]
    assert [each.id for each in await letters.newest(10, "dropped")] == [filed[4].id]
    assert await letters.count_waiting() == 4


async def test_a_mark_without_its_letter_shows_nothing(letters: DeadLetters) -> None:
    await letters.mark(Mark("dl_" + "b" * 26, "dropped", 1), BEGINNING)
    assert await letters.find("dl_" + "b" * 26) is None
    assert await letters.newest(10) == []
