"""Single files of the site on disk: where a path lies, reads that follow no link, renames that last."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from newsroom.errors import Away

_OUTAGES = frozenset(
    {errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ESTALE}
)
_NO_FILE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENXIO})
_MKDIR_ATTEMPTS = 20
_UNKNOWN = re.compile(r"[\\\x00-\x1f\x7f\ud800-\udfff]")
"""What stands in no name of ours; the last ones are bytes that are no UTF-8."""


class Mark(NamedTuple):
    """By what one file is told from any other, and from itself before it was written to or renamed."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int

    @property
    def changed_seconds(self) -> float:
        """When anything about it changed last, since the epoch."""
        return max(self.modified_ns, self.changed_ns) / 1e9


class OutsideTheSite(ValueError):
    """A path that would leave the served root, or that no address of the site can have."""


def target(root: Path, path: str) -> Path:
    """Where a site path lies under the root.

    Raises: OutsideTheSite for one that is none of ours or leads out of it; OSError.
    """
    place = lexical(root, path)
    with suppress(FileNotFoundError, NotADirectoryError):  # nothing stands there, nor below
        for folder in _way(root, place):
            if stat.S_ISLNK(os.lstat(folder).st_mode) and not _leads_within(root, folder):
                raise OutsideTheSite(f"{path[:200]!r} leads out of the pages folder through a link")
    return place


def lexical(root: Path, path: str) -> Path:
    """The same by the path alone, whatever stands there. Raises: OutsideTheSite."""
    parts = path.split("/")
    if parts[0] != "" or len(parts) < 2 or any(part in ("", ".", "..") for part in parts[1:]):
        raise OutsideTheSite(f"{path[:200]!r} is no file of the site")
    if "\\" in path or "\0" in path:
        raise OutsideTheSite(f"{path[:200]!r} has a character that no address of ours has")
    return root.joinpath(*parts[1:])


def clear_way(root: Path, place: Path) -> None:
    """Take away what is none of ours and stands where a file and its folders are to be: a link or a file in
    place of a folder, a folder in place of the file.
    """
    try:
        for folder in _way(root, place):
            if not stat.S_ISDIR(os.lstat(folder).st_mode):
                Path(folder).unlink(missing_ok=True)
                return
        if stat.S_ISDIR(os.lstat(place).st_mode):
            shutil.rmtree(place, ignore_errors=True)
    except FileNotFoundError:
        return  # nothing stands here, so nothing below


def _leads_within(root: Path, folder: str) -> bool:
    return Path(os.path.realpath(folder)).is_relative_to(root)


def _way(root: Path, place: Path) -> Iterator[str]:
    """The folders from the root to a place below it, in their order. By strings: every write walks here."""
    way = os.fspath(root)
    for name in os.fspath(place)[len(way) + 1 :].split("/")[:-1]:
        way = f"{way}/{name}"
        yield way


def remove_foreign(root: Path) -> None:
    """Remove links, and whatever has a name that no address of ours can have."""
    for folder, below, names in os.walk(root):
        for name in [*below, *names]:
            entry = Path(folder, name)
            if not (entry.is_symlink() or _UNKNOWN.search(name)):
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)


def read_file(root: Path, path: str) -> bytes | None:
    """The bytes of one file of the site, or None where no regular file stands. A link is none."""
    found = read_marked(root, path)
    return None if found is None else found[0]


def read_marked(root: Path, path: str) -> tuple[bytes, Mark] | None:
    """The same, and which file that was, as it was before it was read."""
    try:
        handle = os.open(target(root, path), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OutsideTheSite:
        return None
    except OSError as error:
        if error.errno in _NO_FILE:
            return None
        raise
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            return None
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(), mark_of(found)
    finally:
        os.close(handle)


def mark_of(found: os.stat_result) -> Mark:
    """Of what `os.lstat` or `os.fstat` found."""
    return Mark(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def stands(root: Path, path: str) -> bool:
    """Whether a regular file stands at a path of the site. A link is none."""
    try:
        return stat.S_ISREG(target(root, path).lstat().st_mode)
    except OutsideTheSite:
        return False
    except OSError as error:
        if error.errno in _NO_FILE:
            return False
        raise


def rename_in(temporary: Path, place: Path) -> None:
    """Rename, making the folders; another writer may be removing them, empty as they are, at the same
    moment.
    """
    for attempt in range(_MKDIR_ATTEMPTS):
        try:
            if attempt:
                place.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(place)
        except FileNotFoundError:
            if attempt == _MKDIR_ATTEMPTS - 1 or not temporary.exists():
                raise
        else:
            return


def files_in(folder: Path) -> list[str]:
    """The names of what stands directly in a folder and is no folder; none where there is no such folder."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if not entry.is_dir(follow_symlinks=False))
    except (FileNotFoundError, NotADirectoryError):
        return []


def prune(folder: Path, root: Path) -> Path:
    """Remove a folder and its parents as far as they are empty. Returns the first that stays."""
    while folder != root:
        try:
            folder.rmdir()
        except FileNotFoundError:
            pass
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                return folder
            raise
        folder = folder.parent
    return root


def flush_folder(folder: Path) -> None:
    """Make renames and removals in a folder outlast a power cut: a withdrawn page must not come back with
    it.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def outages() -> Iterator[None]:
    """A full, read-only or broken disk is an outage, not a bug."""
    try:
        yield
    except OSError as error:
        if error.errno in _OUTAGES:
            raise Away("pages folder", os.strerror(error.errno)) from error
        raise
