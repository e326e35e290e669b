"""What `newsroom up` shows, and commands that take long: a line for each step; on a terminal what it waits
for, on a line that passes.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable
from typing import TextIO

_PLAIN_PROGRESS_SECONDS = 5.0
_TERMINAL_PROGRESS_SECONDS = 0.2
_BACK_AND_CLEAR = "\r\x1b[K"


class Screen:
    """Lines to a person or a log file. A terminal that was closed meanwhile is no error."""

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._clock = clock
        self._is_terminal = out.isatty()
        self._last_progress = clock()
        self._has_passing_line = False

    def say(self, line: str = "") -> None:
        """A line that stays."""
        self._write(f"{_BACK_AND_CLEAR if self._has_passing_line else ''}{line}\n")
        self._has_passing_line = False
        self._last_progress = self._clock()

    def step(self, name: str, state: str, what: str, seconds: float | None = None) -> None:
        """One step that is done, with its time."""
        took = f"{seconds:6.1f} s" if seconds is not None else ""
        self.say(f"{name:<10} {state:<7} {what:<42} {took}".rstrip())

    def progress(self, line: str) -> None:
        """What goes on: replaced by the next line on a terminal, else a line every few seconds."""
        pause = _TERMINAL_PROGRESS_SECONDS if self._is_terminal else _PLAIN_PROGRESS_SECONDS
        if self._clock() - self._last_progress < pause:
            return
        if not self._is_terminal:
            self.say(line)
            return
        width = shutil.get_terminal_size().columns - 1
        self._write(f"{_BACK_AND_CLEAR}{line[:width]}")
        self._has_passing_line = True
        self._last_progress = self._clock()

    def clear(self) -> None:
        """The passing line goes; what comes next stands in its place."""
        if self._has_passing_line:
            self._write(_BACK_AND_CLEAR)
            self._has_passing_line = False

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._out.write(text)
            self._out.flush()
