"""Run one service so that it may be broken on purpose: `python -m faults.stage.launch store`.

`NEWSROOM_TEST_TRAP` is `point=kill` or `point=stop`, with `@n` behind it for the n-th time the point is
reached. `kill` is SIGKILL to oneself: no cleaning up, as when the power goes. `stop` is SIGSTOP: a process
that stalls and is woken later by whoever set the trap. The point is first written to `NEWSROOM_TEST_MARK`.

`NEWSROOM_TEST_CLOCK` is a file that says by how many seconds this process's wall clock is off; whoever
replaces it sets the clock.

`NEWSROOM_TEST_BUG` names a bug of `faults.bugs.planted` that the process is to have.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from datetime import datetime, timedelta
from pathlib import Path

from newsroom import steps, times

_SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


def set_trap(trap: str, mark: Path) -> None:
    """Spring `point=action@n` once."""
    where, _, count = trap.partition("@")
    point, _, action = where.partition("=")
    remaining = int(count or "1")

    def spring(reached: str) -> None:
        nonlocal remaining
        if reached != point:
            return
        remaining -= 1
        if remaining == 0:
            mark.write_text(reached)
            os.kill(os.getpid(), _SIGNALS[action])

    steps.install(spring)


def set_clock(offset: Path) -> None:
    """Have `newsroom.times.now` go by the file; before anything else imports it."""
    real = times.now

    def now() -> datetime:
        return real() + timedelta(seconds=float(offset.read_text()))

    vars(times)["now"] = now


def plant_bug(name: str) -> None:
    """Have the process err in that way."""
    importlib.import_module("faults.bugs.planted").plant(name)


def main() -> None:
    """Set up what the environment asks for, and become the service."""
    trap = os.environ.get("NEWSROOM_TEST_TRAP")
    if trap:
        set_trap(trap, Path(os.environ["NEWSROOM_TEST_MARK"]))
    clock = os.environ.get("NEWSROOM_TEST_CLOCK")
    if clock:
        set_clock(Path(clock))
    bug = os.environ.get("NEWSROOM_TEST_BUG")
    if bug:
        plant_bug(bug)
    importlib.import_module(f"services.{sys.argv[1]}.__main__").main()


if __name__ == "__main__":
    main()
