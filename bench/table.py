"""What a measure hands to the table: rows with their goals, what else was seen, and plots.

A measure is a function from a `Stand` to a `Chapter`. It knows nothing of how it is printed.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class Size(Enum):
    """How much is measured: just enough to see that it runs, `make bench`, or `make bench-long`."""

    SMOKE = "smoke"
    TABLE = "table"
    LONG = "long"


@dataclass(frozen=True)
class Stand:
    """Where a measure works. `folder`: its own, empty. `jars`: Kafka's. `say`: tells progress."""

    folder: Path
    jars: Path
    say: Callable[[str], None]
    size: Size = Size.TABLE


@dataclass(frozen=True)
class Goal:
    """A bound that a row has to keep: at most so much, or at least."""

    bound: float
    is_most: bool = True

    def is_met(self, value: float) -> bool:
        return value <= self.bound if self.is_most else value >= self.bound


@dataclass(frozen=True)
class Row:
    """A line of the table: one value for each repetition, in this unit; its median counts.

    Ratios have a unit that begins with "x", as in "x floor", and come first in a chapter.
    """

    what: str
    values: Sequence[float]
    unit: str
    goal: Goal | None = None

    @property
    def value(self) -> float:
        return statistics.median(self.values)

    @property
    def is_ratio(self) -> bool:
        return self.unit.startswith("x")

    @property
    def is_met(self) -> bool | None:
        """None where nothing was promised."""
        return self.goal.is_met(self.value) if self.goal else None


@dataclass(frozen=True)
class Series:
    """A line of a plot: x and y of its points."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Plot:
    """A picture of a chapter. `name` is its file's, without a suffix; the axes name their units."""

    name: str
    title: str
    x: str
    y: str
    series: Sequence[Series]
    is_logarithmic: bool = False


@dataclass(frozen=True)
class Chapter:
    """What one measure found.

    `how`: what was done, on both sides, with what durability, how often and after what warm-up.
    `details`: further lines, as they are. `skipped`: why there are no rows, or not all of them, and how
    to get them. `failed`: what went wrong, where something did.
    """

    name: str
    title: str
    how: str
    rows: Sequence[Row] = ()
    details: Sequence[str] = ()
    plots: Sequence[Plot] = ()
    skipped: str = ""
    failed: str = ""


Measure = Callable[[Stand], Chapter]
