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
    """`cores`: those that this process may use. `versions`: of what is there, by name. `files`: the type of
    the file system that was written to; empty where the system does not tell it.
    """

    processor: str
    cores: int
    memory_gib: float
    system: str
    versions: Mapping[str, str]
    files: str = ""

    def __str__(self) -> str:
        ran = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        cores = f"{self.cores} core" if self.cores == 1 else f"{self.cores} cores"
        files = f", files on {self.files}" if self.files else ""
        return f"{self.processor}, {cores}, {self.memory_gib:.1f} GiB memory, {self.system}{files}; {ran}"


def this_machine(folder: Path) -> Machine:
    """What can be told of it; what is not installed is left out. `folder`: what is measured lies below it."""
    return Machine(
        processor=_processor(),
        cores=cores(),
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        system=f"{platform.system()} {platform.release()}",
        versions={"Python": platform.python_version(), "Kafka": KAFKA_VERSION, **_mongod(), **_others()},
        files=file_system(folder),
    )


def file_system(folder: Path) -> str:
    """The type of the one that the folder lies on, as `ext4`; empty where the system does not tell it."""
    place = folder.resolve()
    try:
        mounted = psutil.disk_partitions(all=True)
    except OSError:
        return ""
    found = [each for each in mounted if place.is_relative_to(each.mountpoint)]
    return max(reversed(found), key=lambda each: len(each.mountpoint)).fstype if found else ""


def commit_of(project: Path) -> str:
    """The short hash of its commit, with a `+` where files but the benchmark's own documents were changed;
    empty where there is no git, or no repository.
    """
    if not (project / ".git").exists():
        return ""
    commit = _git(project, "rev-parse", "--short", "HEAD")
    changed = _git(project, "status", "--porcelain", "--", ".", ":!docs/benchmarks*")
    return f"{commit}+" if commit and changed else commit or ""


def _git(project: Path, *words: str) -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    done = subprocess.run(  # noqa: S603
        [git, "-C", str(project), *words], capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else None


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
