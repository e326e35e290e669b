"""`GET /events/{event}`: what became of an event, from memory or from the store, and never a step back."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest

from newsroom.keys import Role
from newsroom.outcomes import EventOutcome, EventState, EventStatus, RejectionCode, outcome_message
from newsroom.records import Message
from newsroom.times import now
from services.ingest import statuses
from services.ingest.statuses import Statuses
from tests.ingest_parts import SITE, Ingest, a_story, an_ingest, rejected, rendered, secret_of, stored

UNKNOWN = "evt_" + "z" * 26


@pytest.fixture
async def ingest() -> AsyncIterator[Ingest]:
    async with an_ingest() as running:
        yield running


async def state_of(ingest: Ingest, event_id: str) -> str:
    response = await ingest.call("GET", f"/events/{event_id}")
    assert response.status_code == 200, response.text
    state: str = response.json()["state"]
    return state


async def test_an_event_goes_from_accepted_to_rendered(ingest: Ingest) -> None:
    await ingest.post("/articles", a_story(id="a"))
    event = ingest.event()
    assert await state_of(ingest, event.id) == "accepted"
    await ingest.tell(stored(event))
    assert await state_of(ingest, event.id) == "stored"
    await ingest.tell(rendered(event, path="/a/"))
    answer = (await ingest.call("GET", f"/events/{event.id}")).json()
    assert set(answer.pop("times")) == {"stored", "rendered"}
    assert answer == {
        "event_id": event.id,
        "article_id": "a",
        "state": "rendered",
        "revision": 1,
        "url": f"{SITE}/a/",
        "request_hash": event.request_hash,
    }


async def test_a_rejection_tells_code_and_reason(ingest: Ingest) -> None:
    await ingest.post("/articles", a_story(id="a"))
    event = ingest.event()
    await ingest.tell(rejected(event, RejectionCode.ARTICLE_EXISTS, 4))
    answer = (await ingest.call("GET", f"/events/{event.id}")).json()
    assert (answer["state"], answer["code"], answer["reason"]) == ("rejected", "article_exists", "It is so.")


async def test_a_dead_letter_tells_its_reason(ingest: Ingest) -> None:
    outcome = EventOutcome(
        event_id=UNKNOWN, article_id="a", state=EventState.DEAD_LETTERED, reason="header ce_id is missing"
    )
    await ingest.tell(outcome)
    answer = (await ingest.call("GET", f"/events/{UNKNOWN}")).json()
    assert (answer["state"], answer["reason"]) == ("dead_lettered", "header ce_id is missing")


async def test_an_id_that_nobody_knows_yet_is_accepted(ingest: Ingest) -> None:
    answer = await ingest.call("GET", f"/events/{UNKNOWN}")
    assert (answer.status_code, answer.json()) == (
        200,
        {"event_id": UNKNOWN, "state": "accepted", "times": {}},
    )


@pytest.mark.parametrize(
    "event_id", ["evt_", "evt_" + "A" * 26, "evt_" + "a" * 27, "1", "evt_%00" + "a" * 25]
)
async def test_an_id_that_is_not_of_our_form_is_not_found(ingest: Ingest, event_id: str) -> None:
    response = await ingest.call("GET", f"/events/{event_id}")
    assert (response.status_code, response.json()["type"]) == (404, "/problems/not-found")


async def test_the_store_is_asked_for_what_is_no_longer_in_memory(ingest: Ingest) -> None:
    ingest.store.status = EventStatus(
        event_id=UNKNOWN, article_id="old", state=EventState.RENDERED, revision=3, url=f"{SITE}/old/"
    )
    answer = (await ingest.call("GET", f"/events/{UNKNOWN}")).json()
    assert (answer["state"], answer["revision"], answer["url"]) == ("rendered", 3, f"{SITE}/old/")
    (asked,) = ingest.store.asked
    assert asked.url.path == f"/events/{UNKNOWN}"
    assert asked.headers["authorization"] == f"Bearer {secret_of(Role.PUBLISHER)}"


async def test_the_store_is_not_asked_for_what_ends_as_stored(ingest: Ingest) -> None:
    """A draft: nothing of it is rendered."""
    await ingest.post("/articles", a_story())
    await ingest.tell(stored(ingest.event(), renders=False))
    assert await state_of(ingest, ingest.event().id) == "stored"
    assert not ingest.store.asked


async def test_of_what_memory_and_store_say_the_further_state_counts(ingest: Ingest) -> None:
    await ingest.post("/articles", a_story(id="a"))
    event = ingest.event()
    ingest.store.status = EventStatus(event_id=event.id, article_id="a", state=EventState.STORED, revision=1)
    assert await state_of(ingest, event.id) == "stored"
    ingest.store.status = None
    await ingest.tell(stored(event))
    await ingest.tell(rendered(event))
    ingest.store.status = EventStatus(event_id=event.id, article_id="a", state=EventState.STORED, revision=1)
    assert await state_of(ingest, event.id) == "rendered"


async def test_an_outcome_told_again_after_its_rendering_was_forgotten_is_no_step_back(
    ingest: Ingest,
) -> None:
    """A redelivery a day later: what is in memory then is only that it was stored."""
    await ingest.post("/articles", a_story(id="a"))
    event = ingest.event()
    ingest.store.status = EventStatus(
        event_id=event.id, article_id="a", state=EventState.RENDERED, revision=1, url=f"{SITE}/a/"
    )
    assert await state_of(ingest, event.id) == "rendered"
    await ingest.told(stored(event))
    assert await state_of(ingest, event.id) == "rendered"


async def test_the_store_is_not_asked_again_once_the_event_is_settled_here(ingest: Ingest) -> None:
    """Polling after the 202 asks it once each time, and no more after the last state."""
    await ingest.post("/articles", a_story(id="a"))
    event = ingest.event()
    await ingest.told(stored(event))
    assert await state_of(ingest, event.id) == "stored"
    await ingest.tell(rendered(event))
    assert [await state_of(ingest, event.id) for _ in range(3)] == ["rendered"] * 3
    assert len(ingest.store.asked) == 1


async def test_what_is_known_here_is_told_while_the_store_is_away(ingest: Ingest) -> None:
    await ingest.post("/articles", a_story())
    ingest.store.is_away = True
    assert await state_of(ingest, ingest.event().id) == "accepted"
    await ingest.tell(stored(ingest.event()))
    assert await state_of(ingest, ingest.event().id) == "stored"


async def test_what_only_the_store_could_tell_is_503_while_it_is_away(ingest: Ingest) -> None:
    """Accepted would be a step back for an event that was told as stored before."""
    ingest.store.is_away = True
    response = await ingest.call("GET", f"/events/{UNKNOWN}")
    assert (response.status_code, response.json()["type"]) == (503, "/problems/away")
    assert response.headers["retry-after"]


async def test_the_status_is_told_while_the_log_is_away(ingest: Ingest) -> None:
    await ingest.post("/articles", a_story())
    event = ingest.event()
    await ingest.told(stored(event))
    ingest.log.go_away()
    ingest.store.status = EventStatus(
        event_id=event.id, article_id="a", state=EventState.RENDERED, revision=1
    )
    begun = time.monotonic()
    assert await state_of(ingest, event.id) == "rendered", "the store may know more than was read here"
    assert time.monotonic() - begun < 30


async def test_a_state_never_goes_back_when_an_older_outcome_comes_again(ingest: Ingest) -> None:
    await ingest.post("/articles", a_story())
    event = ingest.event()
    await ingest.tell(stored(event, 2))
    await ingest.tell(rendered(event, 2))
    assert await state_of(ingest, event.id) == "rendered"
    await ingest.tell(stored(event, 2))
    await ingest.tell(rendered(event, 1))
    assert await state_of(ingest, event.id) == "rendered"


def test_memory_is_bounded_and_forgets_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statuses, "MAX_REMEMBERED", 3)
    kept = Statuses(SITE)
    for number in range(5):
        kept._keep(
            EventOutcome(
                event_id=f"e{number}", article_id="a", state=EventState.STORED, times={"stored": now()}
            )
        )
    assert [kept.is_decided(f"e{number}") for number in range(5)] == [False, False, True, True, True]


async def test_a_record_that_is_no_outcome_is_passed_over(ingest: Ingest) -> None:
    await ingest.post("/articles", a_story())
    event = ingest.event()
    good = stored(event, renders=False)
    message = outcome_message(good, now(), None)
    await ingest.log.append(Message(message.topic, message.key, b"no json", message.headers))
    await ingest.log.append(message)
    assert await state_of(ingest, event.id) == "stored"
