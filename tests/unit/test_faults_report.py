"""What people read of the experiment: lines, the growing report, the table of the document."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from faults.history import Violation
from faults.runs import report
from faults.runs.run import Run
from faults.runs.whole import Progress
from newsroom.steps import POINTS

FAULTS = {"kafka-killed": "Kafka is killed.", "clock-steps": "Clocks step."}


def a_run(fault: str = "kafka-killed", seed: int = 1, **changes: Any) -> Run:
    return replace(Run(fault, seed, calm_seconds=4.0, seconds=50.0), **changes)


def cells(table: str, fault: str) -> list[str]:
    row = next(line for line in table.splitlines() if f"`{fault}`" in line)
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_a_row_sums_up_the_runs_of_a_fault() -> None:
    table = report.table([a_run(seed=7, calm_seconds=2.0), a_run(seed=3, calm_seconds=9.0)], FAULTS)
    assert cells(table, "kafka-killed") == [
        "`kafka-killed`", "2", *["0"] * len(report.COLUMNS), "5.5, at worst 9.0", "3 7"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("violation", "title"),
    [
        (Violation(1, "lost"), "lost"),
        (Violation(2, "twice"), "twice or out of order"),
        (Violation(3, "differs"), "diverged"),
        (Violation(4, "half", "torn"), "torn"),
        (Violation(4, "back", "older"), "older"),
        (Violation(4, "seen", "leaked"), "leaked"),
        (Violation(5, "untold"), "missed"),
        (Violation(6, "early"), "early commits"),
        (Violation(7, "never"), "not calm"),
    ],
)
def test_each_violation_counts_in_one_column_alone(violation: Violation, title: str) -> None:
    row = cells(report.table([a_run(violations=(violation,))], FAULTS), "kafka-killed")
    counted = dict(zip((column.title for column in report.COLUMNS), row[2:-2], strict=True))
    assert counted == {column.title: str(int(column.title == title)) for column in report.COLUMNS}


def test_a_violation_of_an_unknown_kind_is_counted_nowhere_silently() -> None:
    """A check that names a kind of which no column knows must not look like a zero."""
    with pytest.raises(ValueError, match="column"):
        report.table([a_run(violations=(Violation(4, "odd", "odd"),))], FAULTS)


def test_a_fault_that_this_machine_cannot_have_says_so_in_its_row() -> None:
    row = cells(report.table([a_run(lacking="no root", calm_seconds=None)], FAULTS), "kafka-killed")
    assert row[1] == "0"
    assert row[-1] == "no root"


def test_a_broken_run_is_no_run_with_zeros() -> None:
    table = report.table([a_run(error="it fell"), a_run(seed=2)], FAULTS)
    assert cells(table, "kafka-killed")[1] == "1 of 2"


def test_a_run_that_never_became_calm_does_not_pass_for_one_that_was_judged_at_rest() -> None:
    table = report.table(
        [a_run(violations=(Violation(7, "never"),), calm_seconds=None), a_run(seed=2)], FAULTS
    )
    assert cells(table, "kafka-killed")[1] == "2, 1 not judged at rest"


def test_rows_stand_in_the_order_of_the_catalogue_and_only_for_what_was_run() -> None:
    both = report.table([a_run("clock-steps"), a_run("kafka-killed")], FAULTS)
    assert both.index("kafka-killed") < both.index("clock-steps")
    assert "clock-steps" not in report.table([a_run("kafka-killed")], FAULTS)


def test_the_report_tells_what_was_found_with_its_seed() -> None:
    run = a_run(seed=42, violations=tuple(Violation(1, f"lost {number}") for number in range(20)))
    text = report.as_report([a_run(), run], FAULTS, "Today.")
    assert "### kafka-killed, seed 42" in text
    assert "- (1) lost 0" in text
    assert "lost 19" not in text
    assert "and 8 more" in text


def test_a_report_without_findings_says_that() -> None:
    assert "Nothing was found." in report.as_report([a_run()], FAULTS, "Today.")


def test_a_report_does_not_say_that_nothing_was_found_of_a_broken_run() -> None:
    text = report.as_report([a_run(error="the machine fell")], FAULTS, "Today.")
    assert "Nothing was found." not in text
    assert "the machine fell" in text


def test_a_line_tells_the_verdict_and_what_is_left() -> None:
    line = report.as_line(a_run(seed=5), Progress(3, 9, 120.0))
    assert line == "3/9 kafka-killed 5: nothing wrong, calm after 4.0 s (50 s, about 2 min left)"


def test_the_last_line_tells_of_nothing_left() -> None:
    assert report.as_line(a_run(), Progress(9, 9, 0.0)).endswith("(50 s)")


def test_a_verdict_names_what_was_found() -> None:
    run = a_run(violations=(Violation(4, "a", "torn"), Violation(4, "b", "torn"), Violation(6, "c")))
    assert report.verdict(run) == "FOUND 2 torn, 1 early commits"


def test_about_counts_what_was_done_in_runs_that_tell_something() -> None:
    counts = {"operations": 1_500, "reads": 10, "notices": 2}
    points = sorted({point for points in POINTS.values() for point in points} - {"store.batch_taken"})
    runs = [a_run(counts=counts, died_at=tuple(points), restarts=7), a_run(error="x", counts=counts)]
    told = report.about(runs, "1 May 2026", "abc1234")
    assert "1 runs of 1 faults on 1 May 2026, at commit abc1234" in told
    assert "1,500 operations" in told
    assert "died at 17 of 18 named points, not at store.batch_taken." in " ".join(told.split())
    assert "started again 7 times" in told


def test_a_document_gets_the_table_between_its_marks(tmp_path: Path) -> None:
    document = tmp_path / "faults.md"
    document.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.put_into(document, "new")
    report.put_into(document, "newer")
    assert document.read_text() == f"before\n{report.BEGIN}\n\nnewer\n\n{report.END}\nafter\n"


def test_a_document_without_marks_is_left_alone(tmp_path: Path) -> None:
    document = tmp_path / "faults.md"
    document.write_text("mine")
    with pytest.raises(ValueError, match="no place"):
        report.put_into(document, "new")
    assert document.read_text() == "mine"
