"""Which runs there are to be: each fault from recorded seeds, the first run of every fault before the
second of any, so that a report tells something of all of them early.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

SEEDS = 1_000_000


@dataclass(frozen=True)
class Job:
    """One run to be."""

    fault: str
    seed: int

    @property
    def name(self) -> str:
        return f"{self.fault}-{self.seed}"


def seed_of(fault: str, number: int) -> int:
    """The recorded seed of a fault's n-th run (from 1): the same on every machine, today and later."""
    return zlib.crc32(f"{fault}/{number}".encode()) % SEEDS


def schedule(faults: Sequence[str], runs: int) -> list[Job]:
    """Each fault that many times."""
    return [Job(fault, seed_of(fault, number)) for number in range(1, runs + 1) for fault in faults]


def remaining_seconds(took: Sequence[float], left: int, at_once: int) -> float:
    """How long that many runs will take, by those that are over; 0 as long as none is."""
    return fmean(took) * left / at_once if took else 0.0
