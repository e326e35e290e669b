"""What the benchmark prints: one table, ratios first, then the details of each chapter."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bench.report import as_json, as_text, lines, number
from bench.table import Chapter, Goal, Row

SPEED = Chapter(
    name="speed",
    title="How fast it is",
    how="by turns " * 30,
    rows=[
        Row("a page", [3.0, 2.0, 7.0], "x floor", Goal(2)),
        Row("a page", [30.0], "ms"),
    ],
    details=["  as it is    ms"],
)
LOAD = Chapter(
    name="load",
    title="How much it carries",
    how="in open load",
    rows=[Row("carried", [600.0], "events/s", Goal(500, is_most=False)), Row("late", [1.0], "x first")],
)
SKIPPED = Chapter("peer", "A peer", "", skipped="no peer: apt-get install peer")
FAILED = Chapter("door", "The door", "", failed="Broken: it is shut")


def test_ratios_come_first_whatever_their_chapter() -> None:
    found = lines([("speed", SPEED), ("load", LOAD)])
    assert [line.cells for line in found] == [
        ("speed", "a page", "3 (2 to 7) x floor", "≤ 2", "MISSED"),
        ("load", "late", "1 x first", "", ""),
        ("speed", "a page", "30 ms", "", ""),
        ("load", "carried", "600 events/s", "≥ 500", "met"),
    ]


def test_what_has_no_figures_is_told_in_the_table() -> None:
    found = lines([("peer", SKIPPED), ("speed", SPEED), ("door", FAILED)])
    assert [(line.measure, line.what, line.verdict) for line in found[-2:]] == [
        ("peer", "skipped: no peer: apt-get install peer", ""),
        ("door", "Broken: it is shut", "FAILED"),
    ]


def test_the_table_is_printed_before_all_details() -> None:
    told = as_text([SPEED, LOAD, SKIPPED]).splitlines()
    table = told[: told.index("")]
    assert len(table) == 6
    assert len({line.index("  ≤") for line in table if "≤" in line}) == 1
    assert "  as it is    ms" in told
    assert (
        told.index("== speed: How fast it is") < told.index("  as it is    ms") < told.index("in open load")
    )


def test_how_is_printed_also_where_a_part_was_skipped() -> None:
    told = as_text([replace(LOAD, skipped="the comparison: apt-get install peer")])
    assert "in open load\nthe comparison: apt-get install peer" in told


def test_what_is_printed_fits_a_terminal() -> None:
    assert max(map(len, as_text([SPEED, LOAD]).splitlines())) <= 110


@pytest.mark.parametrize(
    ("value", "told"),
    [(0, "0"), (0.05, "0.05"), (1.234, "1.23"), (12.34, "12.3"), (123.4, "123"), (20_000, "20,000")],
)
def test_a_number_is_told_in_about_three_figures(value: float, told: str) -> None:
    assert number(value) == told


def test_the_report_is_json() -> None:
    found = json.loads(json.dumps(as_json([SPEED, SKIPPED])))
    speed, skipped = found["chapters"]
    assert (speed["rows"][0]["value"], speed["rows"][0]["is_met"]) == (3, False)
    assert (speed["rows"][1]["goal"], speed["rows"][1]["is_met"]) == (None, None)
    assert speed["rows"][0]["goal"] == {"bound": 2, "is_most": True}
    assert skipped["skipped"] == SKIPPED.skipped
