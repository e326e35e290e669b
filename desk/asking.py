"""What a service says of itself over HTTP: health, numbers, clock. Nothing else is needed, so that a newsroom
on other machines can be looked at too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum

import httpx

from desk.numbers import Numbers, read_numbers
from desk.parts.service import is_no_place

ANSWER_SECONDS = 3.0
"""Longer than a service gives each of its checks."""


class Reach(StrEnum):
    """How an address answers. `SILENT`: somebody takes the connection and says nothing. `EMPTY`: an edge
    answers that no instance does. `FULL`: it has no place for one more connection, or none for ours.
    """

    ANSWERS = "answers"
    SILENT = "silent"
    REFUSED = "refused"
    EMPTY = "empty"
    FULL = "full"


@dataclass(frozen=True)
class Instance:
    """One process of a service, by the name that its log and its pid file have."""

    name: str
    service: str
    address: str


@dataclass(frozen=True)
class Seen:
    """An instance as it was found. `ready` and `live`: its checks by name. `ahead_seconds`: its wall clock
    against ours. Empty and None where it did not say.
    """

    instance: Instance
    reach: Reach
    ready: Mapping[str, bool] = field(default_factory=dict)
    live: Mapping[str, bool] = field(default_factory=dict)
    is_stopping: bool = False
    numbers: Numbers = field(default_factory=Numbers)
    ahead_seconds: float | None = None
    age_seconds: float | None = None

    @property
    def waits_for(self) -> tuple[str, ...]:
        """The checks that keep it from being ready."""
        return tuple(name for name, holds in self.ready.items() if not holds)

    @property
    def stuck(self) -> tuple[str, ...]:
        """What of it does not get on, and is helped by a restart."""
        return tuple(name for name, holds in self.live.items() if not holds)


def look_at(
    instances: Sequence[Instance],
    transport: httpx.BaseTransport | None = None,
    clock: Callable[[], float] = time.time,
) -> list[Seen]:
    """Ask all of them at once, each within a few seconds."""
    if not instances:
        return []
    with ThreadPoolExecutor(len(instances)) as pool:
        return list(pool.map(lambda instance: _look(instance, transport, clock), instances))


def _look(instance: Instance, transport: httpx.BaseTransport | None, clock: Callable[[], float]) -> Seen:
    timeout = httpx.Timeout(ANSWER_SECONDS)
    with httpx.Client(
        base_url=instance.address, timeout=timeout, transport=transport, trust_env=False
    ) as client:
        try:
            return _ask(instance, client, clock)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            return Seen(instance, Reach.REFUSED)
        except (httpx.TransportError, httpx.InvalidURL):
            return Seen(instance, Reach.SILENT)


def _ask(instance: Instance, client: httpx.Client, clock: Callable[[], float]) -> Seen:
    """Raises: TransportError."""
    ready = client.get("/health/ready")
    checks = _checks(ready)
    if checks is None:
        return Seen(instance, Reach.FULL if is_no_place(ready.content) else Reach.EMPTY)
    live = _checks(client.get("/health/live"))
    begun = clock()
    numbers = _numbers(client.get("/metrics"))
    middle = (begun + clock()) / 2
    told, started = numbers.total("newsroom_clock_seconds"), numbers.total("process_start_time_seconds")
    return Seen(
        instance,
        Reach.ANSWERS,
        ready=checks,
        live=live or {},
        is_stopping=ready.json().get("status") == "stopping",
        numbers=numbers,
        ahead_seconds=None if told is None else told - middle,
        age_seconds=None if started is None else middle - started,
    )


def _checks(response: httpx.Response) -> dict[str, bool] | None:
    """None where no service of ours has answered."""
    try:
        return {str(name): bool(holds) for name, holds in response.json()["checks"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _numbers(response: httpx.Response) -> Numbers:
    try:
        return read_numbers(response.text) if response.is_success else Numbers()
    except ValueError:
        return Numbers()
