"""The bench at the door: its client, what it sends, and what it makes of the answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import islice
from pathlib import Path

import orjson
import pytest

from bench.caller import a_post, callers
from bench.door import Answers, Round, Rush, answers_of, chapter, requests_of
from bench.openloop import Done
from bench.stack import Broken, Newsroom
from bench.table import Chapter, Row
from services.ingest.requests import NewArticle


def a_newsroom() -> Newsroom:
    return Newsroom(
        bootstrap="",
        mongo_url="",
        ingest="http://127.0.0.1:8001",
        store="",
        site="",
        public=Path(),
        key="nrk_test",
        pids={},
    )


@asynccontextmanager
async def a_server(*answers: bytes) -> AsyncIterator[str]:
    """Gives each connection these answers, one for each request without a body, and then hangs up."""

    serving: set[asyncio.Task[object] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError):
            for answer in answers:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(answer)
                await writer.drain()
            await reader.readuntil(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await asyncio.gather(*filter(None, serving))


def an_answer(status: int, body: bytes = b"{}") -> bytes:
    return f"HTTP/1.1 {status} Any\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def test_a_caller_tells_the_status_of_each_answer_on_one_connection() -> None:
    async with a_server(an_answer(202), an_answer(503, b"x" * 100_000), an_answer(202)) as address:
        request = a_post(address, "/articles", "nrk_test", b"")
        async with callers(address, 2) as (first, second):
            assert [await first.ask(request) for _ in range(3)] == [202, 503, 202]
            assert await second.ask(request) == 202


async def test_a_caller_says_so_when_the_server_hangs_up() -> None:
    async with a_server(an_answer(202)) as address:
        request = a_post(address, "/articles", "nrk_test", b"")
        async with callers(address, 1) as (caller,):
            assert await caller.ask(request) == 202
            with pytest.raises(Broken, match="closed a connection"):
                await caller.ask(request)
            with pytest.raises(Broken, match="between two requests"):
                await caller.ask(request)


def test_each_request_is_whole_and_publishes_an_article_of_its_own() -> None:
    bodies = []
    for request in islice(requests_of(a_newsroom(), 3), 300):
        head, _, body = request.partition(b"\r\n\r\n")
        assert f"Content-Length: {len(body)}".encode() in head
        assert head.startswith(b"POST /articles HTTP/1.1\r\n")
        assert b"Authorization: Bearer nrk_test" in head
        bodies.append(NewArticle.model_validate(orjson.loads(body)))
    assert len({body.id for body in bodies}) == len({body.headline for body in bodies}) == 300
    assert {body.id for body in bodies}.isdisjoint(
        NewArticle.model_validate_json(request.partition(b"\r\n\r\n")[2]).id
        for request in islice(requests_of(a_newsroom(), 4), 300)
    )


def test_an_answer_counts_from_when_its_request_was_due() -> None:
    done = [Done(due=10.0, began=10.5, result=(202, 11.0)), Done(due=11.0, began=11.0, result=(503, 11.1))]
    answers = answers_of(done)
    assert answers.waited == pytest.approx([1.0, 0.1])
    assert answers.late == pytest.approx([0.5, 0.0])
    assert answers.refused == 1


def a_round(*, used: float = 0.5, waited: float = 0.01, refused: int = 0) -> Round:
    return Round(
        door=Rush(count=2_000, seconds=1.0, processor_seconds={"ingest": used, "driver": 0.1}),
        floor=Rush(count=2_000, seconds=0.5, processor_seconds={"driver": 0.2}),
        answers=Answers(waited=[waited] * 10, late=[0.001] * 10, refused=refused),
    )


def rows(found: Chapter) -> dict[str, Row]:
    return {row.what: row for row in found.rows}


def test_a_rate_per_core_is_told_beside_the_floor() -> None:
    found = rows(chapter([a_round(), a_round(used=1.0), a_round(used=0.8)], 500, "how"))
    assert found["accepted per core"].values == pytest.approx([4000, 2000, 2500])
    assert found["accepted per core"].is_met is False
    assert found["the floor, per core"].value == pytest.approx(10_000)
    ratio = next(iter(found.values()))
    assert ratio.unit == "x floor"
    assert ratio.values == pytest.approx([0.4, 0.2, 0.25])


@pytest.mark.parametrize(
    ("found", "missed"),
    [
        (a_round(), []),
        (a_round(used=0.7), ["accepted per core"]),
        (a_round(waited=0.021), ["answer in open load at half the rate, p99"]),
        (a_round(refused=1), ["refused in open load"]),
    ],
)
def test_each_goal_of_the_door_can_be_missed(found: Round, missed: list[str]) -> None:
    assert [row.what for row in chapter([found], 500, "how").rows if row.is_met is False] == missed
