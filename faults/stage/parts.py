"""The arena's Kafka and MongoDB: started, stopped, killed and paused from a coroutine."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from desk.parts.home import Home
from desk.parts.kafka import Kafka
from desk.parts.mongod import Mongod
from desk.parts.part import Part

START_SECONDS = 90.0
FIRST_START_SECONDS = 240.0
"""Before a run begins: machines that run all tests are slow, and nothing is measured yet."""
STOP_SECONDS = 30.0
SELECTION_MS = 20_000


class Server:
    """One process that the newsroom stands on. It keeps its data and its address from start to start."""

    def __init__(self, part: Part, name: str) -> None:
        self.part, self.name = part, name
        self.is_wanted = False

    @property
    def is_alive(self) -> bool:
        """Whether the process is there, paused or not."""
        return self.part.pid is not None

    async def start(self, seconds: float = START_SECONDS) -> None:
        """Start it where it does not run, and wait until it serves. Raises: PartFailed."""
        self.is_wanted = True
        if not self.is_alive:
            await asyncio.to_thread(self.part.start)
        await asyncio.to_thread(self.part.wait_until_ready, seconds)

    async def stop(self) -> None:
        """In order."""
        self.is_wanted = False
        self.resume()
        await asyncio.to_thread(self.part.stop, STOP_SECONDS)

    def signal(self, number: signal.Signals) -> None:
        """Send it one, if it is there."""
        self.part.process.signal(number)

    def kill(self) -> None:
        """SIGKILL, paused or not; it is gone afterwards."""
        self.part.kill()

    def pause(self) -> None:
        """SIGSTOP: it takes connections and answers none."""
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self.signal(signal.SIGCONT)


class Log(Server):
    """The broker."""

    def __init__(
        self, home: Home, port: int, controller_port: int, jars: Path, settings: Mapping[str, str]
    ) -> None:
        kafka = Kafka(home, port, controller_port, jars, settings)
        super().__init__(kafka, "kafka")
        self.bootstrap = kafka.bootstrap
        self.folder = home.kafka


class Documents:
    """MongoDB: a set of one member, or of more."""

    def __init__(self, home: Home, ports: Sequence[int]) -> None:
        set_ports = ports if len(ports) > 1 else ()
        mongods = [Mongod(_a_home(home, number), port, (), set_ports) for number, port in enumerate(ports, 1)]
        self.url = mongods[0].url
        self.members = [Server(mongod, f"mongod-{number}") for number, mongod in enumerate(mongods, 1)]

    async def primary(self) -> Server:
        """The member that takes writes. Raises: PyMongoError where none does."""
        host = await asyncio.to_thread(_primary_of, self.url)
        return next(member for member in self.members if member.part.where == host)

    async def step_down(self, seconds: int = 10) -> None:
        """The primary gives up, and does not stand again for so long. Raises: PyMongoError."""
        await asyncio.to_thread(_step_down, self.url, seconds)

    async def start(self, seconds: float = START_SECONDS) -> None:
        """Every member that does not run."""
        await asyncio.gather(*(member.start(seconds) for member in self.members))

    async def stop(self) -> None:
        """In order."""
        await asyncio.gather(*(member.stop() for member in self.members))

    def kill(self) -> None:
        """All of it at once."""
        for member in self.members:
            member.kill()

    def pause(self) -> None:
        """All of it."""
        for member in self.members:
            member.pause()

    def resume(self) -> None:
        """All of it."""
        for member in self.members:
            member.resume()


def _a_home(home: Home, number: int) -> Home:
    """The first member lies where a single one would."""
    if number == 1:
        return home
    its_own = Home(home.root / f"mongo-{number}")
    its_own.make()
    return its_own


def _primary_of(url: str) -> str:
    with MongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=SELECTION_MS) as client:
        return str(client.admin.command("hello")["me"])


def _step_down(url: str, seconds: int) -> None:
    with MongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=SELECTION_MS) as client:
        client.admin.command(
            "replSetStepDown", seconds, secondaryCatchUpPeriodSecs=min(5, seconds - 1), force=True
        )
