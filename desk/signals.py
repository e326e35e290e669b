"""Ctrl-C, SIGTERM and a closed terminal: asked for at every step, so that nothing is torn in its middle."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from types import FrameType

_AT_ONCE_SECONDS = 0.5
"""Two signals closer than this are one: a wrapper passes on what the terminal has sent as well."""


class Stopped(Exception):
    """Somebody wants the newsroom to stop."""


class Signals:
    """Whether to stop. A handler only notes it; whoever works asks with `check`, between two steps."""

    def __init__(self, at_once: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        """`at_once` is called for a second Ctrl-C, from within the signal handler."""
        self.at_once = at_once
        self._clock = clock
        self._since: float | None = None

    @property
    def is_stopping(self) -> bool:
        return self._since is not None

    def check(self) -> None:
        """Raises: Stopped, once a signal has come."""
        if self.is_stopping:
            raise Stopped

    def handle(self, number: int, _frame: FrameType | None = None) -> None:
        """The handler itself. No locks here: it runs between any two instructions of the main thread."""
        if self._since is None:
            self._since = self._clock()
        elif number == signal.SIGINT and self._clock() - self._since > _AT_ONCE_SECONDS:
            self.at_once()


@contextlib.contextmanager
def handling(signals: Signals) -> Iterator[None]:
    """Handle what asks for a stop, as long as the block lasts. Under `nohup` a closed terminal does not."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    former = {number: signal.signal(number, signals.handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
