"""A retry has the effect of one: `Idempotency-Key` makes the same ids, another request is refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from newsroom import ids
from newsroom.events import EventKind
from newsroom.kafka.fake import FakeLog
from newsroom.keys import Role
from services.ingest.intake import request_hash
from tests.ingest_parts import Ingest, a_story, an_ingest, secret_of, stored, until
from tests.unit.ingest_logs import HeldPublisher


@pytest.fixture
async def ingest() -> AsyncIterator[Ingest]:
    async with an_ingest() as running:
        yield running


async def test_a_retry_makes_the_same_event_again(ingest: Ingest) -> None:
    first = await ingest.post("/articles", a_story(), idempotency_key="k-1")
    second = await ingest.post("/articles", a_story(), idempotency_key="k-1")
    assert first.json() == second.json()
    assert len({event.id for event in ingest.events()}) == 1


async def test_ids_are_derived_from_the_key_and_who_sent_it(ingest: Ingest) -> None:
    answer = (await ingest.post("/articles", a_story(), idempotency_key="k-1")).json()
    article_id = ids.derive_article_id("the-publisher", "k-1")
    assert answer["article_id"] == article_id
    assert answer["event_id"] == ids.derive_event_id("the-publisher", article_id, "k-1")


async def test_two_people_may_use_the_same_idempotency_key(ingest: Ingest) -> None:
    answers = [
        await ingest.call("POST", "/articles", a_story(), role=role, headers={"Idempotency-Key": "monday"})
        for role in (Role.EDITOR, Role.PUBLISHER)
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["article_id"] != answers[1].json()["article_id"]


async def test_one_key_for_two_articles_makes_two_events(ingest: Ingest) -> None:
    for article_id in ("a", "b"):
        response = await ingest.post(f"/articles/{article_id}/retraction", {"note": "N"}, idempotency_key="k")
        assert response.status_code == 202
    assert len({event.id for event in ingest.events()}) == 2


async def test_another_body_under_the_same_key_is_refused(ingest: Ingest) -> None:
    await ingest.post("/articles", a_story(), idempotency_key="k-1")
    response = await ingest.post("/articles", a_story(headline="Else"), idempotency_key="k-1")
    assert (response.status_code, response.json()["type"]) == (422, "/problems/idempotency-key-reused")
    assert len(ingest.events()) == 1


async def test_another_call_with_the_same_body_under_the_same_key_is_refused(ingest: Ingest) -> None:
    await ingest.post("/articles/a/withdrawal", {"note": "N"}, idempotency_key="k-1")
    response = await ingest.post("/articles/a/retraction", {"note": "N"}, idempotency_key="k-1")
    assert (response.status_code, response.json()["type"]) == (422, "/problems/idempotency-key-reused")
    assert ingest.event().kind is EventKind.WITHDRAWN


async def test_a_post_sent_again_is_the_same_entry(ingest: Ingest) -> None:
    sent = [
        await ingest.post("/articles/a/entries", {"headline": "A"}, idempotency_key="k-1") for _ in range(2)
    ]
    assert sent[0].json() == sent[1].json()
    assert sent[0].json()["entry_id"] == ids.derive_entry_id("the-publisher", "a", "k-1")
    assert len({event.id for event in ingest.events()}) == 1


async def test_the_same_words_for_another_entry_under_the_same_key_are_refused(ingest: Ingest) -> None:
    """The address tells the two apart, not the body."""
    headers = {"Idempotency-Key": "k-1"}
    first = await ingest.call("PUT", "/articles/a/entries/one", {"headline": "A"}, headers=headers)
    second = await ingest.call("PUT", "/articles/a/entries/two", {"headline": "A"}, headers=headers)
    assert [first.status_code, second.status_code] == [202, 422]
    assert second.json()["type"] == "/problems/idempotency-key-reused"


async def test_another_body_is_refused_even_while_the_first_is_on_its_way() -> None:
    log = FakeLog()
    held = HeldPublisher(log)
    async with an_ingest(log, publisher=held) as ingest:
        first = asyncio.create_task(ingest.post("/articles", a_story(), idempotency_key="k-1"))
        await held.holds(1)
        second = await ingest.post("/articles", a_story(headline="Else"), idempotency_key="k-1")
        held.let_go()
        assert second.status_code == 422
        assert (await first).status_code == 202


async def test_another_body_is_refused_after_the_store_decided(ingest: Ingest) -> None:
    """Another instance took the first request; this one heard only what became of it."""
    event_id = ids.derive_event_id("the-publisher", "a", "k-1")
    elsewhere = json.dumps({"note": "First"}).encode()
    await ingest.post("/articles/b/retraction", {"note": "N"})
    outcome = stored(ingest.event()).model_copy(
        update={
            "event_id": event_id,
            "article_id": "a",
            "request_hash": request_hash(EventKind.RETRACTED, elsewhere),
        }
    )
    await ingest.told(outcome)
    response = await ingest.post("/articles/a/retraction", {"note": "Second"}, idempotency_key="k-1")
    assert response.status_code == 422
    headers = {"Idempotency-Key": "k-1", "Authorization": f"Bearer {secret_of('publisher')}"}
    again = await ingest.call("POST", "/articles/a/retraction", content=elsewhere, headers=headers)
    assert again.json()["event_id"] == event_id
    assert len(ingest.events()) == 1, "what is decided goes on the log no more"


async def test_the_same_request_on_two_instances_at_once_makes_one_event() -> None:
    log = FakeLog()
    async with an_ingest(log) as one, an_ingest(log) as other:
        answers = await asyncio.gather(
            *(
                ingest.post("/articles", a_story(), idempotency_key="k-1")
                for ingest in (one, other, one, other)
            )
        )
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.content for answer in answers}) == 1
        assert len({event.id for event in one.events()}) == 1


async def test_of_two_requests_under_one_key_on_two_instances_at_once_the_second_is_refused() -> None:
    """Neither knows of the other: the log's order tells, and the outcome says which of them it was."""
    log = FakeLog()
    async with an_ingest(log) as one, an_ingest(log) as other:
        asked = [
            asyncio.create_task(
                ingest.post("/articles", a_story(headline=headline), idempotency_key="k-1", prefer="wait=30")
            )
            for ingest, headline in ((one, "First"), (other, "Second"))
        ]
        await until(lambda: len(one.events()) == 2, "both on the log")
        first = one.events()[0]
        await one.tell(stored(first, renders=False))
        answers = await asyncio.gather(*asked)
        assert sorted(answer.status_code for answer in answers) == [201, 422]
        (refused,) = [answer for answer in answers if answer.status_code == 422]
        assert refused.json()["type"] == "/problems/idempotency-key-reused"
        assert refused.json()["event_id"] == first.id


async def test_another_body_is_refused_by_a_process_that_started_since() -> None:
    log = FakeLog()
    async with an_ingest(log) as before:
        await before.post("/articles", a_story(), idempotency_key="k-1")
        await before.told(stored(before.event()))
    async with an_ingest(log) as since:
        response = await since.post("/articles", a_story(headline="Else"), idempotency_key="k-1")
        assert (response.status_code, response.json()["type"]) == (422, "/problems/idempotency-key-reused")
        again = await since.post("/articles", a_story(), idempotency_key="k-1")
        assert again.json()["event_id"] == since.event().id


async def test_without_a_key_each_request_is_an_event_of_its_own(ingest: Ingest) -> None:
    for _ in range(2):
        await ingest.post("/articles/a/retraction", {"note": "N"})
    assert len({event.id for event in ingest.events()}) == 2


async def test_a_lost_acknowledgement_is_told_as_away_and_the_retry_is_the_same_event(ingest: Ingest) -> None:
    ingest.publisher.lose_next = 1
    first = await ingest.post("/articles", a_story(), idempotency_key="k-1")
    assert (first.status_code, first.json()["type"]) == (503, "/problems/away")
    assert (await ingest.post("/articles", a_story(), idempotency_key="k-1")).status_code == 202
    assert len(ingest.events()) == 2
    assert len({event.id for event in ingest.events()}) == 1


@pytest.mark.parametrize("sent", ['"3"', "3"], ids=["in quotes", "as a shell leaves it"])
async def test_if_match_goes_on_the_log_for_the_store_to_judge(ingest: Ingest, sent: str) -> None:
    await ingest.post("/articles/a/retraction", {"note": "N"}, if_match=sent)
    assert ingest.event().expected_revision == 3


async def test_if_match_with_a_star_is_no_condition(ingest: Ingest) -> None:
    await ingest.post("/articles/a/retraction", {"note": "N"}, if_match="*")
    assert ingest.event().expected_revision is None
