"""The pages folder: where what `pages` drew becomes files that readers fetch, whole or not at all.

`public/` is the served root. Beside it each process has a folder of its own for temporary files, held by a
lock, so that what a dead process left is told from what a live one is writing. A page's compressed siblings
are unlinked before the page is renamed into place and put back after it: no encoding is ever behind another.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import gzip
import itertools
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import brotli  # type: ignore[import-untyped]

from newsroom.errors import Away

PUBLIC = "public"
NOTE = "fingerprint.json"
COMPRESSED = frozenset(
    {".html", ".css", ".js", ".atom", ".rss", ".xml", ".txt", ".json", ".svg", ".webmanifest"}
)
ENCODINGS: Mapping[str, Callable[[bytes], bytes]] = {
    ".br": lambda content: bytes(brotli.compress(content, quality=5)),
    ".gz": lambda content: gzip.compress(content, compresslevel=6, mtime=0),
}
_OUTAGES = frozenset(
    {errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ESTALE}
)
_MKDIR_ATTEMPTS = 20


class OutsideTheSite(ValueError):  # noqa: N818  (named as it reads where it is raised)
    """A path that would leave the served root, or that no address of the site can have."""


@dataclass(frozen=True)
class _Prepared:
    """One page whose bytes already lie, flushed, in the temporary folder; `siblings` by their suffix."""

    target: Path
    page: Path
    siblings: Mapping[str, Path]


class SiteFolder:
    """Writes into one pages folder. `settle` is the only way a page comes or goes.

    Raises: Away("pages folder") from every call when the disk is full, read-only or broken: the same call may
    succeed later.
    """

    def __init__(self, folder: Path) -> None:
        self.root = Path(os.path.realpath(folder)) / PUBLIC
        self._folder = Path(os.path.realpath(folder))
        self._names = itertools.count()
        self._lock: int | None = None
        self._temporary = self._folder

    def open(self) -> None:
        """Make the folders, take a temporary one of our own and remove those that dead processes left."""
        with _outages():
            self.root.mkdir(parents=True, exist_ok=True)
            self._lock, self._temporary = _claim(self._folder)
            _remove_dead(self._folder)

    def close(self) -> None:
        """Give the temporary folder up."""
        if self._lock is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary.with_suffix(".lock").unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    async def settle(self, files: Mapping[str, bytes], places: Iterable[str] = ()) -> None:
        """Let `files` (site path → bytes) stand, then remove what else stands at `places`.

        A place that ends in "/" means the files directly in that folder (not those below); any other, that
        file. What already stands with the same bytes in each encoding is left alone. Removal comes after
        every new page stands.
        """
        wanted = dict(files)
        gone = sorted(set(places))
        await asyncio.to_thread(self._settle, wanted, gone)

    async def read(self, path: str) -> bytes | None:
        """The bytes that stand at a site path, uncompressed."""
        return await asyncio.to_thread(read_file, self.root, path)

    async def read_note(self) -> bytes | None:
        """What was noted beside the pages, outside the served root."""
        return await asyncio.to_thread(self._read_note)

    async def write_note(self, content: bytes) -> None:
        await asyncio.to_thread(self._write_note, content)

    async def paths(self) -> list[str]:
        """Every file that stands, as site paths, siblings left out."""
        return await asyncio.to_thread(self._paths)

    def _paths(self) -> list[str]:
        found = []
        for folder, _, names in os.walk(self.root):
            relative = Path(folder).relative_to(self.root).as_posix()
            prefix = "/" if relative == "." else f"/{relative}/"
            found += [prefix + name for name in names if not _is_sibling(name)]
        return sorted(found)

    def _read_note(self) -> bytes | None:
        with _outages():
            try:
                return (self._folder / NOTE).read_bytes()
            except FileNotFoundError:
                return None

    def _write_note(self, content: bytes) -> None:
        with _outages():
            self._write_temporary(content, []).replace(self._folder / NOTE)
            _flush_folder(self._folder)

    def _settle(self, files: Mapping[str, bytes], places: list[str]) -> None:
        with _outages():
            changed = set[Path]()
            for page in self._prepare_all({p: c for p, c in files.items() if not self._stands(p, c)}):
                self._put(page)
                changed.add(page.target.parent)
            kept = {target(self.root, path) for path in files}
            for place in places:
                changed |= self._remove(place, kept)
            for folder in changed:
                _flush_folder(folder)

    def _stands(self, path: str, content: bytes) -> bool:
        """Whether exactly these bytes stand there already, in every encoding."""
        if read_file(self.root, path) != content:
            return False
        return all(read_file(self.root, path + suffix) == make(content) for suffix, make in _encodings(path))

    def _prepare_all(self, files: Mapping[str, bytes]) -> list[_Prepared]:
        """Write and flush everything before anything is renamed; on a full disk leave nothing behind."""
        written: list[Path] = []
        try:
            return [self._prepare(path, content, written) for path, content in files.items()]
        except OSError:
            for temporary in written:
                temporary.unlink(missing_ok=True)
            raise

    def _prepare(self, path: str, content: bytes, written: list[Path]) -> _Prepared:
        page = self._write_temporary(content, written)
        siblings = {
            suffix: self._write_temporary(make(content), written) for suffix, make in _encodings(path)
        }
        return _Prepared(target(self.root, path), page, siblings)

    def _write_temporary(self, content: bytes, written: list[Path]) -> Path:
        temporary = self._temporary / str(next(self._names))
        written.append(temporary)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        return temporary

    def _put(self, prepared: _Prepared) -> None:
        """Unlink the siblings, rename the page in, rename its siblings in: the order that no reader can
        catch out.
        """
        for suffix in ENCODINGS:
            _beside(prepared.target, suffix).unlink(missing_ok=True)
        _rename_in(prepared.page, prepared.target)
        for suffix, sibling in prepared.siblings.items():
            _rename_in(sibling, _beside(prepared.target, suffix))

    def _remove(self, place: str, kept: set[Path]) -> set[Path]:
        """Remove what stands at a place, siblings first, and the folders it leaves empty.

        Returns the folders to flush.
        """
        if place.endswith("/"):
            folder = target(self.root, place + "index.html").parent
            pages = [
                entry for entry in _files_in(folder) if not _is_sibling(entry.name) and entry not in kept
            ]
            strays = [
                entry
                for entry in _files_in(folder)
                if _is_sibling(entry.name) and not entry.with_suffix("").exists()
            ]
        else:
            page = target(self.root, place)
            folder = page.parent
            pages, strays = [page] if page not in kept else [], []
        doomed = [_beside(page, suffix) for page in pages for suffix in ENCODINGS] + strays + pages
        for entry in doomed:
            entry.unlink(missing_ok=True)
        return {_prune(folder, self.root)} if doomed else set()


def target(root: Path, path: str) -> Path:
    """Where a site path lies under the root.

    Raises: OutsideTheSite for one that is none of ours or leads out of it.
    """
    parts = path.split("/")
    if parts[0] != "" or len(parts) < 2 or any(part in ("", ".", "..") for part in parts[1:]):
        raise OutsideTheSite(f"{path[:200]!r} is no file of the site")
    if "\\" in path or "\0" in path:
        raise OutsideTheSite(f"{path[:200]!r} has a character that no address of ours has")
    place = root.joinpath(*parts[1:])
    if not Path(os.path.realpath(place.parent)).is_relative_to(root):
        raise OutsideTheSite(f"{path[:200]!r} leads out of the pages folder through a link")
    return place


def read_file(root: Path, path: str) -> bytes | None:
    """The bytes of one file of the site, or None where no regular file stands. A link is none."""
    try:
        handle = os.open(target(root, path), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError, OutsideTheSite):
        return None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENAMETOOLONG, errno.ENXIO):
            return None
        raise
    try:
        with os.fdopen(handle, "rb") as file:
            return file.read()
    except IsADirectoryError:
        return None


def _encodings(path: str) -> list[tuple[str, Callable[[bytes], bytes]]]:
    return list(ENCODINGS.items()) if Path(path).suffix in COMPRESSED else []


def _is_sibling(name: str) -> bool:
    return Path(name).suffix in ENCODINGS


def _beside(page: Path, suffix: str) -> Path:
    return page.with_name(page.name + suffix)


def _rename_in(temporary: Path, place: Path) -> None:
    """Rename, making the folders; another writer may be removing them, empty as they are, at the same
    moment.
    """
    for attempt in range(_MKDIR_ATTEMPTS):
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.replace(place)
        except FileNotFoundError:
            if attempt == _MKDIR_ATTEMPTS - 1 or not temporary.exists():
                raise
        else:
            return


def _files_in(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(entry.path) for entry in entries if not entry.is_dir(follow_symlinks=False))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _prune(folder: Path, root: Path) -> Path:
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


def _flush_folder(folder: Path) -> None:
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


def _claim(folder: Path) -> tuple[int, Path]:
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


def _remove_dead(folder: Path) -> None:
    """Remove temporary folders whose process no longer holds the lock."""
    for lock_path in folder.glob("tmp-*.lock"):
        try:
            handle = os.open(lock_path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock_path.with_suffix(""), ignore_errors=True)
            lock_path.unlink(missing_ok=True)
        except BlockingIOError:
            pass
        finally:
            os.close(handle)


@contextmanager
def _outages() -> Iterator[None]:
    """A full, read-only or broken disk is an outage, not a bug."""
    try:
        yield
    except OSError as error:
        if error.errno in _OUTAGES:
            raise Away("pages folder", os.strerror(error.errno)) from error
        raise
