"""One process of the newsroom: an HTTP server and the tasks beside it, started, watched and stopped together.

Stopping, in this order and within a bound: not ready, `app.state.stopping` set (long answers end), `on_stop`
(stop taking, finish, commit, close), the server lets open requests finish, tasks that are left are cancelled.

Exit codes: 0 stopped by a signal, 1 a bug (be restarted), 2 not usable as set up (read the line on stderr).
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from typing import Any, NoReturn, TypeVar, cast

import structlog
import uvicorn
import uvloop
from fastapi import FastAPI

from newsroom.errors import Away, Misconfigured
from newsroom.http.connections import Connections, most_connections
from newsroom.http.health import Health
from newsroom.http.wire import PATIENCE, Patience, protocol
from newsroom.kafka.backoff import Backoff
from newsroom.settings import CommonSettings
from newsroom.telemetry import metrics

EXIT_STOPPED = 0
EXIT_BUG = 1
EXIT_MISCONFIGURED = 2
_GARBAGE = (10_000, 20, 200)
"""Objects more than were freed until the young are looked at; looks until those that stayed are, twice."""
_GRACE_SECONDS = 2.0
_LAST_REQUESTS_SHARE = 0.25
log = structlog.get_logger(__name__)

T = TypeVar("T")
Task = Callable[[], Coroutine[Any, Any, None]]


async def serve(
    app: FastAPI,
    *,
    host: str,
    port: int,
    health: Health,
    tasks: Mapping[str, Task],
    on_stop: Callable[[], Awaitable[None]],
    stop_seconds: float,
) -> int:
    """Run until SIGTERM, SIGINT or the first failure, then stop in order. Returns the exit code.

    A task may end by itself; one that raises stops the process. Further signals change nothing.
    """
    try:
        listener = _listen(host, port)
    except Misconfigured as error:
        return _tell_misconfigured(error)
    server = _Server(_server_config(app))
    running = _Running(tasks)
    with _stop_signals() as signalled:
        serving = asyncio.create_task(server.serve(sockets=[listener]), name="http")
        log.info("service_started", host=host, port=listener.getsockname()[1])
        try:
            code = await _first_end(signalled, serving, running)
            return await _stop(app, health, server, serving, running, on_stop, stop_seconds, code)
        finally:
            serving.cancel()
            listener.close()


async def persist(step: Callable[[], Awaitable[T]], what: str) -> T:
    """Try a step until the dependency that it needs is there, with back-off."""
    backoff = Backoff(first=0.2, most=10.0)
    while True:
        try:
            return await step()
        except Away as error:
            log.warning("step_waits", step=what, reason=str(error))
            await asyncio.sleep(backoff.next_delay_seconds())


def main(run: Callable[[], Coroutine[Any, Any, int]]) -> NoReturn:
    """Run a service's coroutine on uvloop and leave with its exit code."""
    _collect_rarely()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            code = runner.run(run())
            _leave_within(_GRACE_SECONDS, code)
    except Misconfigured as error:
        code = _tell_misconfigured(error)
    except KeyboardInterrupt:
        code = EXIT_STOPPED
    sys.exit(code)


def _collect_rarely() -> None:
    """Have what is loaded by now never looked at again for garbage, and all else not with every few requests:
    with ten thousand open streams, one look at everything takes a second, in which nobody is answered.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GARBAGE)


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling, which would raise the signal again and end us in mid-stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Running:
    """The tasks of a service, and the first of them that failed."""

    def __init__(self, tasks: Mapping[str, Task]) -> None:
        self.failed = asyncio.Event()
        self.code = EXIT_STOPPED
        self._tasks = [
            asyncio.create_task(self._watch(name, task), name=name) for name, task in tasks.items()
        ]

    async def _watch(self, name: str, task: Task) -> None:
        try:
            await task()
        except Misconfigured as error:
            self._fail(_tell_misconfigured(error))
        except Exception:
            metrics.bugs.labels(where=name).inc()
            log.exception("task_failed", task=name)
            self._fail(EXIT_BUG)

    def _fail(self, code: int) -> None:
        self.code = self.code or code
        self.failed.set()

    async def end(self, seconds: float) -> None:
        """Let the tasks end, for so long; then cancel them, and wait no longer than a moment for that."""
        for patience in (seconds, _GRACE_SECONDS / 2):
            pending = [task for task in self._tasks if not task.done()]
            if not pending:
                return
            _, late = await asyncio.wait(pending, timeout=patience)
            for task in late:
                task.cancel()


async def _first_end(signalled: asyncio.Event, serving: asyncio.Task[None], running: _Running) -> int:
    """Wait for a signal, a failed task or the server's end; the exit code that follows from it."""
    waits = [asyncio.create_task(signalled.wait()), asyncio.create_task(running.failed.wait())]
    try:
        await asyncio.wait([*waits, serving], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    if running.failed.is_set():
        return running.code
    if serving.done() and not signalled.is_set():
        log.error("server_ended", exc_info=serving.exception())
        return EXIT_BUG
    return EXIT_STOPPED


async def _stop(
    app: FastAPI,
    health: Health,
    server: _Server,
    serving: asyncio.Task[None],
    running: _Running,
    on_stop: Callable[[], Awaitable[None]],
    stop_seconds: float,
    code: int,
) -> int:
    log.info("service_stopping", code=code)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + stop_seconds
    health.stopping()
    app.state.stopping.set()
    code = max(code, await _finish_work(on_stop, stop_seconds * (1 - _LAST_REQUESTS_SHARE)))
    await _end_server(server, serving, deadline - loop.time() - _GRACE_SECONDS / 2)
    await running.end(max(0.0, deadline - loop.time() - _GRACE_SECONDS / 2))
    code = code or running.code
    log.info("service_stopped", code=code)
    return code


async def _finish_work(on_stop: Callable[[], Awaitable[None]], seconds: float) -> int:
    try:
        async with asyncio.timeout(seconds):
            await on_stop()
    except TimeoutError:
        log.warning("stop_took_too_long", seconds=seconds)
    except Exception:
        log.exception("stop_failed")
        return EXIT_BUG
    return EXIT_STOPPED


async def _end_server(server: _Server, serving: asyncio.Task[None], seconds: float) -> None:
    """Close the door, let open requests finish, and cut those that do not."""
    server.config.timeout_graceful_shutdown = max(1, int(seconds))
    server.should_exit = True
    _, late = await asyncio.wait([serving], timeout=max(1.0, seconds) + 0.5)
    if late:
        server.force_exit = True


def _server_config(app: FastAPI, patience: Patience = PATIENCE) -> uvicorn.Config:
    settings: CommonSettings = app.state.settings
    places = Connections(most_connections(settings.connections), settings)
    return uvicorn.Config(
        app,
        loop="none",
        http=cast("type[asyncio.Protocol]", protocol(places, patience)),  # uvicorn only ever calls it
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
    )


def _listen(host: str, port: int) -> socket.socket:
    """The socket, taken before anything else starts.

    Raises: Misconfigured where the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Misconfigured(
            f"cannot listen on {host}:{port}: {reason}. Stop what uses the port, or set another host or port."
        ) from error


@contextlib.contextmanager
def _stop_signals() -> Iterator[asyncio.Event]:
    """An event that SIGTERM and SIGINT set, as long as the block lasts."""
    loop, signalled = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signalled.set)
    try:
        yield signalled
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def _leave_within(seconds: float, code: int) -> None:
    """End the process even if something that was left over holds on to it while the loop closes."""
    timer = threading.Timer(seconds, os._exit, (code,))
    timer.daemon = True
    timer.start()


def _tell_misconfigured(error: Misconfigured) -> int:
    print(f"newsroom: {error}", file=sys.stderr, flush=True)
    return EXIT_MISCONFIGURED
