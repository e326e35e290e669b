"""Parts without processes, and a clock that a test moves: what `up` decides, without anything that runs."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

from desk.parts.home import SOURCE, Home
from desk.parts.part import Part
from desk.parts.process import Process
from desk.parts.service import Service


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += seconds


class FakeProcess(Process):
    """Ends when the test says so (`ends`). `stop_seconds`: how long it takes to stop, on the clock."""

    def __init__(self, name: str, home: Home, clock: Clock) -> None:
        super().__init__(name, home, ("none",), folder=SOURCE, environment={})
        self._clock = clock
        self._is_running = False
        self._code: int | None = None
        self.starts = 0
        self.refuses_to_start = ""
        self.stop_seconds = 0.0
        self._told_to_stop = 0.0
        self.lines: list[str] = []

    @property
    def pid(self) -> int | None:
        return 4711 if self._is_running else None

    def start(self) -> None:
        if self.refuses_to_start:
            raise OSError(self.refuses_to_start)
        self.starts += 1
        self._is_running, self._code = True, None

    def ends(self, code: int) -> None:
        self._is_running, self._code = False, code

    def exit_code(self) -> int | None:
        return self._code

    def tell_to_stop(self) -> None:
        self._told_to_stop = self._clock.now

    def end_within(self, seconds: float) -> int | None:
        needed = max(self._told_to_stop + self.stop_seconds - self._clock.now, 0.0)
        allowed = max(seconds, 0.0)
        self._clock.forward(min(allowed, needed))
        self.ends(0 if needed <= allowed else -signal.SIGKILL)
        return self._code

    def kill(self) -> None:
        self.ends(-signal.SIGKILL)

    def last_lines(self, count: int = 15) -> list[str]:
        return self.lines[-count:]


class FakePart(Part):
    """A part that is ready when the test says so."""

    def __init__(self, name: str, folder: Path, clock: Clock) -> None:
        self.fake = FakeProcess(name, Home(folder), clock)
        super().__init__(self.fake, f"address of {name}")
        self.ready: Callable[[], bool] = lambda: True

    def is_ready(self) -> bool:
        return self.ready()


class FakeService(Service):
    """A service that answers what the test says."""

    def __init__(self, name: str, folder: Path, clock: Clock) -> None:
        super().__init__(name, Home(folder), "http://127.0.0.1:1", {})
        self.fake = FakeProcess(name, Home(folder), clock)
        self.process = self.fake
        self.ready = True
        self.alive = True
        self.asked: Callable[[], None] = lambda: None

    def is_ready(self) -> bool:
        self.asked()
        return self.ready

    def is_alive(self) -> bool:
        return self.alive
