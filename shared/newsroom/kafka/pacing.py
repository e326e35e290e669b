"""How long the loop rests after a batch, so that batches grow under load.

What a batch costs by itself (round trips, waits for disks) is then shared by more records.
"""

from __future__ import annotations

from collections.abc import Callable

Rest = Callable[[float, int], float]
"""From the seconds that a batch took, the last time it was tried, and the number of its records to the
seconds of rest after it.
"""

FEW = 2
"""A batch of so many records at most is no sign of load: what comes next is taken at once."""


def no_rest(took_seconds: float, records: int) -> float:  # noqa: ARG001  (every `Rest` is asked so)
    """Take what is there."""
    return 0.0


def gathering(every_seconds: float, few: int = FEW) -> Rest:
    """Begin a batch so many seconds after the one before, at the earliest, if that had more than a `few`."""

    def rest(took_seconds: float, records: int) -> float:
        return max(0.0, every_seconds - took_seconds) if records > few else 0.0

    return rest
