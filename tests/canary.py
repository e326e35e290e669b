"""A secret that is known wherever it turns up: each API key that a test makes carries it.

It may stand in the head of a request, in the answer that hands a new key out, and in the operator's own file.
After the whole test run everything that was left behind is searched for it (`tests/conftest.py`).
"""

from __future__ import annotations

import gzip
import secrets
import zlib
from collections.abc import Iterator
from pathlib import Path

from newsroom import keys

MARK = "quokkasecret"
LAWFUL = ("publisher.key", ".env")
"""Files of the operator's, which are there to hold the key."""
_NUMBERS = (".index", ".timeindex")
"""Files of a broker's that hold numbers alone, and are long and empty."""
_LARGEST_BYTES = 64 * 1024 * 1024


def a_secret() -> str:
    return f"nrk_{MARK}{secrets.token_hex(16)}"


def mark_new_secrets() -> None:
    """Have every key that is made in this process carry the mark."""
    vars(keys)["new_secret"] = a_secret


def stands_in(content: bytes) -> bool:
    """Whether the secret is there, as it is or in what a `gzip` packed."""
    if MARK.encode() in content:
        return True
    if not content.startswith(b"\x1f\x8b"):
        return False
    try:
        return MARK.encode() in gzip.decompress(content)
    except (EOFError, OSError, zlib.error):
        return False


def found_below(folder: Path) -> list[Path]:
    """Files that hold the secret and may not."""
    return [file for file in _files(folder) if stands_in(file.read_bytes())]


def _files(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        if file.is_symlink() or not file.is_file() or file.name in LAWFUL or file.suffix in _NUMBERS:
            continue
        if file.stat().st_size <= _LARGEST_BYTES:
            yield file
