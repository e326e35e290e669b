"""The log away, or too much at once: told within two seconds, and over once it is over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from newsroom.kafka.fake import FakeLog
from tests.ingest_parts import Ingest, a_story, an_ingest
from tests.unit.ingest_logs import HeldPublisher


@pytest.fixture
async def ingest() -> AsyncIterator[Ingest]:
    async with an_ingest() as running:
        yield running


async def test_a_log_that_is_away_is_told_and_the_next_request_succeeds_when_it_is_back(
    ingest: Ingest,
) -> None:
    ingest.log.go_away()
    response = await ingest.post("/articles", a_story())
    assert (response.status_code, response.json()["type"]) == (503, "/problems/away")
    assert int(response.headers["retry-after"]) >= 1
    await ingest.log.come_back()
    assert (await ingest.post("/articles", a_story())).status_code == 202


async def test_a_log_that_does_not_answer_is_told_before_the_preferred_wait_is_over() -> None:
    log = FakeLog()
    async with an_ingest(log, publisher=HeldPublisher(log)) as ingest:
        begun = time.monotonic()
        response = await ingest.post("/articles", a_story(), prefer="wait=30")
        assert time.monotonic() - begun < 20
    assert (response.status_code, response.json()["type"]) == (503, "/problems/away")
    assert response.headers["retry-after"]


async def test_more_than_may_be_in_flight_are_told_to_come_back_at_once() -> None:
    log = FakeLog()
    held = HeldPublisher(log)
    async with an_ingest(log, publisher=held, max_in_flight=2) as ingest:
        taken = [asyncio.create_task(ingest.post("/articles", a_story())) for _ in range(2)]
        await held.holds(2)
        response = await ingest.post("/articles", a_story())
        assert (response.status_code, response.json()["type"]) == (503, "/problems/busy")
        assert response.headers["retry-after"]
        held.let_go()
        assert [(await request).status_code for request in taken] == [202, 202]
        assert (await ingest.post("/articles", a_story())).status_code == 202
        assert len(ingest.events()) == 3


async def test_who_waits_for_a_page_is_not_in_flight() -> None:
    async with an_ingest(max_in_flight=1) as ingest:
        waiting = asyncio.create_task(ingest.post("/articles", a_story(), prefer="wait=30"))
        await ingest.next_event()
        assert (await ingest.post("/articles", a_story())).status_code == 202
        ingest.statuses.release()
        await waiting


async def test_a_stopping_door_takes_nothing_more_and_waits_for_what_is_on_its_way() -> None:
    log = FakeLog()
    held = HeldPublisher(log)
    async with an_ingest(log, publisher=held) as ingest:
        taken = asyncio.create_task(ingest.post("/articles", a_story()))
        await held.holds(1)
        stopping = asyncio.create_task(ingest.intake.stop())
        await asyncio.sleep(0)
        response = await ingest.post("/articles", a_story())
        assert (response.status_code, response.json()["type"]) == (503, "/problems/busy")
        assert not stopping.done()
        held.let_go()
        assert (await taken).status_code == 202
        await asyncio.wait_for(stopping, 30)


async def test_a_caller_who_leaves_frees_the_place() -> None:
    log = FakeLog()
    held = HeldPublisher(log)
    async with an_ingest(log, publisher=held, max_in_flight=1) as ingest:
        left = asyncio.create_task(ingest.post("/articles", a_story()))
        await held.holds(1)
        left.cancel()
        await held.holds(0)
        held.let_go()
        assert (await ingest.post("/articles", a_story())).status_code == 202
