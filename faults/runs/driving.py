"""`make faults` from its options to its exit code: the jobs, the ledger, the report that grows, the table."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from desk.parts.home import SOURCE
from faults import catalogue
from faults.fault import Fault
from faults.runs import report
from faults.runs.apart import run_apart
from faults.runs.run import Ledger, Run, fingerprint, revision
from faults.runs.schedule import Job, schedule
from faults.runs.whole import Progress, Whole

ROOM = SOURCE / ".newsroom" / "faults"
REPORT, LEDGER = ROOM / "report.md", ROOM / "runs.jsonl"
DOCUMENT = SOURCE / "docs" / "faults.md"
TABLE_RUNS = 3
"""Of each fault, before a table goes into the document."""
INTERRUPTED = 130


@dataclass(frozen=True)
class Wanted:
    """What is to be run. `seed` stands in the place of the recorded ones; `options` go to each run."""

    faults: Sequence[Fault]
    runs: int
    at_once: int
    seed: int | None = None
    is_whole: bool = False
    is_fresh: bool = False
    options: Sequence[str] = field(default_factory=tuple)

    def jobs(self) -> list[Job]:
        if self.seed is not None:
            return [Job(fault.name, self.seed) for fault in self.faults]
        return schedule([fault.name for fault in self.faults], self.runs)


async def drive(wanted: Wanted) -> int:
    """Run it all. Returns the exit code: 0 if nothing was found, 1 if something was, 130 if interrupted."""
    whole = Whole(
        wanted.jobs(),
        Ledger(LEDGER),
        " ".join([fingerprint(SOURCE), *wanted.options]),
        run=lambda job, place: _run(job, place, wanted),
        told=lambda run, progress: _told(run, progress, whole),
        is_fresh=wanted.is_fresh or wanted.seed is not None,
    )
    try:
        with _interruptible():
            await whole.go(wanted.at_once)
    except asyncio.CancelledError:
        say(f"interrupted; the same command goes on from here. So far: {REPORT}")
        return INTERRUPTED
    _write(whole.done)
    broken = sum(bool(run.error) for run in whole.done)
    if broken:
        say(f"{broken} runs broke, and tell nothing: no table is written from the others")
    elif wanted.is_whole and wanted.runs >= TABLE_RUNS:
        report.put_into(DOCUMENT, _about_and_table(whole.done))
        say(f"the table is in {DOCUMENT.relative_to(SOURCE)}")
    say(f"the report: {REPORT}")
    return 0 if all(run.is_clean for run in whole.done) else 1


async def _run(job: Job, place: int, wanted: Wanted) -> Run:
    """What tells nothing wrong leaves nothing behind."""
    folder = ROOM / job.name
    run = await run_apart(job, folder, [*wanted.options, "--share", f"{place}/{wanted.at_once}"])
    if run.is_clean:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    return run


def _told(run: Run, progress: Progress, whole: Whole) -> None:
    say(report.as_line(run, progress))
    _write(whole.done)


def _write(runs: Sequence[Run]) -> None:
    """At once or not at all: somebody may be reading."""
    text = report.as_report(runs, _described(), _about(runs))
    fresh = REPORT.with_suffix(".new")
    fresh.parent.mkdir(parents=True, exist_ok=True)
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(REPORT)


def _about_and_table(runs: Sequence[Run]) -> str:
    return f"{_about(runs)}\n\n{report.table(runs, _described())}"


def _about(runs: Sequence[Run]) -> str:
    return report.about(runs, f"{datetime.now(UTC):%-d %B %Y}", revision(SOURCE))


def _described() -> dict[str, str]:
    return {fault.name: fault.what for fault in (*catalogue.HIDDEN, *catalogue.ALL)}


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C and SIGTERM cancel what runs in the block, so that each run takes its servers with it."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        if task is not None:
            loop.add_signal_handler(number, task.cancel)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def say(line: str) -> None:
    """Tell who waits."""
    print(f"faults: {line}", file=sys.stderr, flush=True)
