"""One process of a service in the arena, which may be killed, paused, trapped, and started again."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from desk.machine import PORT_SETTINGS
from desk.parts.home import Home
from desk.parts.process import Process, last_lines
from desk.parts.service import ask_health
from faults.stage.clocks import Clock
from faults.stage.environment import address

STOP_SECONDS = 20.0


class Instance:
    """A service under a name and on a port of its own, which it keeps from start to start."""

    def __init__(
        self, name: str, service: str, home: Home, port: int, environment: Mapping[str, str]
    ) -> None:
        self.name, self.service, self.port = name, service, port
        self.address = address(port)
        self.is_paused = False
        self.is_wanted = False
        """Whether it is to run: it was started, and not stopped on purpose."""
        self.mark = home.run / f"{name}.mark"
        """Written when its trap springs."""
        self.clock = Clock(home.run / f"{name}.clock")
        self._home = home
        self._environment = {
            **environment,
            PORT_SETTINGS[service]: str(port),
            "NEWSROOM_TEST_CLOCK": str(self.clock.file),
        }
        self._process = self._a_process({})

    def _a_process(self, more: Mapping[str, str]) -> Process:
        command = [sys.executable, "-m", "faults.stage.launch", self.service]
        environment = {**self._environment, **more}
        return Process(self.name, self._home, command, folder=self._home.root, environment=environment)

    @property
    def log(self) -> Path:
        """What it prints."""
        return self._home.logs / f"{self.name}.log"

    @property
    def is_alive(self) -> bool:
        """Whether the process is there, paused or not."""
        return self._process.pid is not None

    @property
    def pid(self) -> int | None:
        """While it is there."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended last; None while it runs or before its first start."""
        return self._process.exit_code()

    def start(self, trap: str = "") -> None:
        """Start it, with a trap as in `faults.stage.launch` or without; a later start has none."""
        more = {"NEWSROOM_TEST_TRAP": trap, "NEWSROOM_TEST_MARK": str(self.mark)} if trap else {}
        self.mark.unlink(missing_ok=True)
        self._process = self._a_process(more)
        self._process.start()
        self.is_wanted, self.is_paused = True, False

    def signal(self, number: signal.Signals) -> None:
        """Send it one, if it is there."""
        self._process.signal(number)

    def kill(self) -> None:
        """SIGKILL, paused or not; it is gone afterwards."""
        self._process.kill()
        self.is_paused = False

    async def stop(self) -> int | None:
        """SIGTERM, and SIGKILL after its time; its exit code. It is not wanted any more."""
        self.is_wanted = False
        self.resume()
        return await asyncio.to_thread(self._process.stop, STOP_SECONDS)

    def pause(self) -> None:
        """SIGSTOP: its connections stay open, and nothing answers."""
        self.signal(signal.SIGSTOP)
        self.is_paused = True

    def resume(self) -> None:
        """SIGCONT."""
        self.signal(signal.SIGCONT)
        self.is_paused = False

    async def complaint(self) -> str:
        """Why it is not ready, with the end of its log; empty when it is."""
        health = await asyncio.to_thread(ask_health, self.address, "ready")
        if health.is_good:
            return ""
        failing = ", ".join(health.failing) or "no answer"
        lines = "\n".join(f"    {line[:400]}" for line in last_lines(self.log, 8))
        return f"{self.name} is not ready ({failing}):\n{lines}"
