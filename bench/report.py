"""From chapters to what is printed: one table, ratios first, then the details of each chapter."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.table import Chapter, Row

HEADINGS = ("measure", "what", "median (lowest to highest)", "goal", "")
_WIDTH = 110


@dataclass(frozen=True)
class Line:
    """A line of the table, in the order of its headings."""

    measure: str
    what: str
    value: str = ""
    goal: str = ""
    verdict: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        return self.measure, self.what, self.value, self.goal, self.verdict


def as_text(chapters: Sequence[Chapter]) -> str:
    """For people."""
    named = [(chapter.name, chapter) for chapter in chapters]
    parts = [_aligned(lines(named)), *(_details(chapter) for chapter in chapters)]
    return "\n\n".join("\n".join(part) for part in parts)


def as_json(chapters: Sequence[Chapter]) -> dict[str, Any]:
    """For scripts: the chapters with the median of each row, and whether its goal is met."""
    return {"chapters": [_as_json(chapter) for chapter in chapters]}


def _as_json(chapter: Chapter) -> dict[str, Any]:
    rows = [{**asdict(row), "value": row.value, "is_met": row.is_met} for row in chapter.rows]
    return {**asdict(chapter), "rows": rows}


def lines(chapters: Iterable[tuple[str, Chapter]]) -> list[Line]:
    """The table of chapters and what each is called in it: ratios, other figures, what has none."""
    named = list(chapters)
    rows = [(name, row) for name, chapter in named for row in chapter.rows]
    return [
        *(_line(name, row) for name, row in rows if row.is_ratio),
        *(_line(name, row) for name, row in rows if not row.is_ratio),
        *(Line(name, f"skipped: {chapter.skipped}") for name, chapter in named if chapter.skipped),
        *(Line(name, chapter.failed, verdict="FAILED") for name, chapter in named if chapter.failed),
    ]


def _line(name: str, row: Row) -> Line:
    verdict: Mapping[bool | None, str] = {None: "", True: "met", False: "MISSED"}
    goal = f"{'≤' if row.goal.is_most else '≥'} {row.goal.bound:,.10g}" if row.goal else ""
    return Line(name, row.what, f"{_spread(row)} {row.unit}", goal, verdict[row.is_met])


def _spread(row: Row) -> str:
    middle, lowest, highest = (number(value) for value in (row.value, min(row.values), max(row.values)))
    return middle if lowest == highest else f"{middle} ({lowest} to {highest})"


def number(value: float) -> str:
    """Three figures, or all those before the point."""
    if value == round(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _aligned(table: Sequence[Line]) -> list[str]:
    rows = [HEADINGS, *(line.cells for line in table)]
    widths = [max(len(row[column]) for row in rows if _is_whole(row)) for column in range(len(HEADINGS))]
    return [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _is_whole(row: Sequence[str]) -> bool:
    """A line that only says why there is nothing does not widen the columns."""
    return bool(row[2])


def _details(chapter: Chapter) -> list[str]:
    return [
        f"== {chapter.name}: {chapter.title}",
        *(
            line
            for said in (chapter.how, chapter.skipped, chapter.failed)
            for line in textwrap.wrap(said, _WIDTH, break_long_words=False, break_on_hyphens=False)
        ),
        *(["", *chapter.details] if chapter.details else []),
    ]
