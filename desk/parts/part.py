"""What Kafka, mongod and the services have in common: a process that becomes ready."""

from __future__ import annotations

import time
from collections.abc import Callable

from desk.parts.process import Process
from newsroom.errors import NewsroomError


class PartFailed(NewsroomError):
    """A part did not become ready. The message says which and why, and has the end of its log below."""


class Part:
    """A process and the question whether it does its work. Start, stop and kill as often as wanted."""

    def __init__(self, process: Process, where: str) -> None:
        self.process = process
        self.name = process.name
        self.where = where
        """What to print behind the name: an address."""

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self.process.pid

    def start(self) -> None:
        """Start the process; it becomes ready later."""
        self.process.start()

    def is_ready(self) -> bool:
        """Whether it answers as it should, asked now; takes a second at most."""
        raise NotImplementedError

    def wait_until_ready(self, seconds: float = 60.0, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Wait until it is ready; `meanwhile` is called between two looks.

        Raises: PartFailed when it ends or the time is over.
        """
        deadline = time.monotonic() + seconds
        while not self.is_ready():
            code = self.process.exit_code()
            if code is not None:
                raise PartFailed(self.report(f"{self.name} ended while it started ({how_it_ended(code)})"))
            if time.monotonic() > deadline:
                raise PartFailed(self.report(f"{self.name} was not ready after {seconds:.0f} s"))
            meanwhile()
            time.sleep(0.05)

    def stop(self, seconds: float = 10.0) -> int | None:
        """Stop it in order, with SIGKILL after that time. Returns the exit code."""
        return self.process.stop(seconds)

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        self.process.kill()

    def report(self, what: str) -> str:
        """That line, and the last lines of the log under it."""
        lines = "\n".join(f"    {line}" for line in self.process.last_lines())
        log = self.process.log
        return f"{what}. The end of {log}:\n{lines}" if lines else f"{what}. {log} is empty."


def how_it_ended(code: int) -> str:
    """An exit code in words."""
    return f"signal {-code}" if code < 0 else f"exit code {code}"
