"""The publisher's key of a newsroom on one machine: made at the first start, in a file for its owner only."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from newsroom import keys
from newsroom.errors import Misconfigured

SETTING = "NEWSROOM_PUBLISHER_KEY"
SHORTEST = 16
LONGEST = 200
MODE = 0o600


def ensure(path: Path, environ: Mapping[str, str] = os.environ) -> str:
    """The key in the file. Without a file one is made, with the key of the environment, else a fresh one.

    Raises: Misconfigured when the file has no usable key, or the environment names another one.
    """
    given = environ.get(SETTING) or None
    if not path.exists():
        _write(path, _usable(given, SETTING) if given else keys.new_secret())
    standing = read(path)
    if given not in (None, standing):
        raise Misconfigured(
            f"{SETTING} is another key than the one in {path}, which is on the log already: unset it (more "
            "keys are made with `newsroom keys add`)"
        )
    if is_open(path):
        path.chmod(MODE)
    return standing


def read(path: Path) -> str:
    """The key in the file. Raises: Misconfigured."""
    try:
        return _usable(path.read_text(encoding="ascii").strip(), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path} cannot be read as a key: {error}") from error


def is_open(path: Path) -> bool:
    """Whether others than its owner may read the file."""
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def _usable(key: str, where: str) -> str:
    if not SHORTEST <= len(key) <= LONGEST or not key.isascii() or not key.isprintable() or " " in key:
        raise Misconfigured(
            f"{where} holds no key of {SHORTEST} to {LONGEST} printable characters: put the right one back"
        )
    return key


def _write(path: Path, key: str) -> None:
    """Whole or not at all: a start that is killed leaves no half key."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE), "w", encoding="ascii") as file:
        file.write(f"{key}\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
