"""What processes cost: memory and processor time of each."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Cost:
    """One process over a while. `cores`: processor time over wall time; 0.05 is five percent of a core."""

    memory_bytes: int
    cores: float


def costs(pids: Mapping[str, int], seconds: float) -> dict[str, Cost]:
    """Watch the processes for so long and tell what each costs. Raises: psutil.Error when one is gone."""
    before, begun = processor_seconds(pids), time.monotonic()
    time.sleep(seconds)
    took, after = time.monotonic() - begun, processor_seconds(pids)
    return {name: Cost(memory(pid), (after[name] - before[name]) / took) for name, pid in pids.items()}


def processor_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """What each process has used of the processors since it began. Raises: psutil.Error when one is gone."""
    times = {name: psutil.Process(pid).cpu_times() for name, pid in pids.items()}
    return {name: float(each.user + each.system) for name, each in times.items()}


def memory(pid: int) -> int:
    """Bytes in memory, shared pages in parts (PSS); where the system cannot tell those, all of them."""
    full = psutil.Process(pid).memory_full_info()
    return int(getattr(full, "pss", full.rss))
