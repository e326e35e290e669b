"""`python -m faults`: breaks a newsroom in every way of the catalogue, and tells whether its promises held.

Each run is a process of its own (`--one`), a few at a time. The report grows beside it; a whole that was
interrupted goes on where it stopped. Leaves with 1 if anything was found or a run broke.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from desk.parts.home import SOURCE, Home
from desk.parts.ports import keep_to_share
from faults import catalogue
from faults.fault import Fault
from faults.runs.apart import RESULT
from faults.runs.driving import TABLE_RUNS, Wanted, drive, say
from faults.runs.report import verdict
from faults.runs.run import Run, as_json
from faults.runs.runner import CALM_SECONDS, Course, run_once
from newsroom.telemetry import configure_logging


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for. Returns the exit code."""
    asked = _parser().parse_args(arguments)
    configure_logging(service="faults", level="error", format="console")
    try:
        if asked.list:
            print("\n".join(f"{fault.name:34} {fault.what}" for fault in catalogue.ALL))
            return 0
        return asyncio.run(_one(asked) if asked.one else drive(_wanted(asked)))
    except catalogue.Unknown as error:
        print(f"faults: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m faults", description="Break it, and look what held.")
    parser.add_argument("--list", action="store_true", help="tell the faults")
    parser.add_argument("--fault", default="", help="names, with commas between them (default: all)")
    parser.add_argument("--seed", type=int, help="one run from this seed instead of the recorded ones")
    parser.add_argument("--runs", type=int, default=TABLE_RUNS, help=f"of each fault (default: {TABLE_RUNS})")
    parser.add_argument("--jobs", type=int, default=3, help="runs at a time (default: 3)")
    parser.add_argument("--fresh", action="store_true", help="also what was run before of the same code")
    parser.add_argument("--quick", action="store_true", help="without a rebuild and a replay at the end")
    wait = f"seconds for calm (default: {CALM_SECONDS:.0f}, which is promised)"
    parser.add_argument("--patience", type=float, default=CALM_SECONDS, help=wait)
    parser.add_argument("--bug", help="with a planted bug (faults.bugs.planted), which is to be found")
    parser.add_argument("--one", metavar="FAULT", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--jars", type=Path, default=Home(SOURCE / ".newsroom").parts, help="Kafka's")
    parser.add_argument("--share", default="0/1", help=argparse.SUPPRESS)
    return parser


def _wanted(asked: argparse.Namespace) -> Wanted:
    names = [name for name in asked.fault.split(",") if name]
    options = [*(["--quick"] if asked.quick else []), *(["--bug", asked.bug] if asked.bug else [])]
    if asked.patience != CALM_SECONDS:
        options += ["--patience", str(asked.patience)]
    return Wanted(
        faults=[catalogue.named(name) for name in names] or list(catalogue.ALL),
        is_whole=not names and asked.seed is None and not options,
        seed=asked.seed,
        runs=asked.runs,
        at_once=asked.jobs,
        is_fresh=asked.fresh,
        options=options,
    )


async def _one(asked: argparse.Namespace) -> int:
    """A run in this process; what it found goes into its folder."""
    number, shares = asked.share.split("/")
    keep_to_share(int(number), int(shares))
    fault = _planted(catalogue.named(asked.one), asked.bug)
    course = Course(is_thorough=not asked.quick, calm_seconds=asked.patience)
    begun = time.monotonic()

    def note(line: str) -> None:
        say(f"{time.monotonic() - begun:5.1f} s  {line}")

    try:
        found = await run_once(fault, asked.seed, asked.folder, asked.jars, course, note)
        note(verdict(found))
    except Exception as error:  # noqa: BLE001  (whatever broke the run is told as what the run came to)
        traceback.print_exc()
        found = Run(fault.name, asked.seed, error=_in_words(error))
    (asked.folder / RESULT).write_text(as_json(found), encoding="utf-8")
    return 0


def _in_words(error: BaseException) -> str:
    """Of a group of errors the first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


def _planted(fault: Fault, bug: str | None) -> Fault:
    return dataclasses.replace(fault, plan=dataclasses.replace(fault.plan, bug=bug))


if __name__ == "__main__":
    sys.exit(main())
