"""`wrk`, which asks for one address as fast as it is answered, and what it tells of that."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from bench.stack import Broken

NONE = "there is no `wrk` on PATH (Debian's package `wrk`)"
_RATE = re.compile(r"^Requests/sec:\s+([\d.]+)$", re.MULTILINE)
_COUNT = re.compile(r"^\s+(\d+) requests in ", re.MULTILINE)
_P99 = re.compile(r"^\s+99%\s+([\d.]+)(us|ms|s|m)$", re.MULTILINE)
_FAILED = re.compile(r"^\s*(?:Socket errors|Non-2xx or 3xx responses): .*$", re.MULTILINE)
_IN_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True)
class Speed:
    """Answers a second, of how many in all, and 99 of 100 within so many milliseconds."""

    rate: float
    count: int
    p99_ms: float


def find_wrk() -> str | None:
    return shutil.which("wrk")


def ask(program: str, url: str, headers: Mapping[str, str], *, connections: int, seconds: float) -> Speed:
    """Ask for it over so many connections, for whole seconds. Raises: Broken when an answer is no good."""
    told = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    length = f"{max(1, round(seconds))}s"
    command = [program, "-t", "1", "-c", str(connections), "-d", length, "--latency", *told, url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)  # noqa: S603
    if done.returncode != 0:
        raise Broken(f"wrk cannot ask for {url}: {(done.stderr or done.stdout).strip()[:300]}")
    return read(done.stdout)


def read(told: str) -> Speed:
    """What it prints with `--latency`. Raises: Broken where that tells of a failure, or not of its speed."""
    if failed := _FAILED.search(told):
        raise Broken(f"wrk: {failed[0].strip()}")
    rate, count, p99 = (pattern.search(told) for pattern in (_RATE, _COUNT, _P99))
    if rate is None or count is None or p99 is None:
        raise Broken(f"wrk tells no speed: {told.strip()[:300]}")
    return Speed(float(rate[1]), int(count[1]), float(p99[1]) * _IN_MS[p99[2]])
