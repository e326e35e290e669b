"""One newsroom in one folder at a time: a lock that the system takes back when its holder dies, however."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from newsroom.errors import Misconfigured


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
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Misconfigured(
                f"a newsroom already runs in {lock_file.parent} ({_read(lock_file)}): use that one or "
                "stop it; a second one needs a NEWSROOM_HOME and ports of its own"
            ) from error
        lock.truncate(0)
        lock.write(json.dumps({"pid": os.getpid(), "site": site}))
        lock.flush()
        try:
            yield
        finally:
            lock.truncate(0)


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
