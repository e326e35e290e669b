"""`python -m bench`: measures the newsroom beside its floor and its peers, and prints one table.

Leaves with 0 when everything was measured or skipped, whether goals are met or not; with 1 when a measure
failed; with 130 after Ctrl-C, having printed what was found by then.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from bench import document
from bench.findings import Finding
from bench.machine import Machine, commit_of, this_machine
from bench.measures import MEASURES, Entry
from bench.report import as_json, as_text
from bench.table import Chapter, Size, Stand
from desk.parts.home import SOURCE, Home
from newsroom.telemetry import configure_logging
from newsroom.times import now

INTERRUPTED = 130
WORK = Home(SOURCE / ".newsroom").root / "bench"
"""Not in the system's temporary folder, which may be memory, where a flush costs nothing."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write if wanted. Returns the exit code."""
    parser = _parser()
    wanted = parser.parse_args(arguments)
    size = Size(wanted.size)
    if wanted.list:
        print("\n".join(f"{entry.name:<12}{entry.what}" for entry in MEASURES))
        return 0
    if wanted.write and size is Size.SMOKE:
        parser.error("a smoke run only shows that it runs: nothing of it is kept (leave --write out)")
    configure_logging(service="bench", level="error", format="console")
    found: list[Finding] = []
    code = 0
    try:
        with a_folder(WORK) as folder:
            measure(chosen(MEASURES, wanted.only, size), size, found, folder)
    except KeyboardInterrupt:
        code = INTERRUPTED
    _tell(found, as_machine_reads=wanted.json)
    if wanted.write and found:
        document.written(document.DOCS, found)
    return code or int(any(finding.chapter.failed for finding in found))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="The newsroom beside the floor of its own parts, and its peers."
    )
    parser.add_argument("--only", type=_names, help="measures by name, with commas between them")
    parser.add_argument(
        "--size",
        choices=[size.value for size in Size],
        default=Size.TABLE.value,
        help="smoke: see that it runs; table: every measure (default); long: what takes longer",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for scripts")
    parser.add_argument("--write", action="store_true", help="keep it, and write docs/benchmarks.md")
    parser.add_argument("--list", action="store_true", help="tell what is measured, and stop")
    return parser


def _names(told: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in told.split(","))
    known = [entry.name for entry in MEASURES]
    if unknown := [name for name in names if name not in known]:
        raise argparse.ArgumentTypeError(f"no measure is called {unknown[0]!r}; there are {', '.join(known)}")
    return names


def chosen(entries: Sequence[Entry], only: Sequence[str] | None, size: Size) -> list[Entry]:
    """Those that are named; else all, or of the long ones those that have such rows."""
    if only is not None:
        return [entry for entry in entries if entry.name in only]
    return [entry for entry in entries if entry.has_long or size is not Size.LONG]


@contextmanager
def a_folder(work: Path) -> Iterator[Path]:
    """One for a whole run, removed at its end and not before: on some file systems new files come slowly for
    minutes after many were deleted, so no measure is to follow upon that. What a killed run left then goes
    as well.
    """
    work.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(
        prefix=f"{os.getpid()}-", dir=work, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)
    for left in work.iterdir():
        process = left.name.partition("-")[0]
        if not (process.isdecimal() and psutil.pid_exists(int(process))):
            shutil.rmtree(left, ignore_errors=True)


def measure(entries: Sequence[Entry], size: Size, found: list[Finding], folder: Path) -> None:
    """One after another, what each found at the end of the list, so that it is there after Ctrl-C. One that
    fails is told as such, and the next one goes on. What it has written is flushed before that.
    """
    begun, run = time.monotonic(), _Run(size, folder, this_machine(folder), commit_of(SOURCE))
    for entry in entries:
        say = _sayer(entry.name, begun)
        say(entry.what)
        finding = _finding(entry, run, say)
        found.append(finding)
        os.sync()
        say(f"done in {finding.seconds:.0f} s")


@dataclass(frozen=True)
class _Run:
    size: Size
    folder: Path
    machine: Machine
    commit: str


def _finding(entry: Entry, run: _Run, say: Callable[[str], None]) -> Finding:
    day, begun = now().date(), time.monotonic()
    folder = run.folder / entry.name
    folder.mkdir()
    chapter = _chapter(entry, Stand(folder, Home(SOURCE / ".newsroom").parts, say, run.size))
    seconds = time.monotonic() - begun
    return Finding(chapter, run.size, day, seconds, run.machine, commit=run.commit)


def _chapter(entry: Entry, stand: Stand) -> Chapter:
    try:
        return replace(entry.measure(stand), name=entry.name)
    except Exception as error:  # noqa: BLE001  (whatever it is, the others are still to be measured)
        traceback.print_exc()
        return Chapter(entry.name, entry.what, how="", failed=_in_a_line(error))


def _in_a_line(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return " ".join(f"{type(error).__name__}: {error}".split())[:500]


def _tell(found: Sequence[Finding], *, as_machine_reads: bool) -> None:
    chapters = [finding.chapter for finding in found]
    if as_machine_reads:
        print(json.dumps(as_json(chapters), indent=2))
    elif chapters:
        print(as_text(chapters))


def _sayer(name: str, begun: float) -> Callable[[str], None]:
    """Tells how far it is, beside the results, with the time since the run began."""

    def say(line: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - begun), 60)
        print(f"bench {minutes:02}:{seconds:02} {name}: {line}", file=sys.stderr, flush=True)

    return say


if __name__ == "__main__":
    sys.exit(main())
