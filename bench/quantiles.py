"""Medians and percentiles of what took so long. By nearest rank: each is a value that was measured."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.table import Goal, Row

P50, P99 = 0.50, 0.99
_PERCENTS = range(1, 101)


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


def times(what: str, found: Sequence[Quantiles]) -> list[Row]:
    """Two rows: what took so long in each round."""
    return [
        Row(f"{what}, p50", [each.p50 for each in found], "ms"),
        Row(f"{what}, p99", [each.p99 for each in found], "ms"),
    ]


def ratios(
    what: str,
    found: Sequence[Quantiles],
    base: Sequence[Quantiles],
    unit: str,
    p50: Goal | None = None,
    p99: Goal | None = None,
) -> list[Row]:
    """Two rows: how many times its base it took, each quantile over the same one, in each round."""
    pairs = list(zip(found, base, strict=True))
    return [
        Row(f"{what}, p50", [own.p50 / floor.p50 for own, floor in pairs], unit, p50),
        Row(f"{what}, p99", [own.p99 / floor.p99 for own, floor in pairs], unit, p99),
    ]
