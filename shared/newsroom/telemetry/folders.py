"""How it stands with a folder that a process writes to: told on `/metrics`, looked up when it is asked."""

from __future__ import annotations

import os
from pathlib import Path

from newsroom.telemetry import metrics


def free_bytes(folder: Path) -> int:
    """Room for a program that is not root, on the disk of the folder, or of the first folder above it that is
    there. 0 where it cannot be told.
    """
    try:
        disk = os.statvfs(_standing(folder))
    except OSError:
        return 0
    return disk.f_bavail * disk.f_frsize


def is_writable(folder: Path) -> bool:
    """Whether this process may write there: by its rights, and by how the disk is mounted."""
    place = _standing(folder)
    try:
        is_read_only = bool(os.statvfs(place).f_flag & os.ST_RDONLY)
    except OSError:
        return False
    return not is_read_only and os.access(place, os.W_OK)


def tell_folder(name: str, folder: Path) -> None:
    """Put a folder under a name on `/metrics` of this process."""
    metrics.folder_free_bytes.labels(folder=name).set_function(lambda: free_bytes(folder))
    metrics.folder_writable.labels(folder=name).set_function(lambda: is_writable(folder))


def _standing(folder: Path) -> Path:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder
