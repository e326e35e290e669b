"""Files that lie beside the pages, flushed, before they are renamed into place.

An owner that was paused must not put an old page over a newer one when it wakes. So a temporary file is named
by what it is of and how new that is, and before a newer one is put in place all older ones are removed,
whosever they are: what the paused one wakes to rename is gone.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from services.render.files import Mark

_MARK = 16
"""Letters that tell of what a temporary file is."""


class Overtaken(Exception):
    """Files of a newer version are being put in place: these are not needed any more, and gone."""


@dataclass(frozen=True)
class Version:
    """What files are of (an article's id, a listing's path) and how new they are: its revision or turn."""

    subject: str
    number: int

    @cached_property
    def mark(self) -> str:
        """How the names of all temporary files of the subject begin."""
        return f"{hashlib.sha256(self.subject.encode()).hexdigest()[:_MARK]}-"

    def name(self, unique: str) -> str:
        """A temporary file's."""
        return f"{self.mark}{self.number}-{unique}"

    def is_newer_than(self, name: str) -> bool:
        """Whether a temporary file of that name is of an older version of the same subject."""
        number, dash, _ = name.removeprefix(self.mark).partition("-")
        return bool(name.startswith(self.mark) and dash and int(number) < self.number)


@dataclass
class Ready:
    """Flushed temporary files of a page, where they are to be other than what stands.

    `left_alone`: which files stand with the same bytes, by suffix (empty: the page's own). Another may rename
    an older one over them until all older temporary files are removed.
    """

    path: str
    page: Path | None = None
    siblings: dict[str, Path] = field(default_factory=dict)
    left_alone: dict[str, Mark] = field(default_factory=dict)

    @property
    def is_to_be_put(self) -> bool:
        """Whether anything of it is to be renamed into place."""
        return self.page is not None or bool(self.siblings)

    def drop(self) -> None:
        """Remove what was not put in place."""
        for temporary in (self.page, *self.siblings.values()):
            if temporary is not None:
                temporary.unlink(missing_ok=True)


def drop_all(made: Iterable[Ready]) -> None:
    for ready in made:
        ready.drop()


def fill(temporary: Path, content: bytes, mode: str) -> None:
    """Write and flush; what cannot be written whole is removed."""
    try:
        with temporary.open(mode) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def remove_older(pages: Path, versions: Iterable[Version | None]) -> None:
    """Remove every temporary file of versions older than these, whosever it is: none is renamed any more.

    `pages`: the folder in which each process has its own for temporary files. Raises: OSError.
    """
    newest: dict[str, Version] = {}
    for version in versions:
        if version is not None and version.number >= newest.get(version.mark, version).number:
            newest[version.mark] = version
    if not newest:
        return
    with os.scandir(pages) as beside:
        folders = [entry.path for entry in beside if entry.name.startswith("tmp-")]
    for folder in folders:
        with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
            for entry in entries:
                version = newest.get(entry.name[: _MARK + 1])
                if version is not None and version.is_newer_than(entry.name):
                    Path(entry.path).unlink(missing_ok=True)
