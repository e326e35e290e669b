"""What goes on while a command waits, on stderr: on a terminal a passing line, else one now and then."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from desk.screen import Screen

_QUIET_SECONDS = 1.0
"""What is done within that needs no word."""
_TICK_SECONDS = 0.25
_WHOLE = 10


def to_stderr() -> Screen:
    """Progress beside the result."""
    return Screen(sys.stderr)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Say what is waited for, and for how long, once it takes longer than a second."""
    is_over = threading.Event()
    screen = to_stderr()
    teller = threading.Thread(target=_tell, args=(screen, what, is_over), daemon=True)
    teller.start()
    try:
        yield
    finally:
        is_over.set()
        teller.join()
        screen.clear()


def _tell(screen: Screen, what: str, is_over: threading.Event) -> None:
    begun = time.monotonic()
    while not is_over.wait(_TICK_SECONDS):
        seconds = time.monotonic() - begun
        if seconds >= _QUIET_SECONDS:
            screen.progress(f"{what} … {seconds:.0f} s")


class Rate:
    """How fast something is done: by a clock in seconds, from its making on."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._begun = clock()

    @property
    def seconds(self) -> float:
        return self._clock() - self._begun

    def told(self, done: int) -> str:
        """So many a second; nothing before a second has passed."""
        if self.seconds < _QUIET_SECONDS:
            return ""
        rate = done / self.seconds
        return f"{rate:.0f} a second" if rate >= _WHOLE else f"{rate:.1f} a second"
