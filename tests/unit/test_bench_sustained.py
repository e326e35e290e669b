"""Which rates are tried, which one counts as carried, and what is told of a load."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.load import Load
from bench.sustained import (
    PLANS,
    Climb,
    Plan,
    candidates,
    chapter,
    is_carried,
    is_kept_up_with,
    next_held,
    next_rate,
)
from bench.table import Size

PLAN = Plan(rates=(5, 10, 20, 40), step_seconds=15, halvings=2, hold_seconds=60)


def a_load(rate: float, through: float = 0.1, *, refused: int = 0, rejected: int = 0, lost: int = 0) -> Load:
    """Of 40 events, each through after that time."""
    return Load(
        rate=rate,
        seconds=2,
        through=[through] * (40 - refused - rejected),
        accepted=[0.01] * (40 - refused),
        late_seconds=[0.001] * 40,
        refused=refused,
        rejected=rejected,
        lost=lost,
        cores={"render": 0.5},
        sent={"published": 40},
        by_kind={"published": [through] * 40},
    )


def late(rate: float) -> Load:
    """Kept up with, but some of it was not in time."""
    load = a_load(rate)
    return replace(load, through=[*load.through[1:], 1.5])


def missed(rate: float) -> Load:
    return a_load(rate, through=1.5)


@pytest.mark.parametrize(
    ("load", "carried"),
    [
        (a_load(20, through=0.99), True),
        (a_load(20, through=1.0), False),
        (a_load(20, refused=1), False),
        (a_load(20, rejected=1), False),
        (a_load(20, lost=1), False),
        (a_load(20, refused=40), False),
    ],
)
def test_a_load_is_carried_when_all_of_it_is_through_in_time(load: Load, carried: bool) -> None:
    assert is_carried(load) is carried


@pytest.mark.parametrize(
    ("first", "last", "kept_up"),
    [(0.1, 0.34, True), (0.1, 0.36, False), (0.3, 0.6, True), (0.3, 0.61, False), (0.6, 0.1, True)],
)
def test_a_load_whose_backlog_grows_is_not_kept_up_with(first: float, last: float, kept_up: bool) -> None:
    load = replace(a_load(20), through=[first] * 14 + [(first + last) / 2] * 12 + [last] * 14)
    assert is_kept_up_with(load) is kept_up
    assert is_carried(load) is kept_up


@pytest.mark.parametrize(
    ("carried_up_to", "kept_up_to", "rates", "best"),
    [
        (16, 16, [5, 10, 20, 15, 17.5], [15, 10, 5]),
        (16, 30, [5, 10, 20, 40, 15, 17.5], [15, 10, 5]),
        (16, 99, [5, 10, 20, 40, 15, 17.5], [15, 10, 5]),
        (99, 99, [5, 10, 20, 40], [40, 20, 10, 5]),
        (0, 7, [5, 10, 2.5, 1.25], []),
    ],
)
def test_rates_go_up_until_one_falls_behind_then_by_halves_to_what_is_carried(
    carried_up_to: float, kept_up_to: float, rates: list[float], best: list[float]
) -> None:
    tried: list[Load] = []
    while (rate := next_rate(tried, PLAN)) is not None:
        tried.append(
            a_load(rate) if rate <= carried_up_to else late(rate) if rate <= kept_up_to else missed(rate)
        )
    assert [load.rate for load in tried] == rates
    assert candidates(tried) == best


def test_below_the_first_rate_it_goes_down_by_halves() -> None:
    assert next_rate([missed(5)], PLAN) == 2.5
    assert next_rate([missed(5), missed(2.5)], PLAN) == 1.25
    assert next_rate([missed(5), missed(2.5), missed(1.25)], PLAN) is None


@pytest.mark.parametrize(
    ("held", "rate"),
    [
        ([], 17.5),
        ([a_load(17.5)], None),
        ([late(17.5)], 5),
        ([late(17.5), a_load(5)], None),
        ([late(17.5), late(5)], None),
    ],
)
def test_where_a_held_rate_fails_it_goes_down_by_half_and_twice_at_most(
    held: list[Load], rate: float | None
) -> None:
    tried = [a_load(2.5), a_load(5), a_load(10), late(20), a_load(15), a_load(17.5)]
    assert next_held(tried, held) == rate


def test_of_what_was_not_carried_nothing_is_held() -> None:
    assert next_held([a_load(10), missed(20)], [late(10)]) is None
    assert next_held([missed(5)], []) is None


def test_the_ladder_of_the_table_reaches_the_goal() -> None:
    assert PLANS[Size.TABLE].rates[-1] >= 500


def test_what_was_held_counts_and_not_what_was_tried() -> None:
    tried = [a_load(5), a_load(10), late(20), missed(40)]
    found = chapter(Climb(tried, [late(10), a_load(5)]), PLAN)
    assert (found.rows[0].values, found.rows[1].values) == ([5], [20])
    assert found.rows[0].is_met is False
    assert [row.what for row in found.rows[2:]] == [
        f"due to {what} at 5 events/s, {quantile}"
        for what in ("rendered", "accepted")
        for quantile in ("p50", "slowest of 40")
    ]
    assert [len(row.values) for row in found.rows[2:]] == [3, 1, 3, 1]


def test_where_nothing_was_held_there_are_no_times() -> None:
    found = chapter(Climb([missed(5)], []), PLAN)
    assert [row.values for row in found.rows] == [[0], [0]]


def test_a_load_is_told_in_a_line_of_its_own() -> None:
    load = a_load(20, refused=5, rejected=2, lost=3)
    assert (load.throughput, load.missing) == (15, 10)
    told = "\n".join(chapter(Climb([load], []), PLAN).details)
    assert "20 a second" in told
    assert "fell behind" in told
    assert "p99 by kind: published 100 ms" in told
    assert "sent: 40 published" in told


def test_a_load_of_which_nothing_was_accepted_is_told_too() -> None:
    load = Load(
        rate=20, seconds=0, through=[], accepted=[], late_seconds=[0.1], refused=20, rejected=0, lost=0
    )
    assert (load.throughput, load.missing) == (0, 20)
    found = chapter(Climb([load], []), PLAN)
    assert "–" in "\n".join(found.details)
    assert [list(series.points) for series in found.plots[0].series] == [[], [], []]
