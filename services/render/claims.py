"""A folder for temporary files that is one process's own, told by a lock that ends with the process.

The lock file holds one word, which the process tells all others as long as it lives.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

_LONGEST_WORD = 1_000


def claim(folder: Path) -> tuple[int, Path]:
    """A temporary folder that is ours as long as we live: its lock file is locked and still has its name."""
    while True:
        lock_path = folder / f"tmp-{secrets.token_hex(4)}.lock"
        handle = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            continue
        if os.fstat(handle).st_nlink:
            temporary = lock_path.with_suffix("")
            temporary.mkdir()
            return handle, temporary
        os.close(handle)


def tell(handle: int, word: str) -> None:
    """Say something to whoever shares the folder; `handle` is that of our lock."""
    written = word.encode()
    os.pwrite(handle, written, 0)
    os.ftruncate(handle, len(written))


def told(folder: Path) -> frozenset[str]:
    """What the living say, we among them; an empty word is of one that has said nothing yet."""
    words = set()
    for lock_path in folder.glob("tmp-*.lock"):
        try:
            handle = os.open(lock_path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            words.add(os.pread(handle, _LONGEST_WORD, 0).decode())
        finally:
            os.close(handle)
    return frozenset(words)


def remove_dead(folder: Path, inherit: Callable[[Path], None]) -> None:
    """Remove temporary folders whose process no longer holds the lock; each is shown to `inherit` before."""
    for lock_path in folder.glob("tmp-*.lock"):
        try:
            handle = os.open(lock_path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            inherit(lock_path.with_suffix(""))
            shutil.rmtree(lock_path.with_suffix(""), ignore_errors=True)
            lock_path.unlink(missing_ok=True)
        except BlockingIOError:
            pass
        finally:
            os.close(handle)
