"""The pages folder: where what `pages` drew becomes files that readers fetch, whole or not at all.

`public/` is the served root. Beside it each process has a folder of its own for temporary files, held by a
lock, so that what a dead process left is told from what a live one is writing. A page's compressed siblings
are unlinked before the page is renamed into place and put back after it: no encoding is ever behind another.

An owner that was paused does not put an old page over a newer one when it wakes (see `temporary`): its files
lie there before the read model is asked whether they are the newest, and are renamed after.
"""

from __future__ import annotations

import asyncio
import gzip
import itertools
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import brotli  # type: ignore[import-untyped]

from newsroom.errors import Away
from services.render.claims import claim, remove_dead, tell, told
from services.render.files import (
    clear_way,
    files_in,
    flush_folder,
    lexical,
    mark_of,
    outages,
    prune,
    read_file,
    read_marked,
    remove_foreign,
    rename_in,
)
from services.render.notes import Notes
from services.render.temporary import Overtaken, Ready, Version, drop_all, fill, remove_older
from services.render.together import Together
from services.render.unverified import Touch, Unverified

P = ParamSpec("P")
T = TypeVar("T")
Q = TypeVar("Q")
A = TypeVar("A")
PUBLIC = "public"
NOTE = "fingerprint.json"
COMPRESSED = frozenset(
    {".html", ".css", ".js", ".atom", ".rss", ".xml", ".txt", ".json", ".svg", ".webmanifest"}
)
ENCODINGS: Mapping[str, Callable[[bytes], bytes]] = {
    ".br": lambda content: bytes(brotli.compress(content, quality=5)),
    ".gz": lambda content: gzip.compress(content, compresslevel=6, mtime=0),
}
WRITERS = 4
GROUP = 16
"""Of how many articles a thread does the same at most before it tells."""
EVERYTHING = "*"
"""At the end of a place: whatever stands in that folder and in those below it."""


@dataclass
class Ahead:
    """Pages whose bytes are being written to the temporary folder, and whether they are in place."""

    writing: Mapping[str, asyncio.Future[Path | None]]
    version: Version | None
    is_shown: bool = False

    async def written(self, path: str) -> Path | None:
        """The flushed temporary file of a page; None where these bytes stand already.

        Raises: Away, Overtaken.
        """
        return await asyncio.shield(self.writing[path])


@dataclass(frozen=True)
class Showing:
    """Pages to put in place, each a temporary file or None where it stands, and where else to remove what
    stands.
    """

    written: Mapping[str, Path | None]
    places: Sequence[str]
    touch: Touch | None
    version: Version | None


@dataclass(frozen=True)
class Placing:
    """What lies ready to be put in place, and where all that is not `kept` is to be removed."""

    ready: Sequence[Ready]
    kept: Sequence[str]
    places: Sequence[str]
    touch: Touch | None
    version: Version | None


class SiteFolder:
    """Writes into one pages folder. Pages come and go by `show` and `settle` alone.

    `unverified` tells of what articles and listings files may be missing: who may come late with a removal
    does it with a `Touch` of it.

    Raises: Away("pages folder") from every call when the disk is full, read-only or broken: the same call may
    succeed later.
    """

    def __init__(self, folder: Path) -> None:
        self.root = Path(os.path.realpath(folder)) / PUBLIC
        self._folder = Path(os.path.realpath(folder))
        self._names = itertools.count()
        self._lock: int | None = None
        self._temporary = self._folder
        self._writers = ThreadPoolExecutor(WRITERS, "pages")
        self.unverified = Unverified(Notes(self._folder), self._writers)
        self._begin = self._together(partial(_each, self._begin_one))
        self._write_ahead = self._together(partial(_each, self._write_ahead_one))
        self._show = self._together(self._show_all)
        self._make_ready = self._together(partial(_each, self._make_ready_one))
        self._place = self._together(self._place_all)

    def open(self) -> None:
        """Make the folders, take a temporary one of our own and remove those that dead processes left."""
        with outages():
            self.root.mkdir(parents=True, exist_ok=True)
            if self._lock is None:
                self._lock, self._temporary = claim(self._folder)
                self.unverified.notes.folder = self._temporary
            self._remove_dead()

    def close(self) -> None:
        """Give the temporary folder up, once what is being written is done; with notes in it, to the next
        process.
        """
        self._writers.shutdown()
        if self._lock is not None:
            if not self.unverified.notes:
                shutil.rmtree(self._temporary, ignore_errors=True)
                self._temporary.with_suffix(".lock").unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    async def take_over(self) -> None:
        """Remove what processes left that died meanwhile; what they did not verify is left to us."""
        await self._run(self._remove_dead)

    @asynccontextmanager
    async def ahead(self, files: Mapping[str, bytes], version: Version | None = None) -> AsyncIterator[Ahead]:
        """Write files beside what else is going on, so that `show` has only to rename them.

        The temporary files lie there, if empty, when the block begins: in it, ask whether the version is the
        newest.
        """
        beginning = self._begin.ask((list(files), version))
        try:
            begun = await asyncio.shield(beginning)
        except BaseException:
            _once_done(beginning, _drop_begun)
            raise
        writing = {
            path: self._write_ahead.ask((path, files[path], temporary)) for path, temporary in begun.items()
        }
        ahead = Ahead(writing, version)
        try:
            yield ahead
        finally:
            for path, one in writing.items() if not ahead.is_shown else ():
                _once_done(one, partial(_drop, begun[path]))

    async def show(self, ahead: Ahead, places: Iterable[str] = (), touch: Touch | None = None) -> None:
        """Put these pages in place, in order, without siblings; then remove what else stands at `places`.

        From now on readers fetch them. `settle` makes the rest. Raises: Overtaken.
        """
        written = {path: await ahead.written(path) for path in ahead.writing}
        await asyncio.shield(self._show.ask(Showing(written, sorted(set(places)), touch, ahead.version)))
        ahead.is_shown = True

    async def settle(
        self,
        files: Mapping[str, bytes],
        places: Iterable[str] = (),
        touch: Touch | None = None,
        *,
        version: Version | None = None,
        is_newest: Callable[[], Awaitable[bool]] | None = None,
    ) -> bool:
        """Let `files` (site path → bytes) stand, in their order, then remove what else stands at `places`.

        A place that ends in "/" means the files directly in that folder (not those below it), one that ends
        in `EVERYTHING` those below it too; any other, that file. What already stands with the same bytes is
        left alone. Removal comes after all that is to stand.

        `is_newest` tells of the `version`, and is asked when everything lies ready. Returns whether it did
        stand: False when it was overtaken.
        """
        making = self._make_ready.ask((dict(files), version))
        placing: asyncio.Future[bool] | None = None
        try:
            ready = await asyncio.shield(making)
            if is_newest is not None and not await is_newest():
                return False
            placing = self._place.ask(Placing(ready, list(files), sorted(set(places)), touch, version))
            return await asyncio.shield(placing)
        finally:
            _once_done(placing or making, lambda _: _drop_ready(making))

    async def read(self, path: str) -> bytes | None:
        """The bytes that stand at a site path, uncompressed."""
        return await self._run(read_file, self.root, path)

    async def read_note(self) -> bytes | None:
        """What was noted beside the pages, outside the served root."""
        return await self._run(self._read_note)

    async def write_note(self, content: bytes) -> None:
        await self._run(self._write_note, content)

    async def tell_look(self, fingerprint: str) -> None:
        """Tell all who write into this folder, as long as we live, in which look we draw."""
        await self._run(self._tell_look, fingerprint)

    async def looks(self) -> frozenset[str]:
        """The looks in which those who write here draw, we among them; empty words of those yet to say so."""
        return await self._run(self._looks)

    async def paths(self) -> list[str]:
        """Every file that stands, as site paths, siblings left out."""
        return await self._run(self._paths)

    async def remove_foreign(self) -> None:
        """Remove links, and what has a name that no page can have: somebody else put it here."""
        await self._run(self._remove_foreign)

    def _together(self, work: Callable[[Sequence[Q]], Sequence[A | Exception]]) -> Together[Q, A]:
        """Work that threads do a group in one go: to wake one for each would cost as much again."""

        async def answer(asked: Sequence[Q]) -> Sequence[A | Exception]:
            return await self._run(work, asked)

        return Together(answer, most=GROUP, at_once=WRITERS)

    async def _run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do it in a thread of our own: those of the process are for readers."""
        return await asyncio.wrap_future(self._writers.submit(work, *args, **kwargs))

    def _remove_dead(self) -> None:
        with outages():
            remove_dead(self._folder, self.unverified.inherit)

    def _remove_foreign(self) -> None:
        with outages():
            remove_foreign(self.root)

    def _paths(self) -> list[str]:
        found = []
        for folder, _, names in os.walk(self.root):
            relative = Path(folder).relative_to(self.root).as_posix()
            prefix = "/" if relative == "." else f"/{relative}/"
            found += [prefix + name for name in names if not _is_sibling(name)]
        return sorted(found)

    def _tell_look(self, fingerprint: str) -> None:
        if self._lock is None:
            raise RuntimeError("the pages folder is not open")
        with outages():
            tell(self._lock, fingerprint)

    def _looks(self) -> frozenset[str]:
        with outages():
            return told(self._folder)

    def _read_note(self) -> bytes | None:
        with outages():
            try:
                return (self._folder / NOTE).read_bytes()
            except FileNotFoundError:
                return None

    def _write_note(self, content: bytes) -> None:
        with outages():
            self._write_temporary(content).replace(self._folder / NOTE)
            flush_folder(self._folder)

    def _begin_one(self, paths: Iterable[str], version: Version | None) -> dict[str, Path]:
        """An empty temporary file for each path."""
        begun: dict[str, Path] = {}
        with outages():
            try:
                for path in paths:
                    begun[path] = self._name(version)
                    begun[path].open("xb").close()
            except OSError:
                for temporary in begun.values():
                    temporary.unlink(missing_ok=True)
                raise
        return begun

    def _write_ahead_one(self, path: str, content: bytes, temporary: Path) -> Path | None:
        with outages():
            if read_file(self.root, path) == content:
                temporary.unlink(missing_ok=True)
                return None
            try:
                fill(temporary, content, "r+b")
            except FileNotFoundError:
                raise Overtaken(path) from None
            return temporary

    def _show_all(self, asked: Sequence[Showing]) -> list[Exception | None]:
        for showing in asked:
            _note(showing.touch)
        with outages():
            remove_older(self._folder, [each.version for each in asked if any(each.written.values())])
        return _each(self._show_one, [(each,) for each in asked])

    def _show_one(self, showing: Showing) -> None:
        with outages():
            for path, temporary in showing.written.items():
                if temporary is not None:
                    self._put(temporary, self._target(path))
            for folder in self._remove_others(showing.places, showing.written):
                flush_folder(folder)

    def _remove_others(self, places: Iterable[str], kept: Iterable[str]) -> set[Path]:
        """Remove what stands at the places and is not kept. Returns the folders to flush."""
        keep = {lexical(self.root, path) for path in kept}
        changed = set[Path]()
        for place in places:
            changed |= self._remove(place, keep)
        return changed

    def _make_ready_one(self, files: Mapping[str, bytes], version: Version | None) -> list[Ready]:
        """Write what is to stand and does not, beside where it is to stand."""
        made: list[Ready] = []
        try:
            with outages():
                for path, content in files.items():
                    made.append(Ready(path))
                    self._make_one_ready(made[-1], content, version)
        except BaseException:
            drop_all(made)
            raise
        return made

    def _make_one_ready(self, ready: Ready, content: bytes, version: Version | None) -> None:
        """In every encoding. Where the page is to be another, its siblings go with the former one."""
        self._target(ready.path)
        is_changed = not self._stands(ready, "", content)
        if is_changed:
            ready.page = self._write_temporary(content, version)
        for suffix, make in _encodings(ready.path):
            packed = make(content)
            if is_changed or not self._stands(ready, suffix, packed):
                ready.siblings[suffix] = self._write_temporary(packed, version)

    def _stands(self, ready: Ready, suffix: str, content: bytes) -> bool:
        """Whether these bytes stand already, so that the file is left alone."""
        found = read_marked(self.root, ready.path + suffix)
        if found is None or found[0] != content:
            return False
        ready.left_alone[suffix] = found[1]
        return True

    def _place_all(self, asked: Sequence[Placing]) -> list[bool | Exception]:
        for placing in asked:
            _note(placing.touch)
        with outages():
            remove_older(self._folder, [each.version for each in asked])
        return _each(self._place_one, [(each,) for each in asked])

    def _place_one(self, placing: Placing) -> bool:
        """Put what lies ready in place.

        Returns False when it was overtaken: its files are gone, or one that it left alone is another.
        """
        with outages():
            if placing.version is not None and not all(map(self._is_left_alone, placing.ready)):
                return False
            try:
                changed = {self._place_file(ready) for ready in placing.ready if ready.is_to_be_put}
            except Overtaken as error:
                if placing.version is None:
                    raise Away("pages folder", f"a temporary file of {error} is gone") from error
                return False
            for folder in changed | self._remove_others(placing.places, placing.kept):
                flush_folder(folder)
        return True

    def _is_left_alone(self, ready: Ready) -> bool:
        """Whether the files that stood with the same bytes are still the same files."""
        place = lexical(self.root, ready.path)
        try:
            return all(
                mark_of(_beside(place, suffix).lstat()) == mark for suffix, mark in ready.left_alone.items()
            )
        except (FileNotFoundError, NotADirectoryError):
            return False

    def _place_file(self, ready: Ready) -> Path:
        """Returns the folder to flush."""
        place = self._target(ready.path)
        page, ready.page = ready.page, None
        if page is not None:
            self._put(page, place)
        while ready.siblings:
            suffix, temporary = ready.siblings.popitem()
            self._rename(temporary, _beside(place, suffix))
        return place.parent

    def _target(self, path: str) -> Path:
        """Where a file is to stand or to go; no link leads there, and nothing of others is in the way."""
        place = lexical(self.root, path)
        clear_way(self.root, place)
        return place

    def _name(self, version: Version | None) -> Path:
        """A new temporary file's, which tells of what version it is."""
        name = str(next(self._names))
        return self._temporary / (version.name(name) if version else name)

    def _write_temporary(self, content: bytes, version: Version | None = None) -> Path:
        """A flushed temporary file; on a full disk nothing is left behind."""
        temporary = self._name(version)
        fill(temporary, content, "xb")
        return temporary

    def _put(self, temporary: Path, place: Path) -> None:
        """Unlink the siblings, then rename the page in: no reader finds an encoding that is behind."""
        if not temporary.exists():  # the siblings that stand are of a newer page
            raise Overtaken(place.name)
        for suffix in ENCODINGS:
            _beside(place, suffix).unlink(missing_ok=True)
        self._rename(temporary, place)

    def _rename(self, temporary: Path, place: Path) -> None:
        try:
            rename_in(temporary, place)
        except OSError as error:
            if isinstance(error, FileNotFoundError) and not temporary.exists():
                raise Overtaken(place.name) from error
            temporary.unlink(missing_ok=True)
            raise

    def _remove(self, place: str, kept: set[Path]) -> set[Path]:
        """Remove what stands at a place, siblings first, and the folders it leaves empty.

        Returns the folders to flush.
        """
        if place.endswith(f"/{EVERYTHING}"):
            top = self._target(place).parent
            folders = [Path(folder) for folder, _, _ in os.walk(top, topdown=False)]
            return {changed for folder in folders for changed in self._remove_in(folder, kept)}
        if place.endswith("/"):
            return self._remove_in(self._target(place + "index.html").parent, kept)
        page = self._target(place)
        return self._unlink(page.parent, [page] if page not in kept else [])

    def _remove_in(self, folder: Path, kept: set[Path]) -> set[Path]:
        """Remove what stands directly in a folder and is not kept."""
        names = files_in(folder)
        pages = [place for name in names if not _is_sibling(name) and (place := folder / name) not in kept]
        there = set(names)
        strays = [folder / name for name in names if _is_sibling(name) and Path(name).stem not in there]
        return self._unlink(folder, pages, strays)

    def _unlink(self, folder: Path, pages: Sequence[Path], strays: Sequence[Path] = ()) -> set[Path]:
        doomed = [_beside(page, suffix) for page in pages for suffix in ENCODINGS] + [*strays, *pages]
        for entry in doomed:
            entry.unlink(missing_ok=True)
        return {prune(folder, self.root)} if doomed else set()


def _encodings(path: str) -> list[tuple[str, Callable[[bytes], bytes]]]:
    return list(ENCODINGS.items()) if Path(path).suffix in COMPRESSED else []


def _note(touch: Touch | None) -> None:
    if touch is not None:
        touch.note()


def _each(work: Callable[..., A], asked: Iterable[Sequence[Any]]) -> list[A | Exception]:
    """What comes of each, an error too, which is its own."""
    done: list[A | Exception] = []
    for arguments in asked:
        try:
            done.append(work(*arguments))
        except Exception as error:  # noqa: BLE001  (whoever asked gets it)
            done.append(error)
    return done


def _once_done(work: asyncio.Future[Any], then: Callable[[asyncio.Future[Any]], None]) -> None:
    """At once, where it is done."""
    if work.done():
        then(work)
    else:
        work.add_done_callback(then)


def _drop(temporary: Path, writing: asyncio.Future[Path | None]) -> None:
    """Remove a temporary file that was not put in place, once nobody writes it any more."""
    if not writing.cancelled():
        writing.exception()  # nobody else may ask for it
    temporary.unlink(missing_ok=True)


def _drop_begun(beginning: asyncio.Future[dict[str, Path]]) -> None:
    if not beginning.cancelled() and not beginning.exception():
        for temporary in beginning.result().values():
            temporary.unlink(missing_ok=True)


def _drop_ready(making: asyncio.Future[list[Ready]]) -> None:
    if not making.cancelled() and not making.exception():
        drop_all(making.result())


def _is_sibling(name: str) -> bool:
    return Path(name).suffix in ENCODINGS


def _beside(page: Path, suffix: str) -> Path:
    return page.with_name(page.name + suffix)
