"""Real servers that a test may start, stop, kill and freeze: what `make up` starts, on other ports."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from desk.parts.home import Home
from desk.parts.kafka import Kafka
from desk.parts.mongod import Mongod
from desk.parts.part import Part
from desk.parts.ports import free_ports
from tests import canary

START_SECONDS = 240.0
"""For what takes ten on a machine that has nothing else to do."""


class Running:
    """One server in a folder of its own. It keeps its data and its address from start to start."""

    def __init__(self, part: Part, home: Home) -> None:
        self.part = part
        self._home = home

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self.part.pid

    def start(self) -> None:
        """Start it and wait until it serves; nothing to do where it runs."""
        if self.part.pid is None:
            self.part.start()
        self.part.wait_until_ready(START_SECONDS)

    def stop(self) -> None:
        """Stop it in order."""
        self.part.stop(30.0)

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        self.part.kill()

    def pause(self) -> None:
        """SIGSTOP: it takes connections and never answers."""
        self.part.process.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self.part.process.signal(signal.SIGCONT)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Killed for the length of the block, and back after it."""
        self.kill()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Paused for the length of the block, and awake after it."""
        self.pause()
        try:
            yield
        finally:
            self.resume()

    def end(self) -> None:
        """For good: the process and all that it wrote, unless a secret stands there: the search after the run
        is to find it.
        """
        self.kill()
        if not canary.found_below(self._home.root):
            shutil.rmtree(self._home.root, ignore_errors=True)


class RunningKafka(Running):
    """A broker."""

    def __init__(self, folder: Path, parts: Path) -> None:
        home = _a_home(folder)
        port, controller_port = free_ports(2)
        kafka = Kafka(home, port, controller_port, parts)
        super().__init__(kafka, home)
        self.bootstrap = kafka.bootstrap


class RunningMongo(Running):
    """A replica set of one member."""

    def __init__(self, folder: Path) -> None:
        home = _a_home(folder)
        mongod = Mongod(home, free_ports(1)[0])
        super().__init__(mongod, home)
        self.url = mongod.url


def _a_home(folder: Path) -> Home:
    home = Home(folder)
    home.make()
    return home
