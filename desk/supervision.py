"""The parts of a running newsroom, watched: what ends is started again, with back-off, and said so.

One thread looks at all of them several times a second. Stopping is in order and within a bound.
"""

from __future__ import annotations

import contextlib
import json
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from desk.parts.part import Part, PartFailed, how_it_ended
from desk.parts.process import bound_log
from desk.parts.service import EXIT_MISCONFIGURED, Service, service_of
from newsroom.errors import Misconfigured

FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 30.0
CALM_SECONDS = 60.0
"""A part that ran so long is a healthy one: its next end is its first again."""

LIVENESS_SECONDS = 10.0
MISSES_BEFORE_RESTART = 3
READY_PAUSE_SECONDS = 0.5
LOGS_PAUSE_SECONDS = 60.0

STOP_SECONDS = 16.0
LONGEST_STOP_SECONDS = 5.0
LEAST_STOP_SECONDS = 2.0
_LONGEST_LINE = 300


class Restarts:
    """How long a part that ended waits: twice as long each time, up to a bound; after calm from the start."""

    def __init__(self) -> None:
        self.tries = 0

    def next_delay_seconds(self, ran_seconds: float) -> float:
        """The wait before the next start, of a part that ran so long."""
        if ran_seconds >= CALM_SECONDS:
            self.tries = 0
        delay = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2.0 ** min(self.tries, 16))
        self.tries += 1
        return delay


@dataclass
class Watched:
    """One part and what is known about it. `due`: when it is started again; None while it runs."""

    part: Part
    began: float
    restarts: Restarts = field(default_factory=Restarts)
    due: float | None = None
    is_ready: bool = True
    next_look: float = 0.0
    misses: int = 0


class Supervisor:
    """Watches parts that all are ready: `look` a few times a second."""

    def __init__(
        self, parts: Sequence[Part], say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._say = say
        self._clock = clock
        self._watched = [Watched(part, clock()) for part in parts]
        self._next_logs = clock() + LOGS_PAUSE_SECONDS

    def look(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Start again what ended, say what became ready, end what does not get on.

        A part that does not answer takes seconds, so `meanwhile` is called between two parts; it may raise.
        """
        for watched in self._watched:
            meanwhile()
            self._look_at(watched)
        if self._clock() >= self._next_logs:
            self._next_logs = self._clock() + LOGS_PAUSE_SECONDS
            for watched in self._watched:
                with contextlib.suppress(OSError):  # a full disk is no reason to end everything
                    bound_log(watched.part.process.log)

    def _look_at(self, watched: Watched) -> None:
        now = self._clock()
        if watched.due is not None:
            if now >= watched.due:
                self._start(watched)
            return
        code = watched.part.process.exit_code()
        if code is not None:
            self._plan_restart(
                watched, f"{watched.part.name} ended ({how_it_ended(code)})", last_word(watched.part, code)
            )
        elif now >= watched.next_look:
            self._ask(watched)

    def _ask(self, watched: Watched) -> None:
        if not watched.is_ready:
            self._ask_readiness(watched)
        elif isinstance(watched.part, Service):
            self._ask_liveness(watched, watched.part)

    def _ask_readiness(self, watched: Watched) -> None:
        watched.is_ready = watched.part.is_ready()
        watched.next_look = self._clock() + READY_PAUSE_SECONDS
        if watched.is_ready:
            self._say(f"{watched.part.name} is ready again after {self._clock() - watched.began:.1f} s")

    def _ask_liveness(self, watched: Watched, service: Service) -> None:
        watched.misses = 0 if service.is_alive() else watched.misses + 1
        watched.next_look = self._clock() + LIVENESS_SECONDS
        if watched.misses >= MISSES_BEFORE_RESTART:
            service.kill()
            self._plan_restart(watched, f"{service.name} did not get on and was ended", "")

    def _plan_restart(self, watched: Watched, what: str, word: str) -> None:
        now = self._clock()
        delay = watched.restarts.next_delay_seconds(now - watched.began)
        watched.due = now + delay
        self._say(f"{what}{f': {word}' if word else ''}; it is started again in {delay:.0f} s")

    def _start(self, watched: Watched) -> None:
        watched.began, watched.due = self._clock(), None
        watched.is_ready, watched.misses, watched.next_look = False, 0, 0.0
        try:
            watched.part.start()
        except (OSError, PartFailed, Misconfigured) as error:
            watched.part.kill()  # it may run already, and what failed came after
            self._plan_restart(watched, f"{watched.part.name} cannot be started", one_line(str(error)))


def last_word(part: Part, code: int) -> str:
    """Why it ended, as far as its log tells: what it complained of, else its last line."""
    if isinstance(part, Service) and code == EXIT_MISCONFIGURED:
        return one_line(part.complaint())
    if code < 0:
        return ""
    return next(
        (one_line(readable(line)) for line in reversed(part.process.last_lines()) if line.strip()), ""
    )


def readable(line: str) -> str:
    """A line of a service's log without its JSON: what happened, and why."""
    try:
        told = json.loads(line)
        words = [str(told["event"])] + [
            f"{name}={told[name]}" for name in ("error", "reason", "code") if name in told
        ]
    except (ValueError, KeyError, TypeError):
        return line
    return " ".join(words)


def one_line(text: str) -> str:
    joined = " ".join(text.split())
    return joined if len(joined) <= _LONGEST_LINE else f"{joined[:_LONGEST_LINE]}…"


def in_stopping_order(parts: Iterable[Part]) -> list[Part]:
    """First the door, last the log: whoever needs something ends before it does."""
    order = ("ingest", "store", "render", "mongod", "kafka")
    return sorted(parts, key=lambda part: order.index(service_of(part.name)))


def stop_in_order(
    parts: Sequence[Part],
    say: Callable[[str], None] = lambda _: None,
    *,
    seconds: float = STOP_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Stop one after the other, the processes of one service together, all within the bound: five seconds
    each, unless the later ones need them.
    """
    deadline = clock() + seconds
    groups = [list(group) for _, group in groupby(parts, key=lambda part: service_of(part.name))]
    for place, group in enumerate(groups):
        allowed = allowance(deadline - clock(), later=len(groups) - place - 1)
        for part in _stop_together(group, allowed, clock):
            say(f"{part.name} did not stop in time and was ended; nothing that was accepted is lost")


def _stop_together(parts: Sequence[Part], seconds: float, clock: Callable[[], float]) -> list[Part]:
    """Tell all of them to stop, then wait for all; those that had to be ended."""
    deadline = clock() + seconds
    for part in parts:
        part.process.tell_to_stop()
    codes = [part.process.end_within(deadline - clock()) for part in parts]
    return [part for part, code in zip(parts, codes, strict=True) if code == -signal.SIGKILL]


def allowance(left_seconds: float, later: int) -> float:
    """Seconds for the next to stop, of what is left for it and the later ones."""
    return max(min(LONGEST_STOP_SECONDS, left_seconds - later * LEAST_STOP_SECONDS), LEAST_STOP_SECONDS / 2)
