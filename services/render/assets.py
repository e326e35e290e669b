"""Style sheet, script and icon: served for ever, each under an address that names its content's SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

STATIC = Path(__file__).parent / "static"
HASH_CHARACTERS = 16


@dataclass(frozen=True)
class Assets:
    """What a page links to. `files` are the contents by address."""

    css: str
    js: str
    icon: str
    files: Mapping[str, bytes]


def load_assets(folder: Path = STATIC) -> Assets:
    """Read the assets once and name each by its content."""
    css, js, icon = (_named(folder / name) for name in ("site.css", "site.js", "favicon.svg"))
    return Assets(css[0], js[0], icon[0], dict([css, js, icon]))


def _named(file: Path) -> tuple[str, bytes]:
    content = file.read_bytes()
    mark = hashlib.sha256(content).hexdigest()[:HASH_CHARACTERS]
    return f"/assets/{file.stem}.{mark}{file.suffix}", content
