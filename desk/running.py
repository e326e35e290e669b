"""The processes of the newsroom that runs in a folder, and the memory they take."""

from __future__ import annotations

import json
from dataclasses import dataclass

import psutil

from desk.parts.home import Home


@dataclass(frozen=True)
class Running:
    """One process. `megabytes`: resident memory. `is_stopped`: it is there and does nothing (SIGSTOP)."""

    name: str
    pid: int
    megabytes: int
    is_stopped: bool = False


def running_parts(home: Home, supervisor_pid: int | None) -> list[Running]:
    """The supervisor, then its parts by name, as the pid files tell of those that live."""
    told = {path.stem: _pid(path.read_text()) for path in sorted(home.run.glob("*.pid"))}
    named = {"up": supervisor_pid, **told}
    found = (_look(name, pid) for name, pid in named.items() if pid is not None)
    return [running for running in found if running is not None]


def _pid(pid_file: str) -> int | None:
    try:
        return int(json.loads(pid_file)["pid"])
    except (ValueError, KeyError, TypeError):
        return None


def _look(name: str, pid: int) -> Running | None:
    try:
        process = psutil.Process(pid)
        is_stopped = process.status() == psutil.STATUS_STOPPED
        return Running(name, pid, process.memory_info().rss // (1024 * 1024), is_stopped)
    except psutil.Error:
        return None
