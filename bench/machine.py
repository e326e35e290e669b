"""The machine that was measured on, and what ran there."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from desk.parts import mongod
from desk.parts.jars import KAFKA_VERSION
from newsroom.errors import Misconfigured

_PROCESSORS = Path("/proc/cpuinfo")
_PROGRAMS = {"Hugo": ("hugo", "version"), "Caddy": ("caddy", "version"), "wrk": ("wrk", "-v")}
"""Each program, and how it is asked."""
_ANSWER_SECONDS = 10.0


@dataclass(frozen=True)
class Machine:
    """`cores`: those that this process may use. `versions`: of what is there, by name."""

    processor: str
    cores: int
    memory_gib: float
    system: str
    versions: Mapping[str, str]

    def __str__(self) -> str:
        ran = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        cores = f"{self.cores} core" if self.cores == 1 else f"{self.cores} cores"
        return f"{self.processor}, {cores}, {self.memory_gib:.1f} GiB memory, {self.system}; {ran}"


def this_machine() -> Machine:
    """What can be told of it; what is not installed is left out."""
    return Machine(
        processor=_processor(),
        cores=cores(),
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        system=f"{platform.system()} {platform.release()}",
        versions={"Python": platform.python_version(), "Kafka": KAFKA_VERSION, **_mongod(), **_others()},
    )


def _processor() -> str:
    try:
        named = re.search(r"^model name\s*:\s*(.+)$", _PROCESSORS.read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        named = None
    return named[1].strip() if named else platform.processor() or platform.machine()


def cores() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _mongod() -> dict[str, str]:
    try:
        return {"mongod": mongod.version(mongod.find_mongod())}
    except Misconfigured:
        return {}


def _others() -> dict[str, str]:
    asked = {name: program_version(*command) for name, command in _PROGRAMS.items()}
    return {name: version for name, version in asked.items() if version}


def program_version(program: str, *ask: str) -> str | None:
    """The first thing like a version in what it says of itself; None where it is not on PATH."""
    path = shutil.which(program)
    if path is None:
        return None
    done = subprocess.run(  # noqa: S603
        [path, *ask], capture_output=True, text=True, timeout=_ANSWER_SECONDS, check=False
    )
    found = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
    return found[0] if found else None
