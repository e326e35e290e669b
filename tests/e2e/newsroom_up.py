"""`newsroom up` as a process of its own, as a person has it: its lines, its parts, its signals."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import psutil

from desk.parts.home import SOURCE
from desk.parts.ports import free_ports

T = TypeVar("T")
PATIENCE_SECONDS = 240.0
"""For what takes seconds on a machine that has nothing else to do."""
STOP_BOUND_SECONDS = 20.0
PORTS = ("SITE", "INGEST", "STORE", "KAFKA", "KAFKA_CONTROLLER", "MONGO", "RENDERS")
COMMAND = [sys.executable, "-c", "from desk.cli import main; main()", "up"]


def until(condition: Callable[[], T | None], what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """The first true answer. Raises: TimeoutError that names what was waited for."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for: {what}")
        time.sleep(0.05)


class Up:
    """One newsroom in a folder, started again and again on the same ports."""

    def __init__(self, folder: Path, parts: Path) -> None:
        self.home = folder / "home"
        self._folder = folder
        self._parts = parts
        self._ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        self._runs = 0
        self._process: subprocess.Popen[bytes] | None = None

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("NEWSROOM_")}
        return {
            **kept,
            "PYTHONPATH": f"{SOURCE}:{SOURCE / 'shared'}",
            "NEWSROOM_HOME": str(self.home),
            "NEWSROOM_PARTS": str(self._parts.absolute()),
            **{f"NEWSROOM_{name}_PORT": str(port) for name, port in self._ports.items()},
        }

    @property
    def site_port(self) -> int:
        return self._ports["SITE"]

    def start(self, more: Mapping[str, str] | None = None) -> None:
        """Start it; its output goes to a file of this run."""
        self._runs += 1
        with self._output().open("wb") as output:
            self._process = subprocess.Popen(
                COMMAND,
                stdout=output,
                stderr=output,
                cwd=self._folder,
                env=self.environment() | dict(more or {}),
                start_new_session=True,
            )

    def run_to_end(self, more: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Another one, that is expected to give up by itself."""
        return subprocess.run(
            COMMAND,
            capture_output=True,
            text=True,
            cwd=self._folder,
            env=self.environment() | dict(more or {}),
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def said(self) -> str:
        return self._output().read_text()

    def says(self, pattern: str) -> re.Match[str]:
        """Wait until the output of this run has it."""

        def found() -> re.Match[str] | None:
            match = re.search(pattern, self.said())
            if match is None and self.exit_code() is not None:
                raise AssertionError(f"ended without saying {pattern!r}:\n{self.said()}")
            return match

        try:
            return until(found, pattern)
        except TimeoutError as error:
            raise TimeoutError(f"{error}\n{self.said()}") from error

    def exit_code(self) -> int | None:
        return self._process.poll() if self._process else None

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def ends(self, seconds: float = STOP_BOUND_SECONDS) -> int:
        """Wait for its end; the exit code."""
        assert self._process is not None
        return self._process.wait(seconds)

    def pid(self, name: str) -> int:
        """The process id of a part, from its pid file."""
        return int(json.loads((self.home / "run" / f"{name}.pid").read_text())["pid"])

    def processes(self) -> list[psutil.Process]:
        """Every process of this newsroom that still runs, wherever it hangs in the tree."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            told = " ".join(process.cmdline())
            return str(self.home) in told or process.environ().get("NEWSROOM_PAGES", "").startswith(
                str(self.home)
            )
        except psutil.Error:
            return False

    def end(self) -> None:
        """Whatever state it is in: gone afterwards."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for process in self.processes():
            process.kill()

    def _output(self) -> Path:
        return self._folder / f"up-{self._runs}.log"
