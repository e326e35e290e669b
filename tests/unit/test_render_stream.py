"""One reader's stream over HTTP: what it is sent, how it goes on, and every way in which it ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.types import Message

from newsroom.errors import Away
from newsroom.http.app import Health
from newsroom.notices import NoticeKind
from newsroom.telemetry import metrics
from services.render.app import create_site
from services.render.cards import card_of, ledger_of, listings_of
from services.render.live import Hub
from services.render.serving import SiteServer
from services.render.settings import RenderSettings
from services.render.standing import View, coalesce, first_met
from services.render.stream import Ask, EventStream, StreamSettings
from tests.line_parts import Reader
from tests.render_parts import SITE_URL, MemoryReadModel, PlainPages, a_delivery, a_notice, a_public, until
from tests.unit import jumping
from tests.wire_parts import served

QUICK = StreamSettings(heartbeat_seconds=0.05, age_seconds=30, write_seconds=0.3)


async def _nobody(_: str) -> int | None:
    return None


def a_hub(*, is_ready: bool = True) -> Hub:
    hub = Hub(SITE_URL)
    hub.name_log("mark")
    if is_ready:
        hub.ready.set()
    return hub


@asynccontextmanager
async def streaming(
    hub: Hub,
    ask: Ask,
    *,
    public_revision: Callable[[str], Awaitable[int | None]] = _nobody,
    settings: StreamSettings = QUICK,
) -> AsyncIterator[tuple[Reader, asyncio.Task[None]]]:
    reader = Reader()
    stream = EventStream(hub, ask, public_revision, settings)
    task = asyncio.create_task(stream(reader.offers(), _nothing, reader.send))
    try:
        yield reader, task
    finally:
        reader.leave()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _nothing() -> Message:
    raise AssertionError("a stream asks its reader for nothing")


async def test_a_reader_hears_of_what_comes() -> None:
    """At once, with the headers that keep caches and proxies from holding it back."""
    hub = a_hub()
    async with streaming(hub, Ask("a1", 1)) as (reader, _):
        await until(reader.has("retry: 2000"), "the beginning")
        hub.take(0, a_notice("a1", 2))
        await until(reader.has('"revision":2'), "the notice")
        assert "event: notice\nid: mark-0\n" in reader.body.decode()
    assert reader.status == 200
    assert reader.headers["content-type"].startswith("text/event-stream")
    assert reader.headers["cache-control"] == "no-store"
    assert reader.headers["x-accel-buffering"] == "no"
    assert "content-length" not in reader.headers


async def test_signs_of_life_tell_where_to_go_on() -> None:
    """Also for a reader whose page nothing concerns: it need not be reset after a break."""
    hub = a_hub()
    async with streaming(hub, Ask("a1", 1)) as (reader, _):
        hub.take(0, a_notice("other", 1))
        await until(reader.has(": still here\n\nid: mark-0\n\n"), "a heartbeat with the place")


async def test_a_sign_of_life_names_no_place_ahead_of_a_notice_yet_to_be_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A break right after it would lose the notice: where both fall due at once, the notice goes first."""
    hub, clock = a_hub(), jumping.of_the_loop(monkeypatch)
    async with streaming(hub, Ask("a1", 1), settings=StreamSettings(heartbeat_seconds=60)) as (reader, _):
        await until(reader.has("retry"), "the beginning")
        asyncio.get_running_loop().call_later(72, hub.take, 0, a_notice("a1", 2))
        clock.seconds += 120
        await until(reader.has("event: notice\nid: mark-0\n"), "the notice")
        clock.seconds += 120
        await until(reader.has(": still here\n\nid: mark-0\n\n"), "a heartbeat with the place")
    body = reader.body.decode()
    assert body.index("event: notice\nid: mark-0\n") < body.index(": still here\n\nid: mark-0\n\n")


async def test_a_script_can_see_the_signs_of_life_it_asks_for() -> None:
    """At once and then on and on, with the place as soon as there is one."""
    hub = a_hub()
    async with streaming(hub, Ask("a1", 1, pulse=True)) as (reader, _):
        await until(reader.has("event: pulse\ndata: {}\n\n"), "a sign of life")
        hub.take(0, a_notice("other", 1))
        await until(reader.has("event: pulse\nid: mark-0\ndata: {}\n\n"), "one with the place")
    assert ": still here" not in reader.body.decode()


async def test_a_stream_waits_until_the_topic_is_read() -> None:
    """With signs of life; nothing is missed by coming too early."""
    hub = a_hub(is_ready=False)
    async with streaming(hub, Ask("a1", 1)) as (reader, _):
        await until(reader.has(": still here"), "a heartbeat")
        hub.take(5, a_notice("a1", 2))
        hub.ready.set()
        await until(reader.has('"revision":2'), "the notice")


@pytest.mark.parametrize(("public", "is_reset"), [(1, False), (2, True), (None, False)])
async def test_where_the_ring_cannot_tell_the_read_model_is_asked(public: int | None, is_reset: bool) -> None:
    """What the reader missed before the ring began."""

    async def public_revision(_: str) -> int | None:
        return public

    hub = a_hub()
    hub.take(100, a_notice("other", 1))
    async with streaming(hub, Ask("a1", 1), public_revision=public_revision) as (reader, _):
        await until(reader.has(": still here"), "the beginning")
    assert ("event: reset" in reader.body.decode()) is is_reset


async def test_where_nobody_can_tell_the_reader_fetches_again() -> None:
    """The read model is away: once too often is better than never."""

    async def away(_: str) -> int | None:
        raise Away("mongodb")

    hub = a_hub()
    async with streaming(hub, Ask("a1", 1), public_revision=away) as (reader, _):
        await until(reader.has("event: reset"), "a reset")


async def test_the_stop_of_the_process_ends_streams_properly() -> None:
    """The browser sees an end, not an error, and connects to another instance."""
    hub = a_hub()
    async with streaming(hub, Ask("a1", 1)) as (reader, task):
        await until(reader.has("retry"), "the beginning")
        assert task.done(), "the request is over, its answer goes on"
        hub.end()
        assert reader.is_finished
        assert (hub.streams, hub._subscriptions) == (0, {})


async def test_a_stream_ends_at_its_age() -> None:
    """So that readers spread over instances again."""
    hub = a_hub()
    short = StreamSettings(heartbeat_seconds=0.05, age_seconds=0.2)
    async with streaming(hub, Ask("a1", 1), settings=short) as (reader, _):
        await until(lambda: reader.is_finished, "the end")
        assert (hub.streams, hub._subscriptions) == (0, {})


async def test_a_reader_that_leaves_is_forgotten() -> None:
    """At once, not with the next thing to be sent."""
    hub = a_hub()
    quiet = StreamSettings(heartbeat_seconds=60)
    async with streaming(hub, Ask("a1", 1), settings=quiet) as (reader, _):
        await until(reader.has("retry"), "the beginning")
        reader.leave()
        assert (hub.streams, hub._subscriptions) == (0, {})


async def test_a_reader_that_does_not_read_is_cut() -> None:
    """It holds no memory beyond its one pending notice per article."""
    hub = a_hub()
    async with streaming(hub, Ask("a1", 1)) as (reader, _):
        await until(reader.has("retry"), "the beginning")
        reader.is_full = True
        await until(lambda: reader.is_cut, "the cut")
        assert not reader.is_finished
        assert (hub.streams, hub._subscriptions) == (0, {})


async def test_a_reader_that_reads_again_is_sent_the_newest_of_what_came_meanwhile() -> None:
    """And may stay."""
    hub = a_hub()
    quiet = StreamSettings(heartbeat_seconds=60, write_seconds=0.2)
    async with streaming(hub, Ask("a1", 1), settings=quiet) as (reader, _):
        await until(reader.has(": still here"), "the beginning")
        reader.is_full = True
        for offset, revision in enumerate((2, 3)):
            hub.take(offset, a_notice("a1", revision))
        reader.reads()
        assert reader.has('"revision":3')()
        assert not reader.has('"revision":2')()
        await asyncio.sleep(0.3)
        assert not reader.is_cut


async def test_an_end_waits_for_a_reader_who_has_yet_to_read() -> None:
    """What is pending still reaches it, and then the end."""
    hub = a_hub()
    async with streaming(hub, Ask("a1", 1), settings=StreamSettings(heartbeat_seconds=60)) as (reader, _):
        await until(reader.has(": still here"), "the beginning")
        reader.is_full = True
        hub.take(0, a_notice("a1", 2))
        hub.end()
        assert not reader.is_finished
        reader.reads()
        assert reader.has('"revision":2')()
        assert reader.is_finished


def the_second_once(knows: asyncio.Event) -> Callable[[str], Awaitable[int | None]]:
    """A read model that knows no sooner."""

    async def public_revision(_: str) -> int | None:
        await knows.wait()
        return 2

    return public_revision


async def test_no_place_is_told_before_it_is_clear_what_was_missed() -> None:
    """Else a break just then would have the reader go on behind what it has not seen."""
    knows, hub = asyncio.Event(), a_hub()
    hub.take(100, a_notice("other", 1))
    async with streaming(hub, Ask("a1", 1), public_revision=the_second_once(knows)) as (reader, _):
        await until(lambda: reader.body.count(b": still here") > 1, "signs of life")
        knows.set()
        await until(reader.has("event: reset\nid: mark-100\n"), "a reset")
    assert b"id:" not in reader.body.partition(b"event: reset")[0]


async def test_a_reader_that_leaves_while_it_is_asked_what_it_missed_is_forgotten() -> None:
    knows, hub = asyncio.Event(), a_hub()
    hub.take(100, a_notice("other", 1))
    async with streaming(hub, Ask("a1", 1), public_revision=the_second_once(knows)) as (reader, task):
        await until(lambda: bool(hub._subscriptions), "the question")
        reader.leave()
        knows.set()
        await task
        assert (hub.streams, hub._subscriptions) == (0, {})


async def test_each_stream_is_counted_while_it_is_open_and_once_by_why_it_ended() -> None:
    hub = a_hub()
    before, left = metrics.open_streams._value.get(), metrics.streams_ended.labels(reason="gone")
    count = left._value.get()
    async with streaming(hub, Ask("a1", 1)) as (reader, _):
        await until(reader.has("retry"), "the beginning")
        assert metrics.open_streams._value.get() == before + 1
        reader.leave()
        reader.leave()
    assert metrics.open_streams._value.get() == before
    assert left._value.get() == count + 1


@asynccontextmanager
async def a_client(
    hub: Hub, model: MemoryReadModel, settings: RenderSettings
) -> AsyncIterator[httpx.AsyncClient]:
    async def no_address(_: str) -> None:
        return None

    app = create_site(
        settings, Health("render"), hub, model, SiteServer(settings.pages, PlainPages(), no_address)
    )
    async with served(app) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        yield client


async def test_over_http_a_page_resumes_after_its_revision_and_a_connection_after_its_last_event() -> None:
    """The addresses and headers of the contract; each stream is ended by the process here."""
    hub = a_hub()
    for revision in (1, 2, 3):
        hub.take(revision - 1, a_notice("a1", revision))
    model = MemoryReadModel()
    asked: list[tuple[str, dict[str, str]]] = [
        ("/live/a1?revision=1", {}),
        ("/live/a1?revision=1", {"last-event-id": "mark-1"}),
        ("/live", {"last-event-id": "mark-0"}),
    ]
    async with a_client(hub, model, RenderSettings()) as client:
        streams = [asyncio.create_task(client.get(path, headers=headers)) for path, headers in asked]
        await until(lambda: sum(map(len, hub._subscriptions.values())) == 3, "three streams")
        hub.end()
        bodies = [(await stream).text for stream in streams]
    assert ['"revision":3' in body for body in bodies] == [True, True, True]
    assert ['"revision":1' in body for body in bodies] == [False, False, False]


@pytest.mark.parametrize(
    ("question", "header", "told"),
    [("after=mark-1", None, [3]), ("after=mark-0", "mark-1", [3]), ("after=mark-2&pulse=1", None, [])],
    ids=["as a question", "the header wins", "nothing since"],
)
async def test_over_http_a_first_request_may_say_where_to_go_on(
    question: str, header: str | None, told: list[int]
) -> None:
    """For the site's stream and an article's alike."""
    hub = a_hub()
    for revision in (1, 2, 3):
        hub.take(revision - 1, a_notice("a1", revision))
    headers = {} if header is None else {"last-event-id": header}
    async with a_client(hub, MemoryReadModel(), RenderSettings()) as client:
        streams = [
            asyncio.create_task(client.get(path, headers=headers))
            for path in (f"/live?{question}", f"/live/a1?revision=1&{question}")
        ]
        await until(lambda: sum(map(len, hub._subscriptions.values())) == 2, "two streams")
        hub.end()
        bodies = [(await stream).text for stream in streams]
    for body in bodies:
        assert [number for number in (1, 2, 3) if f'"revision":{number}' in body] == told
        assert ("event: pulse\nid: mark-2\n" in body) == ("pulse" in question)


async def test_over_http_the_read_model_decides_what_the_ring_cannot() -> None:
    """The page is at revision 1, the article at 3, the ring knows nothing."""
    hub, model = a_hub(), MemoryReadModel()
    (arrival,) = coalesce([a_delivery(a_public(revision=3))])
    update = arrival.update
    await model.insert(first_met(arrival, View(card_of(update), ledger_of(update), listings_of(update))))
    async with a_client(hub, model, RenderSettings()) as client:
        stream = asyncio.create_task(client.get("/live/a1?revision=1"))
        await until(lambda: bool(hub._subscriptions), "the stream")
        hub.end()
        assert "event: reset" in (await stream).text


async def test_too_many_readers_and_a_stopping_process_send_readers_elsewhere() -> None:
    """503 with a time to come back, as a problem."""
    hub = a_hub()
    async with a_client(hub, MemoryReadModel(), RenderSettings(live_streams=1)) as client:
        hub.streams = 1
        busy = await client.get("/live/a1?revision=1")
        hub.streams = 0
        hub.end()
        stopping = await client.get("/live")
    for answer in (busy, stopping):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/live/a1?revision=-1", "/live/a1?revision=x", "/live/bad%20id?revision=1"])
async def test_a_question_that_makes_no_sense_is_a_problem(path: str) -> None:
    """The pointer names what is wrong with it."""
    async with a_client(a_hub(), MemoryReadModel(), RenderSettings()) as client:
        answer = await client.get(path)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_withdrawal_resets_the_open_page() -> None:
    """And carries no word of it."""
    hub = a_hub()
    async with streaming(hub, Ask("a1", 1)) as (reader, _):
        await until(reader.has("retry"), "the beginning")
        hub.take(0, a_notice("a1", 2, NoticeKind.WITHDRAWN))
        await until(reader.has("event: reset"), "a reset")
        assert "kazakhstan" not in reader.body.decode()
