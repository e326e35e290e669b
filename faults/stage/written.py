"""What a newsroom has written: files told by their bytes, and how files and documents are thrown away."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path

from pymongo import MongoClient

from faults.history import Files


def files(public: Path) -> Files:
    """Every file below the folder with the SHA-256 of its bytes."""
    return {
        str(path.relative_to(public)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(public.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def empty(folder: Path) -> None:
    """Remove what is in it. The folder stays: a mounted one cannot be removed."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def drop(mongo_url: str, databases: Iterable[str]) -> None:
    """Remove those databases."""
    with MongoClient[dict[str, object]](mongo_url) as client:
        for name in databases:
            client.drop_database(name)
