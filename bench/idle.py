"""What a newsroom costs while nobody posts or reads: memory and processor time of each process."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Cost:
    """One process at rest. `cores`: processor time over wall time, so 0.05 is five percent of one core."""

    memory_bytes: int
    cores: float


def idle_costs(pids: Mapping[str, int], seconds: float) -> dict[str, Cost]:
    """Watch the processes for so long and tell what each costs. Raises: psutil.Error when one is gone."""
    processes = {name: psutil.Process(pid) for name, pid in pids.items()}
    before = {name: _worked(process) for name, process in processes.items()}
    begun = time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - begun
    return {
        name: Cost(_memory(process), (_worked(process) - before[name]) / took)
        for name, process in processes.items()
    }


def _worked(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _memory(process: psutil.Process) -> int:
    """Bytes in memory, shared pages in parts (PSS); where the system cannot tell those, all of them."""
    full = process.memory_full_info()
    return int(getattr(full, "pss", full.rss))
