"""Bringing parts up, side by side, and Kafka's jars before them; a stop that comes meanwhile ends it soon."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

from desk.parts.home import SOURCE, Home
from desk.parts.part import Part
from desk.parts.process import Process
from desk.parts.service import Service
from desk.screen import Screen
from desk.signals import Signals, Stopped
from newsroom.errors import Misconfigured

_LOOK_SECONDS = 0.1
_SAY_WHY_AFTER_SECONDS = 10.0


def bring_up(parts: Sequence[Part], patience_seconds: float, screen: Screen, signals: Signals) -> None:
    """Start all at once, wait until all are ready, and say so of each.

    Raises: Stopped; PartFailed or Misconfigured of the first that fails. The others are left running.
    """
    given_up = threading.Event()

    def meanwhile() -> None:
        if signals.is_stopping or given_up.is_set():
            raise Stopped

    def start(part: Part) -> float:
        began = time.monotonic()
        part.start()
        part.wait_until_ready(patience_seconds, meanwhile)
        return time.monotonic() - began

    with ThreadPoolExecutor(max(len(parts), 1), thread_name_prefix="bring-up") as pool:
        try:
            _await_all({pool.submit(start, part): part for part in parts}, screen)
        finally:
            given_up.set()


def _await_all(starting: dict[Future[float], Part], screen: Screen) -> None:
    began = time.monotonic()
    while starting:
        done, _ = wait(starting, timeout=_LOOK_SECONDS, return_when=FIRST_COMPLETED)
        for future in done:
            part = starting.pop(future)
            screen.step(part.name, "ready", part.where, future.result())
        if starting:
            waited = time.monotonic() - began
            told = ", ".join(_what_it_waits_for(part, waited) for part in starting.values())
            screen.progress(f"… {told} ({waited:.0f} s)")


def _what_it_waits_for(part: Part, waited_seconds: float) -> str:
    if isinstance(part, Service) and waited_seconds > _SAY_WHY_AFTER_SECONDS:
        failing = part.failing()
        if failing:
            return f"{part.name} waits for {' and '.join(failing)}"
    return f"{part.name} starts"


def prepare_kafka(home: Home, folder: Path, screen: Screen, signals: Signals) -> None:
    """Fetch Kafka's jars and make its start a fast one, in a process that can be ended at any moment; what
    has come is kept.

    Raises: Stopped; Misconfigured with what to do when they cannot be had.
    """
    command = [sys.executable, "-m", "desk.parts.prepare", str(folder)]
    preparing = Process("jars", home, command, folder=SOURCE, environment=os.environ)
    preparing.log.unlink(missing_ok=True)
    screen.say(f"Kafka is made ready, once, in {folder}")
    began = time.monotonic()
    preparing.start()
    try:
        while (code := preparing.wait(_LOOK_SECONDS)) is None:
            signals.check()
            told = preparing.last_lines(1) or ["jars: it begins"]
            screen.progress(f"… {told[0]} ({time.monotonic() - began:.0f} s)")
    finally:
        preparing.stop(1.0)
    if code != 0:
        raise Misconfigured(
            (preparing.last_lines(1) or [f"making Kafka ready ended with code {code}"])[0].removeprefix(
                "newsroom: "
            )
        )
