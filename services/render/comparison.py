"""The pages folder beside what should stand there, in every encoding. Reads only; blocking."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import brotli  # type: ignore[import-untyped]

from services.render.files import read_file, target
from services.render.site import COMPRESSED, ENCODINGS

_UNPACK: Mapping[str, Callable[[bytes], bytes]] = {
    ".br": lambda packed: bytes(brotli.decompress(packed)),
    ".gz": gzip.decompress,
}
_UNREADABLE = (brotli.error, OSError, EOFError, zlib.error)


class What(StrEnum):
    """How something differs from a rebuild."""

    MISSING = "missing"  # a rebuild would write the file
    DIFFERS = "differs"  # a rebuild would write other bytes
    EXTRA = "extra"  # a rebuild would not write the file
    SIBLING = "sibling"  # a compressed sibling is missing, or not of these bytes
    BEHIND = "behind"  # the read model is not at the store's revision
    MODEL = "model"  # the read model is, but keeps something else than the store announces
    UNKNOWN = "unknown"  # the read model has an article that the store does not know
    UNDRAWN = "undrawn"  # the templates fail on it


@dataclass(frozen=True)
class Difference:
    """One thing that a rebuild would make otherwise. `path`: of the file, else where the article stands."""

    what: What
    path: str
    detail: str
    article_id: str | None = None


def compare(root: Path, files: Mapping[str, bytes]) -> list[Difference]:
    """How these files (site path → bytes) and their siblings stand under the root."""
    return [difference for path, content in files.items() for difference in _compare_one(root, path, content)]


def strays_below(root: Path, place: str, files: Iterable[str]) -> list[Difference]:
    """Whatever stands in a folder of the site, or below it, and is none of the files and their siblings."""
    standing = (path for folder, names in walk(root, place) for path in _joined(folder, names))
    return _strays(standing, files)


def walk(root: Path, place: str = "/") -> Iterator[tuple[str, list[str]]]:
    """Each folder of the site that has files, as a site path with a slash at its end, and their names.

    A link to a folder is not followed: it counts as a file.
    """
    start = root if place == "/" else target(root, f"{place}index.html").parent
    for folder, below, names in os.walk(start):
        below.sort()
        relative = Path(folder).relative_to(root).as_posix()
        files = names + [name for name in below if Path(folder, name).is_symlink()]
        if files:
            yield ("/" if relative == "." else f"/{relative}/"), sorted(files)


def page_of(path: str) -> str:
    """The page that a file is or, as its compressed sibling, belongs to."""
    suffix = Path(path).suffix
    return path.removesuffix(suffix) if suffix in ENCODINGS else path


def extra(path: str) -> Difference:
    """A file too many. Its name may be anything that a file system takes, UTF-8 or not."""
    readable = path.encode("utf-8", "backslashreplace").decode()
    return Difference(What.EXTRA, readable, "a rebuild would not write it")


def _strays(standing: Iterable[str], files: Iterable[str]) -> list[Difference]:
    kept = set(files)
    kept |= {path + suffix for path in kept if Path(path).suffix in COMPRESSED for suffix in ENCODINGS}
    return [extra(path) for path in standing if path not in kept]


def _joined(folder: str, names: Iterable[str]) -> list[str]:
    return [folder + name for name in names]


def _compare_one(root: Path, path: str, content: bytes) -> list[Difference]:
    standing = read_file(root, path)
    if standing is None:
        return [Difference(What.MISSING, path, "a rebuild would write it")]
    if standing != content:
        detail = f"has {len(standing)} bytes; a rebuild would write {len(content)}, others than these"
        return [Difference(What.DIFFERS, path, detail)]
    if Path(path).suffix not in COMPRESSED:
        return []
    told = ((path + suffix, _sibling(root, path + suffix, content)) for suffix in ENCODINGS)
    return [Difference(What.SIBLING, sibling, detail) for sibling, detail in told if detail]


def _sibling(root: Path, path: str, content: bytes) -> str:
    """What is wrong with a compressed sibling; empty where nothing is."""
    packed = read_file(root, path)
    if packed is None:
        return "is missing beside its page"
    try:
        unpacked = _UNPACK[Path(path).suffix](packed)
    except _UNREADABLE:
        return "cannot be unpacked"
    return "" if unpacked == content else "holds other bytes than its page"
