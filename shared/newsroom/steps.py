"""Named points between the steps of a service, where a test may kill or pause the process.

In production nothing is installed and a point costs one comparison. The names are listed where they are
reached; `tests/fault` walks them.
"""

from __future__ import annotations

from collections.abc import Callable

_hook: Callable[[str], None] | None = None


def install(hook: Callable[[str], None] | None) -> None:
    """Call `hook` with the name of every point that is reached from now on (None: nothing)."""
    global _hook
    _hook = hook


def reached(name: str) -> None:
    """Say that a point was reached, for instance `store.revisions_written`."""
    if _hook is not None:
        _hook(name)
