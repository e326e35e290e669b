"""Small file systems under a newsroom's folders, to be filled up and made read-only.

Mounting is for root; whoever is not hears so from `lacking`.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Literal, TypeAlias

from desk.parts.home import Home
from desk.parts.java import find_java
from desk.parts.mongod import find_mongod
from faults.fault import Plan
from newsroom.errors import Misconfigured

What: TypeAlias = Literal["pages", "log"]
NO_MOUNT = (
    "a small file system is to be mounted, which only root may: run as root, in a container with "
    "`--cap-add SYS_ADMIN`"
)
_STUFFING = "stuffing"
_PIECES = (1024 * 1024, 4096, 1)


class Room:
    """A folder on a file system of its own."""

    def __init__(self, folder: Path, mib: int) -> None:
        self.folder = folder
        self._mib = mib
        self._stuffing = folder / _STUFFING

    def open(self) -> None:
        """Mount it, empty. Raises: OSError where that is not allowed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _mount("-t", "tmpfs", "-o", f"size={self._mib}m,mode=700", "newsroom", str(self.folder))

    def fill(self) -> None:
        """Take all of the room, to the last byte."""
        with self._stuffing.open("ab", buffering=0) as file:
            for piece in _PIECES:
                _write_all(file.fileno(), bytes(piece))

    def free(self) -> None:
        """Give it back."""
        self._stuffing.unlink(missing_ok=True)

    def read_only(self) -> None:
        """From now on nothing is opened there for writing. Raises: OSError.

        A second mount lies over the first: the first itself cannot turn while somebody has a file of it open,
        as render has that of its claims.
        """
        _mount("--bind", str(self.folder), str(self.folder))
        _mount("-o", "remount,bind,ro", str(self.folder))

    def writable(self) -> None:
        """As before."""
        _run("umount", "--lazy", str(self.folder))


def rooms_of(plan: Plan, home: Home) -> dict[What, Room]:
    """Those that the plan asks for, not yet open."""
    asked: dict[What, tuple[Path, int | None]] = {
        "pages": (home.site, plan.pages_mib),
        "log": (home.kafka, plan.log_mib),
    }
    return {what: Room(folder, mib) for what, (folder, mib) in asked.items() if mib is not None}


def lacking(plan: Plan) -> str | None:
    """In one line what this machine lacks for the plan, and how to get it."""
    try:
        find_mongod()
        find_java()
    except Misconfigured as error:
        return str(error)
    if (plan.pages_mib is not None or plan.log_mib is not None) and not can_mount():
        return NO_MOUNT
    return None


def unmount_below(folder: Path) -> None:
    """Whatever is mounted there, also by somebody who was killed before he could unmount it."""
    root = str(folder.resolve())
    for place in reversed(_mount_points()):
        if place == root or place.startswith(f"{root}/"):
            _run("umount", "--lazy", place)


@functools.cache
def can_mount() -> bool:
    """Whether this process may, tried once."""
    if os.name != "posix" or os.geteuid() != 0 or not shutil.which("mount"):
        return False
    with tempfile.TemporaryDirectory() as folder:
        room = Room(Path(folder), 1)
        try:
            room.open()
        except OSError:
            return False
        unmount_below(room.folder)
    return True


def _write_all(handle: int, piece: bytes) -> None:
    while True:
        try:
            os.write(handle, piece)
        except OSError:  # no room for one more
            return


def _mount(*arguments: str) -> None:
    _run("mount", *arguments)


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise OSError(f"{program} {' '.join(arguments)}: {done.stderr.strip()}")


def _mount_points() -> list[str]:
    mounts = Path("/proc/self/mounts")
    if not mounts.exists():
        return []
    lines = mounts.read_text().splitlines()
    return [line.split()[1].encode().decode("unicode_escape") for line in lines]
