"""`GET /events`: the life of events as it happens, to those who may see it, within bounds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from starlette.types import Message

from newsroom import times
from newsroom.http.streams import StreamSettings
from newsroom.keys import Role
from newsroom.outcomes import EventState, EventStatus, RejectionCode
from newsroom.times import now
from services.ingest.following import LifeStream
from services.ingest.life import Follower, Life
from tests.ingest_parts import (
    Ingest,
    a_key,
    a_story,
    an_ingest,
    rejected,
    rendered,
    secret_of,
    stored,
    until,
)
from tests.line_parts import Reader

QUICK = StreamSettings(heartbeat_seconds=0.02, age_seconds=30, write_seconds=0.3)


class Follows(Reader):
    """A client who follows."""

    def __init__(
        self, ingest: Ingest, role: Role | str, query: str = "", *, secret: str | None = None
    ) -> None:
        super().__init__()
        self._ingest = ingest
        key = secret or secret_of(role)
        self._scope = {
            **self.offers(),
            "method": "GET",
            "path": "/events",
            "raw_path": b"/events",
            "query_string": query.encode(),
            "root_path": "",
            "scheme": "http",
            "http_version": "1.1",
            "headers": [(b"authorization", f"Bearer {key}".encode())],
        }

    def told(self) -> list[EventStatus]:
        """Every state heard up to now."""
        events = [part for part in self.body.decode().split("\n\n") if part.startswith("event: status\n")]
        return [EventStatus.model_validate_json(part.partition("data: ")[2]) for part in events]

    def states(self) -> list[str]:
        return [status.state.value for status in self.told()]

    async def run(self) -> None:
        await self._ingest.app(self._scope, _no_body, self.send)


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


@asynccontextmanager
async def following(
    ingest: Ingest, role: Role | str = Role.REPORTER, query: str = "", *, secret: str | None = None
) -> AsyncIterator[Follows]:
    """A reader whose stream is open."""
    reader = Follows(ingest, role, query, secret=secret)
    running = asyncio.create_task(reader.run())
    try:
        await until(lambda: reader.status, "an answer")
        assert reader.status == 200, reader.body
        yield reader
    finally:
        reader.leave()
        await running


@pytest.fixture
async def ingest() -> AsyncIterator[Ingest]:
    async with an_ingest() as running:
        yield running


async def test_who_follows_sees_an_event_accepted_stored_and_rendered(ingest: Ingest) -> None:
    async with following(ingest) as reader:
        await ingest.post("/articles", a_story(id="a"))
        event = ingest.event()
        await ingest.told(stored(event))
        await ingest.told(rendered(event))
        await until(lambda: len(reader.told()) == 3 or reader.states()[-1:] == ["rendered"], "it rendered")
        last = reader.told()[-1]
        assert (last.event_id, last.article_id, last.revision) == (event.id, "a", 1)
        assert last.url is not None
        assert set(last.times) >= {"stored", "rendered"}
        assert reader.headers["content-type"].startswith("text/event-stream")
        assert reader.headers["cache-control"] == "no-store"


async def test_each_step_is_told_as_it_happens(ingest: Ingest) -> None:
    async with following(ingest) as reader:
        await ingest.post("/articles", a_story(id="a"))
        await until(lambda: reader.states() == ["accepted"], "accepted told")
        event = ingest.event()
        await ingest.told(stored(event))
        await until(lambda: reader.states() == ["accepted", "stored"], "stored told")
        await ingest.told(rendered(event))
        await until(lambda: reader.states() == ["accepted", "stored", "rendered"], "rendered told")


async def test_a_rejection_is_told_with_its_reason(ingest: Ingest) -> None:
    async with following(ingest) as reader:
        await ingest.post("/articles/a/retraction", {"note": "N"})
        await ingest.told(rejected(ingest.event(), RejectionCode.UNKNOWN_ARTICLE))
        await until(lambda: reader.states()[-1:] == ["rejected"], "the rejection told")
        assert (reader.told()[-1].code, reader.told()[-1].reason) == (
            RejectionCode.UNKNOWN_ARTICLE,
            "It is so.",
        )


async def test_one_rendering_tells_of_every_event_up_to_its_revision(ingest: Ingest) -> None:
    async with following(ingest) as reader:
        for revision in (1, 2, 3):
            await ingest.post("/articles/a/amendments", {"article": a_story()})
            await ingest.told(stored(ingest.events()[-1], revision))
        await ingest.told(rendered(ingest.events()[0], 2))

        def seen() -> list[int | None]:
            return [status.revision for status in reader.told() if status.state is EventState.RENDERED]

        await until(lambda: len(seen()) == 2, "two rendered")
        assert seen() == [1, 2]
        await ingest.told(rendered(ingest.events()[0], 3))
        await until(lambda: seen() == [1, 2, 3], "the third rendered")


async def test_what_is_told_again_is_no_news(ingest: Ingest) -> None:
    """A retry by its author, an outcome that the store repeats, a rendering that render repeats."""
    async with following(ingest) as reader:
        for _ in range(2):
            await ingest.post("/articles", a_story(id="a"), idempotency_key="k")
        event = ingest.events()[0]
        for _ in range(2):
            await ingest.told(stored(event))
            await ingest.told(rendered(event))
        await ingest.post("/articles/b/retraction", {"note": "N"})
        await until(lambda: reader.told()[-1].article_id == "b", "the next event told")
        states = [status.state for status in reader.told() if status.article_id == "a"]
        assert len(states) == len(set(states))
        assert states[-1] is EventState.RENDERED


async def test_only_the_article_asked_for_is_told(ingest: Ingest) -> None:
    async with following(ingest, query="article=b") as reader:
        for article in ("a", "b"):
            await ingest.post(f"/articles/{article}/retraction", {"note": "N"})
        await until(reader.told, "something told")
        assert {status.article_id for status in reader.told()} == {"b"}


async def test_what_was_before_is_not_told(ingest: Ingest) -> None:
    await ingest.post("/articles/a/retraction", {"note": "N"})
    async with following(ingest) as reader:
        await ingest.post("/articles/b/retraction", {"note": "N"})
        await until(reader.told, "something told")
        assert [status.article_id for status in reader.told()] == ["b"]


async def test_nobody_follows_before_what_was_is_read() -> None:
    """It would be told as if it happened now."""
    async with an_ingest() as ingest:
        ingest.log.go_away()
        response = await ingest.call("GET", "/events", role=Role.REPORTER)
        assert (response.status_code, response.json()["type"]) == (503, "/problems/away")


@pytest.mark.parametrize(("role", "status"), [(None, 401), (Role.READER, 403)])
async def test_reporters_and_above_may_follow(ingest: Ingest, role: Role | None, status: int) -> None:
    assert (await ingest.call("GET", "/events", role=role)).status_code == status


async def test_an_article_that_cannot_be_one_is_refused(ingest: Ingest) -> None:
    assert (await ingest.call("GET", "/events?article=a%20b")).status_code == 422


async def test_who_is_one_too_many_is_told_to_come_back(ingest: Ingest) -> None:
    crowd = [Follower(f"key-{number}", None, 1) for number in range(100)]
    for follower in crowd:
        ingest.life.add(follower)
    response = await ingest.call("GET", "/events")
    assert (response.status_code, response.json()["type"]) == (503, "/problems/busy")
    assert response.headers["retry-after"]
    ingest.life.leave(crowd[0])
    async with following(ingest) as reader:
        assert reader.status == 200


async def test_no_key_takes_the_places_of_others(ingest: Ingest) -> None:
    await ingest.put_key(a_key("wire", Role.EDITOR, "nrk_wire"))
    crowd = [Follower("wire", None, 1) for _ in range(20)]
    for follower in crowd:
        ingest.life.add(follower)
    response = await ingest.call("GET", "/events", role=None, headers={"Authorization": "Bearer nrk_wire"})
    assert (response.status_code, response.json()["type"]) == (429, "/problems/too-many-requests")
    async with following(ingest) as reader:
        assert reader.status == 200
    ingest.life.leave(crowd[0])
    async with following(ingest, secret="nrk_wire") as reader:
        assert reader.status == 200


async def test_who_left_is_forgotten(ingest: Ingest) -> None:
    async with following(ingest):
        assert ingest.life.followers == 1
    assert ingest.life.followers == 0


async def test_a_revoked_key_hears_nothing_more(ingest: Ingest) -> None:
    key = a_key("wire", Role.EDITOR, "nrk_wire")
    await ingest.put_key(key)
    async with following(ingest, secret="nrk_wire") as reader:
        await ingest.put_key(key.model_copy(update={"revoked_at": now()}))
        await ingest.post("/articles/a/retraction", {"note": "N"})
        await until(lambda: reader.is_finished, "the stream's end")
        assert reader.told() == []


async def test_an_expired_key_hears_nothing_more(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    end = now() + timedelta(hours=1)
    await ingest.put_key(a_key("wire", Role.EDITOR, "nrk_wire", expires_at=end))
    async with following(ingest, secret="nrk_wire") as reader:
        monkeypatch.setattr(times, "now", lambda: end)
        await ingest.post("/articles/a/retraction", {"note": "N"})
        await until(lambda: reader.is_finished, "the stream's end")
        assert reader.told() == []


async def test_a_stop_ends_every_stream_in_order(ingest: Ingest) -> None:
    async with following(ingest) as reader:
        ingest.life.end()
        await until(lambda: reader.is_finished, "the stream's end")


def a_status(number: int, state: EventState = EventState.STORED) -> EventStatus:
    return EventStatus(event_id=f"evt_{number}", article_id="a", state=state)


async def streamed(life: Life, settings: StreamSettings) -> Reader:
    """A stream that is open, and is driven alone."""
    reader = Reader()
    stream = LifeStream(life, Follower("wire", None, 10), lambda: True, settings)
    await stream(reader.offers(), _no_body, reader.send)
    return reader


async def test_a_quiet_stream_shows_signs_of_life() -> None:
    life = Life()
    reader = await streamed(life, QUICK)
    await until(lambda: reader.body.count(b": still here\n\n") >= 2, "two heartbeats")
    life.end()
    assert reader.is_finished


async def test_a_stream_ends_in_order_at_its_age() -> None:
    reader = await streamed(Life(), StreamSettings(heartbeat_seconds=0.02, age_seconds=0.05))
    await until(lambda: reader.is_finished, "the end")


async def test_a_reader_who_takes_nothing_is_cut() -> None:
    life = Life()
    reader = await streamed(life, StreamSettings(heartbeat_seconds=0.01, write_seconds=0.05))
    reader.is_full = True
    await until(lambda: reader.is_cut, "the cut")
    assert not reader.is_finished
    assert life.followers == 0


async def test_a_reader_too_far_behind_is_let_go_once_it_reads_and_others_are_not() -> None:
    life = Life()
    slow, quick = [await streamed(life, StreamSettings(heartbeat_seconds=60)) for _ in range(2)]
    slow.is_full = True
    for number in range(11):
        life.tell(a_status(number))
    slow.reads()
    assert (slow.is_finished, quick.is_finished, life.followers) == (True, False, 1)
    assert quick.body.count(b"event: status") == 11


def test_a_slow_reader_keeps_the_newest_state_of_each_event() -> None:
    follower = Follower("wire", None, 10)
    for state in (EventState.ACCEPTED, EventState.STORED, EventState.RENDERED):
        follower.offer(a_status(1, state))
    (told,) = [part for part in follower.take().split(b"\n\n") if part]
    assert json.loads(told.partition(b"data: ")[2])["state"] == "rendered"
    assert follower.take() == b""


def test_a_reader_with_too_much_pending_is_cut() -> None:
    follower = Follower("wire", None, 3)
    for number in range(4):
        follower.offer(a_status(number))
    assert follower.is_over
