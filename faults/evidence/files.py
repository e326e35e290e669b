"""The served files at rest: their bytes, the tokens in them, and whether compressed siblings say the same."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import brotli  # type: ignore[import-untyped]

from faults.history import Files
from faults.load.words import find

UNPACK: Mapping[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.decompress,
    ".br": lambda packed: bytes(brotli.decompress(packed)),
}


@dataclass(frozen=True)
class Seen:
    """As in `faults.history.Evidence`."""

    files: Files
    tokens: Mapping[str, tuple[str, ...]]
    stale_siblings: tuple[str, ...]


def look_at(root: Path) -> Seen:
    """Everything below the root. A symbolic link is no file of ours: it has no bytes of its own, only where
    it leads.
    """
    files: dict[str, str] = {}
    tokens: dict[str, list[str]] = defaultdict(list)
    stale = []
    for path in _all(root):
        name = path.relative_to(root).as_posix()
        raw = f"-> {path.readlink()}".encode() if path.is_symlink() else path.read_bytes()
        files[name] = hashlib.sha256(raw).hexdigest()
        content = _unpacked(path, raw)
        if content is None or (path.suffix in UNPACK and not _is_fresh(path, content)):
            stale.append(name)
        for token in find((content or b"").decode(errors="replace")):
            tokens[token].append(name)
    return Seen(files, {token: tuple(names) for token, names in tokens.items()}, tuple(stale))


def _all(root: Path) -> Iterator[Path]:
    return (path for path in sorted(root.rglob("*")) if path.is_symlink() or path.is_file())


def _unpacked(path: Path, raw: bytes) -> bytes | None:
    """None of what cannot be unpacked."""
    unpack = UNPACK.get(path.suffix)
    try:
        return unpack(raw) if unpack else raw
    except (OSError, EOFError, zlib.error, brotli.error):
        return None


def _is_fresh(path: Path, content: bytes) -> bool:
    plain = path.with_suffix("")
    return plain.is_file() and plain.read_bytes() == content
