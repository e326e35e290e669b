"""`Prefer:

wait=N`: the answer comes when the page can be fetched, or with the reason, or when the time is over.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from newsroom.outcomes import EventState, RejectionCode
from tests.ingest_parts import (
    SITE,
    Ingest,
    a_story,
    an_ingest,
    rejected,
    rendered,
    stored,
    until,
)

REFUSALS = [
    (RejectionCode.UNKNOWN_ARTICLE, 409, "unknown-article"),
    (RejectionCode.ARTICLE_EXISTS, 409, "article-exists"),
    (RejectionCode.ALREADY_PUBLIC, 409, "already-public"),
    (RejectionCode.NOT_PUBLIC, 409, "not-public"),
    (RejectionCode.RETRACTED, 409, "retracted"),
    (RejectionCode.REVISION_MISMATCH, 412, "revision-mismatch"),
    (RejectionCode.INVALID, 422, "invalid"),
    (RejectionCode.UNKNOWN_ENTRY, 409, "unknown-entry"),
    (RejectionCode.ENTRY_EXISTS, 409, "entry-exists"),
    (RejectionCode.NOT_LIVE, 409, "not-live"),
    (RejectionCode.OVERTAKEN, 409, "overtaken"),
]
TURNS = 200
"""Of the loop, within which an answer goes out that waits for nothing more."""
PATH = "/kazakhstan/2023/06/20/siege-abcdef/"


@pytest.fixture
async def ingest() -> AsyncIterator[Ingest]:
    async with an_ingest() as running:
        yield running


async def test_a_new_article_answers_201_once_its_page_stands(ingest: Ingest) -> None:
    request = asyncio.create_task(ingest.post("/articles", a_story(id="a"), prefer="wait=30"))
    event = await ingest.next_event()
    await ingest.told(stored(event))
    assert not request.done(), "stored is not rendered"
    await ingest.told(rendered(event, path=PATH))
    response = await request
    assert response.status_code == 201
    assert response.json() == {
        "event_id": event.id,
        "article_id": "a",
        "revision": 1,
        "url": SITE + PATH,
        "state": "rendered",
    }
    assert response.headers["location"] == SITE + PATH
    assert response.headers["preference-applied"] == "wait=30"


async def test_a_new_entry_answers_201_with_its_revision_once_the_page_shows_it(ingest: Ingest) -> None:
    request = asyncio.create_task(
        ingest.post("/articles/a/entries", {"id": "0930", "headline": "A"}, prefer="wait=30")
    )
    event = await ingest.next_event()
    await ingest.told(stored(event, 8))
    await ingest.told(rendered(event, 8, path=PATH))
    response = await request
    assert response.status_code == 201
    assert response.json() == {
        "event_id": event.id,
        "article_id": "a",
        "entry_id": "0930",
        "revision": 8,
        "url": SITE + PATH,
        "state": "rendered",
    }
    assert not ingest.store.asked, "nobody waits for the store"


async def test_a_change_answers_200(ingest: Ingest) -> None:
    body = {"note": "N", "article": a_story()}
    request = asyncio.create_task(ingest.post("/articles/a/updates", body, prefer="wait=30"))
    event = await ingest.next_event()
    await ingest.told(rendered(event, 7))
    assert not request.done(), "another revision's page is not this one's"
    await ingest.told(stored(event, 8))
    assert not request.done()
    await ingest.told(rendered(event, 8))
    response = await request
    assert (response.status_code, response.json()["revision"]) == (200, 8)
    assert "location" not in response.headers


async def test_a_page_of_a_later_revision_will_do(ingest: Ingest) -> None:
    """Updates are compacted and renderings coalesced, so an event's own revision may never be rendered."""
    request = asyncio.create_task(
        ingest.post("/articles/a/amendments", {"article": a_story()}, prefer="wait=30")
    )
    event = await ingest.next_event()
    await ingest.tell(rendered(event, 9))
    await ingest.tell(stored(event, 8))
    assert (await request).json()["revision"] == 8


async def test_a_draft_answers_once_it_is_stored(ingest: Ingest) -> None:
    body = a_story(id="a", draft=True)
    request = asyncio.create_task(ingest.post("/articles", body, prefer="wait=30"))
    event = await ingest.next_event()
    await ingest.tell(stored(event, renders=False))
    response = await request
    assert response.status_code == 201
    assert response.json() == {"event_id": event.id, "article_id": "a", "revision": 1, "state": "stored"}
    assert response.headers["location"] == f"/events/{event.id}"


async def test_a_withdrawal_answers_without_an_url_once_the_page_is_gone(ingest: Ingest) -> None:
    request = asyncio.create_task(ingest.post("/articles/a/withdrawal", {"note": "N"}, prefer="wait=30"))
    event = await ingest.next_event()
    await ingest.told(stored(event, 2))
    assert not request.done()
    await ingest.tell(rendered(event, 2, path=None))
    response = await request
    assert (response.status_code, response.json()["state"]) == (200, "rendered")
    assert "url" not in response.json()


@pytest.mark.parametrize(("code", "status", "kind"), REFUSALS)
async def test_a_rejection_is_the_answer(ingest: Ingest, code: RejectionCode, status: int, kind: str) -> None:
    request = asyncio.create_task(
        ingest.post("/articles/a/retraction", {"note": "N"}, prefer="wait=30", if_match='"3"')
    )
    event = await ingest.next_event()
    await ingest.tell(rejected(event, code, current_revision=5))
    response = await request
    problem = response.json()
    assert (response.status_code, problem["type"]) == (status, f"/problems/{kind}")
    assert (problem["detail"], problem["current_revision"]) == ("It is so.", 5)
    assert problem["event_id"] == event.id
    assert response.headers["content-type"] == "application/problem+json"


def test_every_rejection_has_its_problem() -> None:
    assert [code for code, _, _ in REFUSALS] == list(RejectionCode)


async def test_a_dead_letter_is_the_answer(ingest: Ingest) -> None:
    request = asyncio.create_task(ingest.post("/articles/a/retraction", {"note": "N"}, prefer="wait=30"))
    event = await ingest.next_event()
    await ingest.tell(stored(event, None, renders=False, state=EventState.DEAD_LETTERED, reason="unreadable"))
    response = await request
    assert (response.status_code, response.json()["type"]) == (422, "/problems/dead-lettered")
    assert response.json()["event_id"] == event.id


async def test_when_the_time_is_over_the_receipt_comes(ingest: Ingest) -> None:
    begun = time.monotonic()
    response = await ingest.post("/articles", a_story(), prefer="wait=1")
    assert 0.9 < time.monotonic() - begun < 30
    assert response.status_code == 202
    assert response.headers["location"] == f"/events/{ingest.event().id}"
    assert "preference-applied" not in response.headers


async def test_the_answer_comes_with_the_outcome_and_not_at_the_next_look(ingest: Ingest) -> None:
    """Counted in turns of the loop, which are many in a moment and no fewer on a busy machine."""
    for number in range(20):
        path = f"/articles/a{number}/retraction"
        request = asyncio.create_task(ingest.post(path, {"note": "N"}, prefer="wait=30"))
        await until(lambda: ingest.statuses.waiting == 1, "a waiting request")
        event = next(event for event in ingest.events() if event.article_id == f"a{number}")
        await ingest.tell(stored(event))
        await ingest.tell(rendered(event))
        for _ in range(TURNS):
            await asyncio.sleep(0)
        assert request.done()
        assert (await request).status_code == 200


async def test_a_retry_of_what_is_rendered_answers_at_once(ingest: Ingest) -> None:
    await ingest.post("/articles", a_story(), idempotency_key="k")
    event = ingest.event()
    await ingest.told(stored(event))
    await ingest.told(rendered(event))
    begun = time.monotonic()
    response = await ingest.post("/articles", a_story(), idempotency_key="k", prefer="wait=30")
    assert response.status_code == 201
    assert time.monotonic() - begun < 20
    assert len(ingest.events()) == 1


async def test_another_request_under_the_same_key_learns_it_from_the_outcome(ingest: Ingest) -> None:
    """No instance may know the first request any more; the store does."""
    request = asyncio.create_task(
        ingest.post("/articles/a/retraction", {"note": "N"}, prefer="wait=30", idempotency_key="k")
    )
    event = await ingest.next_event()
    await ingest.tell(stored(event, 2, request_hash="f" * 64))
    await ingest.tell(rendered(event, 2))
    response = await request
    assert (response.status_code, response.json()["type"]) == (422, "/problems/idempotency-key-reused")


@pytest.mark.parametrize(
    "prefer", ["", "wait", "wait=", "wait=soon", "wait=-1", "wait=30.5", "wait=0", "respond-async"]
)
async def test_a_preference_that_asks_for_no_wait_is_no_wait(ingest: Ingest, prefer: str) -> None:
    begun = time.monotonic()
    assert (await ingest.post("/articles", a_story(), prefer=prefer)).status_code == 202
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize(
    "prefer",
    ["wait=30", "Wait = 30", 'wait="30"', "respond-async, wait=30", "wait=30; strict", "wait=30, wait=1"],
)
async def test_a_wait_is_read_in_every_form_that_the_standard_allows(ingest: Ingest, prefer: str) -> None:
    request = asyncio.create_task(ingest.post("/articles/a/retraction", {"note": "N"}, prefer=prefer))
    event = await ingest.next_event()
    await ingest.tell(stored(event))
    await ingest.tell(rendered(event))
    assert (await request).headers["preference-applied"] == "wait=30"


async def test_a_longer_wait_than_allowed_is_cut(ingest: Ingest) -> None:
    request = asyncio.create_task(ingest.post("/articles/a/retraction", {"note": "N"}, prefer="wait=999999"))
    event = await ingest.next_event()
    await ingest.tell(stored(event))
    await ingest.tell(rendered(event))
    assert (await request).headers["preference-applied"] == "wait=60"


async def test_who_waits_is_let_go_when_the_process_stops(ingest: Ingest) -> None:
    request = asyncio.create_task(ingest.post("/articles", a_story(), prefer="wait=60"))
    await until(lambda: ingest.statuses.waiting == 1, "a waiting request")
    ingest.statuses.release()
    assert (await request).status_code == 202
    assert ingest.statuses.waiting == 0


async def test_waiting_for_one_article_is_not_ended_by_another(ingest: Ingest) -> None:
    first = asyncio.create_task(ingest.post("/articles/a/retraction", {"note": "N"}, prefer="wait=30"))
    await until(lambda: len(ingest.events()) == 1, "the first event")
    second = asyncio.create_task(ingest.post("/articles/b/retraction", {"note": "N"}, prefer="wait=30"))
    await until(lambda: len(ingest.events()) == 2, "the second event")
    event = next(event for event in ingest.events() if event.article_id == "b")
    await ingest.tell(stored(event))
    await ingest.tell(rendered(event))
    assert (await second).json()["article_id"] == "b"
    assert not first.done()
    ingest.statuses.release()
    assert (await first).status_code == 202
