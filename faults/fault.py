"""What a fault is: a name, what it needs set up before the start, and how it is injected and healed.

The catalogue (`faults.catalogue`) is a tuple of these; the rooms beside it (`faults.kinds`) say how each is
done.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faults.stage.arena import Arena


@dataclass(frozen=True)
class Plan:
    """How a newsroom is set up before a run. What cannot be had here is said by
    `faults.stage.arena.lacking(plan)`."""

    stores: int = 1
    renders: int = 1
    mongo_members: int = 1
    is_proxied: bool = False
    """Each service reaches Kafka and MongoDB through a proxy of its own, which can be cut. It leads to one
    member of MongoDB, so it goes with a set of one."""
    pages_mib: int | None = None
    """Size of a small file system under the pages (None: the machine's own)."""
    log_mib: int | None = None
    """The same under Kafka's data."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """More of the environment for all services, such as NEWSROOM_LIVE_AGE_SECONDS."""
    bug: str | None = None
    """A planted bug (`faults.bugs.planted`), for the proof that the checker can fail."""


@dataclass(frozen=True)
class Fault:
    """`inject` breaks something at once, keeps it so for as long as it takes, and returns when it is as
    before. It may be called while editors write and readers read, knows only the arena and the run's own
    dice, and leaves no process paused, no disk full, no connection cut.
    """

    name: str
    """As after FAULT=, words with hyphens: kafka-killed."""
    what: str
    """One line for the table and the list: what is done, in plain words."""
    inject: Callable[[Arena, Random], Awaitable[None]]
    plan: Plan = Plan()
    is_clock_true: bool = True
    """False where the services' clocks are moved: what falls due is then not judged by the runner's clock."""
