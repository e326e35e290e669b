"""Named points between the steps of a service, where a test may kill or pause the process.

In production nothing is installed and a point costs one comparison.
"""

from __future__ import annotations

from collections.abc import Callable

POINTS = {
    "store": (
        "store.batch_taken",
        "store.revisions_written",
        "store.heads_written",
        "store.entries_written",
        "store.entries_announced",
        "store.updates_announced",
        "store.outcomes_published",
        "store.due_events_written",
    ),
    "render": (
        "render.batch_taken",
        "render.model_written",
        "render.page_written",
        "render.files_settled",
        "render.rendering_published",
        "render.marks_published",
        "render.notices_published",
        "render.telling_noted",
        "render.listing_taken",
        "render.listing_written",
    ),
}
"""All of them by service, as an event comes by."""

_hook: Callable[[str], None] | None = None


def install(hook: Callable[[str], None] | None) -> None:
    """Call `hook` with the name of every point that is reached from now on (None: nothing)."""
    global _hook
    _hook = hook


def reached(name: str) -> None:
    """Say that a point was reached, for instance `store.revisions_written`."""
    if _hook is not None:
        _hook(name)
