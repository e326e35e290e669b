"""The load of the benchmark: when it sends what, and what it takes for through."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from bench import load as loads
from bench import soak, sustained, wagtail
from bench.load import Sent, work
from bench.openloop import drive
from bench.stack import ONE_KEY, Broken, Newsroom
from bench.table import Measure, Size, Stand
from bench.traffic import SHARES, Act, Traffic
from bench.watch import Watch
from desk.parts.home import SOURCE
from newsroom.articles import Contract
from newsroom.kafka.fake import FakeLog, FakePublisher
from newsroom.outcomes import EventOutcome, EventState, Rendering, outcome_message, rendering_message
from newsroom.records import Message
from newsroom.times import now
from services.ingest.calls import CHANGES
from services.ingest.requests import NewArticle, NewEntry

MANY = 600


def acts() -> Iterator[Act]:
    """What is sent where everything is rendered at once."""
    traffic = Traffic("test")
    for _ in range(MANY):
        act = traffic.next()
        yield act
        name = act.body.get("id") if act.path == "/articles" else act.path.split("/")[2]
        traffic.rendered(act.kind, str(name))


def body_of(act: Act) -> type[Contract]:
    """What the door reads at the address of an act."""
    if act.path == "/articles":
        return NewArticle
    if act.kind == "entry_added":
        return NewEntry
    (call,) = (each for each in CHANGES if each.path.rpartition("/")[2] == act.path.rpartition("/")[2])
    assert call.method == act.method
    body: type[Contract] = call.body
    return body


def test_the_same_is_sent_in_every_run() -> None:
    assert list(acts()) == list(acts())


def test_every_kind_of_event_is_among_what_is_sent() -> None:
    kinds = {act.kind for act in acts()} | {"published again" for act in acts() if "publication" in act.path}
    assert kinds == set(SHARES)


def test_the_door_reads_each_body() -> None:
    for act in acts():
        body_of(act).model_validate(act.body)


def test_an_article_that_is_on_its_way_is_not_touched() -> None:
    traffic = Traffic("test")
    sent = [traffic.next() for _ in range(MANY)]
    assert {act.path for act in sent} == {"/articles"}
    assert len({act.body["id"] for act in sent}) == MANY


async def test_what_falls_behind_is_counted_from_when_it_was_due() -> None:
    """The second act is held up by the first, which blocks the loop: it begins late, and that is told."""

    async def act(number: int) -> float:
        if number == 0:
            time.sleep(0.2)  # noqa: ASYNC251  (that is what is meant)
        return time.time()

    done = await drive(100, 0.05, act)
    assert len(done) == 5
    assert [round(each.due - done[0].due, 3) for each in done] == [0, 0.01, 0.02, 0.03, 0.04]
    assert done[1].began - done[1].due > 0.1
    assert done[1].result - done[1].due > 0.1


@pytest.mark.parametrize("rate", [0, -1, 0.1, float("nan"), float("inf")])
async def test_a_load_of_nothing_is_refused(rate: float) -> None:
    async def act(number: int) -> None: ...

    with pytest.raises(ValueError, match="is no load"):
        await drive(rate, 1, act)


@pytest.mark.parametrize(("refused", "rejected"), [(0, 0), (3, 0), (0, 2), (3, 2)])
async def test_what_is_refused_or_rejected_of_a_filling_is_counted(
    refused: int, rejected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    @asynccontextmanager
    async def nobody(_: object) -> AsyncIterator[None]:
        yield

    numbers = iter(range(10))

    async def send(_: object, act: Act) -> Sent:
        number = next(numbers)
        return Sent(act, 1.0) if number < refused else Sent(act, 1.0, f"evt_{number}", "a1")

    async def through(_: Traffic, __: object, sent: Sent) -> float | None:
        return None if int(sent.event_id[4:]) >= 10 - rejected else 2.0

    async def at_rest(_: object) -> None: ...

    changed: dict[str, Any] = {
        "watching": nobody,
        "_door": nobody,
        "_send": send,
        "_through": through,
        "worked_off": at_rest,
    }
    for name, replaced in changed.items():
        monkeypatch.setattr(loads, name, replaced)
    newsroom = Newsroom("", "", "", "", "", Path(), "", {})
    assert await work(newsroom, 10, 2, "filling", lambda _: None) == refused + rejected


@pytest.mark.parametrize(
    "measure", [sustained.measure_sustained, soak.measure_memory, wagtail.measure_wagtail]
)
def test_no_load_is_met_by_the_bound_on_one_key(
    measure: Measure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def refusing(*_: object, settings: Mapping[str, str], **__: object) -> Iterator[NoReturn]:
        assert settings == ONE_KEY
        raise Broken("seen")

    @contextmanager
    def a_peer(*_: object) -> Iterator[tuple[str, str]]:
        yield "", ""

    for module in (sustained, soak, wagtail):
        monkeypatch.setattr(module, "a_newsroom", refusing)
    monkeypatch.setattr(wagtail, "a_wagtail", a_peer)
    with pytest.raises(Broken, match="seen"):
        measure(Stand(tmp_path, tmp_path, lambda _: None, Size.SMOKE))


def test_the_bound_on_one_key_is_a_setting() -> None:
    (name,) = ONE_KEY
    assert f"{name}=" in (SOURCE / ".env.example").read_text()


async def told(watch: Watch, *messages: Message) -> None:
    log = FakeLog()
    await FakePublisher(log).publish_all(messages)
    for record in log.records("newsroom.outcomes"):
        watch.take(record)


def stored(event_id: str, revision: int) -> Message:
    outcome = EventOutcome(
        event_id=event_id, article_id="a1", state=EventState.STORED, revision=revision, renders=True
    )
    return outcome_message(outcome, now(), None)


def rendered(revision: int) -> Message:
    return rendering_message(Rendering(article_id="a1", revision=revision), now(), None)


async def test_an_event_is_through_with_its_revision_or_a_later_one() -> None:
    watch = Watch()
    waiting = asyncio.create_task(watch.rendering("a1", 2))
    outcome = asyncio.create_task(watch.outcome("evt_1"))
    await asyncio.sleep(0)
    await told(watch, stored("evt_1", 2), rendered(1))
    await asyncio.sleep(0)
    assert (await outcome)[0].revision == 2
    assert not waiting.done()
    await told(watch, rendered(3))
    assert await waiting > 0
    assert await watch.rendering("a1", 3) > 0
    assert (await watch.outcome("evt_1"))[0].event_id == "evt_1"
