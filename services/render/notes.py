"""Words that outlast the process which noted them: a file of lines, appended to.

Not a file for each: to make and remove one costs more than what it tells of.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote, unquote

NAME = "unverified"
_ADDED, _REMOVED, _END = "+", "-", ";"
_MOST_BYTES = 256 * 1024
"""What the file may grow to before it is written anew without what was removed."""


class Notes:
    """The notes in one folder. Blocking, for one thread at a time; every call raises OSError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._noted: dict[str, None] = {}

    def add(self, subject: str) -> None:
        """Note it, unless it is noted."""
        if subject not in self._noted:
            self._append(_line(_ADDED, subject), "ab")
            self._noted[subject] = None

    def remove(self, subject: str) -> None:
        """Forget it, if it is noted. Where the file is gone, there is nothing to forget, and none is made."""
        if subject in self._noted:
            size = self._append(_line(_REMOVED, subject), "r+b")
            del self._noted[subject]
            if size > _MOST_BYTES:
                self._write_anew()

    def __bool__(self) -> bool:
        return bool(self._noted)

    def _append(self, line: bytes, mode: str) -> int:
        """Returns the size of the file."""
        with (self.folder / NAME).open(mode) as file:
            file.seek(0, os.SEEK_END)
            file.write(line)
            return file.tell()

    def _write_anew(self) -> None:
        lines = b"".join(_line(_ADDED, subject) for subject in self._noted)
        fresh = self.folder / f"{NAME}.new"
        fresh.write_bytes(lines)
        fresh.replace(self.folder / NAME)


def noted_in(folder: Path) -> list[str]:
    """What a process that died has left there; a line that it did not finish is none."""
    try:
        lines = (folder / NAME).read_text("ascii", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    noted: dict[str, None] = {}
    for line in lines:
        if line.endswith(_END) and line.startswith(_ADDED):
            noted[_subject(line)] = None
        elif line.endswith(_END) and line.startswith(_REMOVED):
            noted.pop(_subject(line), None)
    return list(noted)


def _line(sign: str, subject: str) -> bytes:
    """Begins a line of its own, whatever stands before it."""
    return f"\n{sign}{quote(subject, safe='')}{_END}".encode()


def _subject(line: str) -> str:
    return unquote(line[1 : -len(_END)])
