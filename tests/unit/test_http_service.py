"""A service as a process: it answers, it stops in order and within its bound, and its exit code says why."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx
import pytest
from fastapi import FastAPI

from newsroom.errors import Away, Misconfigured
from newsroom.http.app import create_app
from newsroom.http.health import Health
from newsroom.service import EXIT_BUG, EXIT_MISCONFIGURED, EXIT_STOPPED, Task, persist, serve
from newsroom.settings import CommonSettings
from tests.stack import free_port


async def nothing() -> None:
    """A part that has nothing to do."""


@dataclass
class Served:
    """A service in a task of this loop."""

    tasks: dict[str, Task] = field(default_factory=dict)
    on_stop: Callable[[], Awaitable[None]] = nothing
    stop_seconds: float = 30.0

    def __post_init__(self) -> None:
        self.port = free_port()
        self.health = Health("test")
        self.app: FastAPI = create_app(
            title="Test", description="", version="1", health=self.health, settings=CommonSettings()
        )
        self.entered = asyncio.Event()

        @self.app.get("/slow")
        async def slow() -> str:
            self.entered.set()
            await self.app.state.stopping.wait()
            await asyncio.sleep(0.05)
            return "done"

        @self.app.get("/stuck")
        async def stuck() -> None:
            self.entered.set()
            await asyncio.Event().wait()

    def start(self) -> asyncio.Task[int]:
        return asyncio.create_task(
            serve(
                self.app,
                host="127.0.0.1",
                port=self.port,
                health=self.health,
                tasks=self.tasks,
                on_stop=self.on_stop,
                stop_seconds=self.stop_seconds,
            )
        )

    async def get(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            return await client.get(f"http://127.0.0.1:{self.port}{path}")

    async def answers(self) -> None:
        """Wait until it answers."""
        async with asyncio.timeout(30):
            while True:
                try:
                    await self.get("/health/live")
                except httpx.TransportError:
                    await asyncio.sleep(0.01)
                else:
                    return


def tell_to_stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


async def test_a_signal_ends_it_in_order() -> None:
    order: list[str] = []
    stop = asyncio.Event()

    async def work() -> None:
        await stop.wait()
        order.append("task ended")

    async def on_stop() -> None:
        assert (await served.get("/health/ready")).json()["status"] == "stopping"
        order.append("on_stop")
        stop.set()

    served = Served({"work": work}, on_stop)
    running = served.start()
    await served.answers()
    tell_to_stop()
    assert await running == EXIT_STOPPED
    assert order == ["on_stop", "task ended"]
    with pytest.raises(httpx.ConnectError):
        await served.get("/health/live")


async def test_an_open_request_is_answered_before_the_end() -> None:
    served = Served()
    running = served.start()
    await served.answers()
    request = asyncio.create_task(served.get("/slow"))
    await served.entered.wait()
    tell_to_stop()
    assert (await request).json() == "done"
    assert await running == EXIT_STOPPED


async def test_nothing_that_is_stuck_holds_the_process_beyond_its_bound() -> None:
    async def hangs() -> None:
        await asyncio.Event().wait()

    served = Served({"hangs": hangs}, hangs, stop_seconds=3)
    running = served.start()
    await served.answers()
    request = asyncio.create_task(served.get("/stuck"))
    await served.entered.wait()
    begun = time.monotonic()
    tell_to_stop()
    assert await running == EXIT_STOPPED
    assert time.monotonic() - begun < 60
    cut = await request
    assert (cut.status_code, cut.json()["type"]) == (503, "/problems/busy")


async def test_a_task_that_fails_stops_the_process_as_a_bug() -> None:
    async def fails() -> None:
        raise RuntimeError

    assert await Served({"fails": fails}).start() == EXIT_BUG


async def test_a_task_that_cannot_be_set_up_says_so_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    async def refuses() -> None:
        raise Misconfigured("this database belongs to another log: name an empty one")

    assert await Served({"refuses": refuses}).start() == EXIT_MISCONFIGURED
    told = capsys.readouterr().err
    assert told == "newsroom: this database belongs to another log: name an empty one\n"


async def test_a_stop_that_fails_is_a_bug() -> None:
    async def fails() -> None:
        raise RuntimeError

    served = Served(on_stop=fails)
    running = served.start()
    await served.answers()
    tell_to_stop()
    assert await running == EXIT_BUG


async def test_a_port_in_use_is_one_line_that_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    first = Served()
    running = first.start()
    await first.answers()
    second = Served()
    second.port = first.port
    assert await second.start() == EXIT_MISCONFIGURED
    assert f"cannot listen on 127.0.0.1:{first.port}" in capsys.readouterr().err
    tell_to_stop()
    assert await running == EXIT_STOPPED


async def test_a_step_is_tried_until_its_dependency_is_there() -> None:
    tries = 0

    async def step() -> str:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise Away("kafka")
        return "up"

    assert await persist(step, "step") == "up"
    assert tries == 3


async def test_a_step_that_can_never_succeed_is_not_tried_again() -> None:
    async def step() -> None:
        raise Misconfigured("no")

    with pytest.raises(Misconfigured):
        await persist(step, "step")
