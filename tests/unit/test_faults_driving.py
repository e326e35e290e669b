"""`make faults` from its options to its exit code, on runs that end at once."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from faults import catalogue
from faults.__main__ import main
from faults.history import Violation
from faults.runs import driving, report
from faults.runs.apart import make_anew
from faults.runs.driving import INTERRUPTED, Wanted, drive
from faults.runs.run import Run
from faults.runs.schedule import Job, seed_of

TWO = catalogue.ALL[:2]
FIRST = TWO[0].name


class Apart:
    """Stands in for processes: notes what was asked for, finds what it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[Job, list[str]]] = []
        self.finds: dict[str, Any] = {}
        self.hangs = False

    async def __call__(self, job: Job, folder: Path, options: Sequence[str]) -> Run:
        make_anew(folder)
        self.asked.append((job, list(options)))
        if self.hangs:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.Event().wait()
        return Run(job.fault, job.seed, **({"calm_seconds": 1.0} | self.finds))


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Apart:
    stand_in = Apart()
    document = tmp_path / "faults.md"
    document.write_text(f"# Faults\n\n{report.BEGIN}\n{report.END}\n")
    for name, value in {
        "ROOM": tmp_path / "room",
        "REPORT": tmp_path / "room" / "report.md",
        "LEDGER": tmp_path / "room" / "runs.jsonl",
        "DOCUMENT": document,
        "SOURCE": tmp_path,
        "run_apart": stand_in,
    }.items():
        monkeypatch.setattr(driving, name, value)
    return stand_in


def wanted(**changes: Any) -> Wanted:
    return replace(Wanted(faults=TWO, runs=3, at_once=2), **changes)


async def test_every_fault_is_run_so_often_and_the_report_tells_all(apart: Apart, tmp_path: Path) -> None:
    assert await drive(wanted()) == 0
    assert len(apart.asked) == 6
    told = (tmp_path / "room" / "report.md").read_text()
    assert all(f"`{fault.name}`" in told for fault in TWO)
    assert "Nothing was found." in told


async def test_what_is_found_makes_the_exit_code_and_keeps_the_folder(apart: Apart, tmp_path: Path) -> None:
    apart.finds = {"violations": (Violation(1, "an event is lost"),)}
    assert await drive(wanted(runs=1)) == 1
    assert (tmp_path / "room" / f"{FIRST}-{seed_of(FIRST, 1)}").exists()
    assert "an event is lost" in (tmp_path / "room" / "report.md").read_text()


async def test_a_broken_run_is_no_success(apart: Apart) -> None:
    apart.finds = {"error": "it fell"}
    assert await drive(wanted(runs=1)) == 1


async def test_no_table_is_written_from_the_runs_beside_a_broken_one(apart: Apart, tmp_path: Path) -> None:
    apart.finds = {"error": "it fell"}
    empty = (tmp_path / "faults.md").read_text()
    await drive(wanted(is_whole=True))
    assert (tmp_path / "faults.md").read_text() == empty


async def test_what_a_machine_lacks_is_no_failure(apart: Apart) -> None:
    apart.finds = {"lacking": "needs root", "calm_seconds": None}
    assert await drive(wanted(runs=1)) == 0


async def test_a_run_with_nothing_wrong_leaves_nothing_behind(apart: Apart, tmp_path: Path) -> None:
    await drive(wanted(runs=1))
    assert sorted(path.name for path in (tmp_path / "room").iterdir()) == ["report.md", "runs.jsonl"]


async def test_the_same_call_again_runs_nothing_anew(apart: Apart) -> None:
    await drive(wanted())
    assert await drive(wanted()) == 0
    assert len(apart.asked) == 6


async def test_a_seed_is_run_as_often_as_it_is_asked_for(apart: Apart) -> None:
    for _ in range(2):
        await drive(wanted(faults=TWO[:1], seed=4711))
    assert [job for job, _ in apart.asked] == [Job(FIRST, 4711)] * 2


async def test_runs_with_other_options_are_other_runs(apart: Apart) -> None:
    """A run with a planted bug says nothing of the code without it."""
    await drive(wanted(faults=TWO[:1], runs=1, options=["--bug", "x"]))
    await drive(wanted(faults=TWO[:1], runs=1))
    assert [options[:2] for _, options in apart.asked] == [["--bug", "x"], ["--share", "0/2"]]


async def test_only_a_whole_with_runs_enough_goes_into_the_document(apart: Apart, tmp_path: Path) -> None:
    document = tmp_path / "faults.md"
    empty = document.read_text()
    await drive(wanted())
    await drive(wanted(runs=2, is_whole=True))
    assert document.read_text() == empty
    await drive(wanted(is_whole=True))
    assert f"| `{FIRST}` | 3 |" in document.read_text()


async def test_ctrl_c_stops_in_order_and_what_was_done_is_kept(apart: Apart) -> None:
    await drive(wanted(runs=1))
    apart.hangs = True
    assert await drive(wanted(runs=2)) == INTERRUPTED
    apart.hangs = False
    assert await drive(wanted(runs=2)) == 0
    assert len(apart.asked) == 2 + 2 + 2


@pytest.fixture(autouse=True)
def _logs_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is configured holds for all tests of this process."""
    monkeypatch.setattr("faults.__main__.configure_logging", lambda **_: None)


def test_an_unknown_fault_is_one_line_that_says_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--fault", "no-such-fault"]) == 2
    told = capsys.readouterr().err
    assert "no-such-fault" in told
    assert FIRST in told
    assert len(told.splitlines()) == 1


def test_the_list_tells_each_fault_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        fault.name for fault in catalogue.ALL
    ]


def test_names_of_faults_are_their_own() -> None:
    """A second one of the same name could not be run, and its runs would count for the first."""
    names = [fault.name for fault in (*catalogue.HIDDEN, *catalogue.ALL)]
    assert len(names) == len(set(names))
    assert all(catalogue.named(name).name == name for name in names)
