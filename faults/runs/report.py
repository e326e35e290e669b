"""From runs to what people read: a line as each ends, the report that grows with them, and the table of
`docs/faults.md`.
"""

from __future__ import annotations

import os
import platform
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from faults.history import Violation
from faults.runs.run import Run
from faults.runs.whole import Progress
from newsroom.steps import POINTS

BEGIN, END = "<!-- made by make faults: begin -->", "<!-- end -->"
_WIDTH = 130
_SHOWN = 12
"""So many violations of a run stand in the report; all of them stand in its folder."""


@dataclass(frozen=True)
class Column:
    """A column of the table, and which violations it counts."""

    title: str
    counts: Callable[[Violation], bool]


def _of(check: int, *kinds: str) -> Callable[[Violation], bool]:
    return lambda violation: violation.check == check and (not kinds or violation.kind in kinds)


COLUMNS = (
    Column("lost", _of(1)),
    Column("twice or out of order", _of(2)),
    Column("diverged", _of(3)),
    Column("torn", _of(4, "torn", "")),
    Column("older", _of(4, "older")),
    Column("leaked", _of(4, "leaked")),
    Column("missed", _of(5)),
    Column("early commits", _of(6)),
    Column("not calm", _of(7)),
)


def as_line(run: Run, progress: Progress) -> str:
    """One line for who waits."""
    left = f", about {progress.remaining_seconds / 60:.0f} min left" if progress.done < progress.of else ""
    return f"{progress.done}/{progress.of} {run.fault} {run.seed}: {verdict(run)} ({run.seconds:.0f} s{left})"


def verdict(run: Run) -> str:
    """What is to be said of a run, shortly."""
    if run.lacking:
        return f"not run here: {run.lacking}"
    if run.error:
        return f"BROKEN: {run.error}"
    if run.violations:
        found = [f"{count} {column.title}" for column in COLUMNS if (count := _count(column, [run]))]
        return f"FOUND {', '.join(found)}"
    return f"nothing wrong, calm after {run.calm_seconds or 0:.1f} s"


def as_report(runs: Sequence[Run], faults: Mapping[str, str], about: str) -> str:
    """The whole as Markdown. `faults`: what each does, by name, in the order of the table; `about`: of when
    and what it is.
    """
    found = [run for run in runs if not run.is_clean]
    parts = ["# Faults", about, table(runs, faults)]
    parts += ["## What was found", *map(_findings, found)] if found else ["Nothing was found."]
    return "\n\n".join(parts) + "\n"


def _findings(run: Run) -> str:
    lines = [f"### {run.fault}, seed {run.seed}", "", verdict(run), ""]
    lines += [f"- ({violation.check}) {violation.what}" for violation in run.violations[:_SHOWN]]
    hidden = len(run.violations) - _SHOWN
    return "\n".join([*lines, f"- and {hidden} more"] if hidden > 0 else lines)


def table(runs: Sequence[Run], faults: Mapping[str, str]) -> str:
    """A row for each fault that was run or could not be run here.

    Raises: ValueError at a violation that no column counts, for it would look like a zero.
    """
    for violation in (violation for run in runs for violation in run.violations):
        if not any(column.counts(violation) for column in COLUMNS):
            raise ValueError(f"no column counts {violation}")
    titles = ["fault", "runs", *(column.title for column in COLUMNS), "seconds to calm", "seeds"]
    rows = [_row(name, of) for name in faults if (of := [run for run in runs if run.fault == name])]
    rules = ["---", *["---:"] * (len(titles) - 2), "---"]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (titles, rules, *rows))


def _row(name: str, runs: Sequence[Run]) -> list[str]:
    told = [run for run in runs if run.is_told]
    if not told:
        return [f"`{name}`", "0", *["–"] * len(COLUMNS), "–", runs[0].lacking or "broken"]
    counts = [str(_count(column, told)) for column in COLUMNS]
    seeds = " ".join(str(seed) for seed in sorted(run.seed for run in told))
    number = str(len(told)) if len(told) == len(runs) else f"{len(told)} of {len(runs)}"
    restless = sum(run.calm_seconds is None for run in told)
    number += f", {restless} not judged at rest" if restless else ""
    return [f"`{name}`", number, *counts, _calm(told), seeds]


def _count(column: Column, runs: Sequence[Run]) -> int:
    return sum(column.counts(violation) for run in runs for violation in run.violations)


def _calm(runs: Sequence[Run]) -> str:
    """Median and worst; a run that was never calm stands in a column of its own."""
    seconds = [run.calm_seconds for run in runs if run.calm_seconds is not None]
    return f"{median(seconds):.1f}, at worst {max(seconds):.1f}" if seconds else "never"


def about(runs: Sequence[Run], date: str, commit: str) -> str:
    """Of when, of what and on what machine a table is, in lines that fit a terminal."""
    told = [run for run in runs if run.is_told]
    names = ("operations", "reads", "notices")
    operations, reads, notices = (sum(run.counts.get(name, 0) for run in told) for name in names)
    named = {point for points in POINTS.values() for point in points}
    missed = sorted(named - {point for run in told for point in run.died_at})
    restarts = sum(run.restarts for run in told)
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    text = (
        f"{len(told)} runs of {len({run.fault for run in told})} faults on {date}, at commit "
        f"{commit or 'unknown'}, on {machine}: {operations:,} operations of editors, "
        f"{reads:,} reads, {notices:,} notices on the stream. "
        f"Ended services were started again {restarts:,} times. "
        f"Processes died at {len(named) - len(missed)} of {len(named)} named points"
        f"{', not at ' + ', '.join(missed) if missed else ''}."
    )
    return textwrap.fill(text, _WIDTH)


def put_into(document: Path, text: str) -> None:
    """Replace what stands between the marks of a document. Raises: ValueError without them."""
    before, begin, rest = document.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{document} has no place for the table: {BEGIN} … {END}")
    document.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")
