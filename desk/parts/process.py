"""One child process: on a leash, its output in a bounded file, ended in time, found again by its pid file."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from desk.parts import leash
from desk.parts.home import Home

LOG_LIMIT_BYTES = 10 * 1024 * 1024
_CREATION_TOLERANCE_SECONDS = 60.0

_starter = ThreadPoolExecutor(1, thread_name_prefix="starter")
"""Starts every child. The leash ends a child when the *thread* that started it is gone, so one thread that
lives as long as this process does it, whichever thread asks."""


class Process:
    """A command that may be started again and again. Its output is appended to `home/logs/NAME.log`."""

    def __init__(
        self, name: str, home: Home, command: Sequence[str], *, folder: Path, environment: Mapping[str, str]
    ) -> None:
        self.name = name
        self.command = tuple(command)
        self.log = home.logs / f"{name}.log"
        self._pid_file = home.run / f"{name}.pid"
        self._folder = folder
        self._environment = dict(environment)
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    def start(self) -> None:
        """Start it, after ending what a crashed run left under this name."""
        self.end_leftover()
        bound_log(self.log)
        self._child = _starter.submit(self._spawn).result()
        _write_pid_file(self._pid_file, self._child.pid, self.command)

    def _spawn(self) -> subprocess.Popen[bytes]:
        leashed = [sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), *self.command]
        with self.log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603  (our own commands, no shell)
                leashed,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env=self._environment,
                start_new_session=True,
            )

    def exit_code(self) -> int | None:
        """How it ended (negative: the signal), or None while it runs or was never started."""
        return self._child.poll() if self._child is not None else None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and all it started, if it runs."""
        if self._child is not None and self._child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, number)

    def wait(self, seconds: float) -> int | None:
        """Its exit code, or None if it still runs after that time."""
        if self._child is None:
            return None
        try:
            return self._child.wait(max(seconds, 0.0))
        except subprocess.TimeoutExpired:
            return None

    def stop(self, seconds: float) -> int | None:
        """SIGTERM, and SIGKILL if it still runs after that time. Returns its exit code."""
        self.tell_to_stop()
        return self.end_within(seconds)

    def tell_to_stop(self) -> None:
        """SIGTERM, and no waiting: several that are told so stop at the same time."""
        self.signal(signal.SIGTERM)

    def end_within(self, seconds: float) -> int | None:
        """Wait for one that was told to stop, and SIGKILL it after that time. Returns its exit code."""
        if self.wait(seconds) is None:
            self.kill()
        self._pid_file.unlink(missing_ok=True)
        return self.exit_code()

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self.wait(10.0)

    def end_leftover(self, seconds: float = 10.0) -> int | None:
        """End what the pid file tells of, if that still is our own command, and nothing else; its pid."""
        leftover = _find(self._pid_file)
        self._pid_file.unlink(missing_ok=True)
        if leftover is None:
            return None
        with contextlib.suppress(psutil.NoSuchProcess):
            leftover.terminate()
            try:
                leftover.wait(seconds)
            except psutil.TimeoutExpired:
                leftover.kill()
                leftover.wait(seconds)
        return leftover.pid

    def last_lines(self, count: int = 15) -> list[str]:
        """The end of its log."""
        return last_lines(self.log, count)


def last_lines(path: Path, count: int = 15) -> list[str]:
    """The last lines of a file that may be large or not there."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 64 * 1024))
            return file.read().decode(errors="replace").splitlines()[-count:]
    except OSError:
        return []


def bound_log(path: Path, limit_bytes: int = LOG_LIMIT_BYTES) -> None:
    """Where a log is over the limit, keep it as `NAME.log.1` and go on with an empty one.

    The file is copied and emptied, not renamed: its process may be appending to it right now. A line written
    between the two is lost.
    """
    try:
        if path.stat().st_size <= limit_bytes:
            return
    except FileNotFoundError:
        return
    former = path.with_name(path.name + ".1")
    former.write_bytes(path.read_bytes())
    os.truncate(path, 0)


def _write_pid_file(path: Path, pid: int, command: Sequence[str]) -> None:
    path.write_text(json.dumps({"pid": pid, "at": time.time(), "command": list(command)}))


def _find(pid_file: Path) -> psutil.Process | None:
    """The living process that a pid file tells of: same pid, same command line, same time of birth."""
    try:
        told = json.loads(pid_file.read_text())
        process = psutil.Process(told["pid"])
        is_ours = process.cmdline() == told["command"]
        is_of_then = abs(process.create_time() - told["at"]) < _CREATION_TOLERANCE_SECONDS
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return None
    return process if is_ours and is_of_then and process.status() != psutil.STATUS_ZOMBIE else None
