"""One newsroom in one folder at a time: a lock that the system takes back when its holder dies, however."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from newsroom.errors import Misconfigured

_TRIES = 5
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True)
class Holder:
    """The `newsroom up` that runs in a folder. `pid` is None where it has not written it down yet."""

    pid: int | None
    site: str = ""

    def __str__(self) -> str:
        where = f", its site is {self.site}" if self.site else ""
        return f"process {self.pid}{where}" if self.pid else "another process"


@contextmanager
def only_one(lock_file: Path, site: str) -> Iterator[None]:
    """Hold the lock as long as the block lasts. Raises: Misconfigured when another holds it."""
    with lock_file.open("a+") as lock:
        if not _take(lock):
            raise Misconfigured(
                f"a newsroom already runs in {lock_file.parent} ({_read(lock_file)}): use that one or "
                "stop it; a second one needs a NEWSROOM_HOME and ports of its own"
            )
        lock.truncate(0)
        lock.write(json.dumps({"pid": os.getpid(), "site": site}))
        lock.flush()
        try:
            yield
        finally:
            lock.truncate(0)


def _take(lock: TextIO) -> bool:
    """Take the lock. Tries a few times: `doctor` holds it for a moment when it looks."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE_SECONDS)
        else:
            return True
    return False


def holder(lock_file: Path) -> Holder | None:
    """Who runs in that folder now, if anybody does."""
    try:
        with lock_file.open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(lock_file)
    except OSError:
        return None
    return None


def _read(lock_file: Path) -> Holder:
    try:
        told = json.loads(lock_file.read_text())
        return Holder(int(told["pid"]), str(told["site"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Holder(None)
