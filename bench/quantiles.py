"""Medians and percentiles of what took so long. By nearest rank: each is a value that was measured."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.table import Goal, Row

P50, P99 = 0.50, 0.99
_PERCENTS = range(1, 101)
ENOUGH = 100
"""Of fewer, the 99th percentile is but the highest."""


@dataclass(frozen=True)
class Quantiles:
    """Median and 99th percentile, milliseconds."""

    p50: float
    p99: float


def quantiles(seconds: Iterable[float]) -> Quantiles:
    """Of seconds, one at least, in milliseconds."""
    ordered = sorted(seconds)
    return Quantiles(p50=rank(ordered, P50) * 1000, p99=rank(ordered, P99) * 1000)


def curve(seconds: Iterable[float]) -> list[tuple[float, float]]:
    """Percentile and milliseconds, for a plot: every percent from 1 to 100."""
    ordered = sorted(seconds)
    return [(percent, rank(ordered, percent / 100) * 1000) for percent in _PERCENTS]


def rank(ordered: Sequence[float], share: float) -> float:
    """The value that so large a share of them does not exceed. `ordered`: from the least."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def counted(rounds: Sequence[Sequence[object]], what: str) -> str:
    """How many rounds, of how many each: "3 rounds of 100 turns"."""
    counts = list(dict.fromkeys(len(each) for each in rounds))
    of = str(counts[0]) if len(counts) == 1 else f"{min(counts)} to {max(counts)}"
    return f"{len(rounds)} rounds of {of} {what}"


def of_tail(count: int) -> str:
    """What a 99th percentile of so many is called: of fewer than a hundred it is the highest of them."""
    return "p99" if count >= ENOUGH else f"slowest of {count}"


def times(what: str, rounds: Sequence[Sequence[float]]) -> list[Row]:
    """Two rows of seconds: the median of each round; the 99th percentile of all rounds together."""
    whole = pooled(rounds)
    return [
        Row(f"{what}, p50", [quantiles(each).p50 for each in rounds], "ms"),
        Row(f"{what}, {of_tail(len(whole))}", [quantiles(whole).p99], "ms"),
    ]


def ratios(
    what: str,
    rounds: Sequence[Sequence[float]],
    base: Sequence[Sequence[float]],
    unit: str,
    p50: Goal | None = None,
    p99: Goal | None = None,
) -> list[Row]:
    """Two rows: how many times its base it took; by the median in each round, by the 99th percentile in all
    rounds together. Rounds as long as those of the base.
    """
    pairs = [(quantiles(own), quantiles(floor)) for own, floor in zip(rounds, base, strict=True)]
    whole, base_whole = pooled(rounds), pooled(base)
    tail = quantiles(whole).p99 / quantiles(base_whole).p99
    return [
        Row(f"{what}, p50", [own.p50 / floor.p50 for own, floor in pairs], unit, p50),
        Row(f"{what}, {of_tail(len(whole))}", [tail], unit, p99),
    ]


def pooled(rounds: Iterable[Iterable[float]]) -> list[float]:
    """What was measured in all rounds."""
    return [each for found in rounds for each in found]
