"""A run in a process of its own, so that whatever becomes of one harms no other.

The process writes what it found into its folder; what it says goes to a log there. Should it say nothing
for too long or die, that is what the run tells.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from desk.parts import leash
from desk.parts.home import SOURCE
from faults.runs.run import Run, from_json
from faults.runs.schedule import Job
from faults.stage.rooms import unmount_below

RESULT = "run.json"
LOG = "run.log"
PATIENCE_SECONDS = 600.0
"""For a whole run: longer than the slowest fault, its calm, a rebuild and a replay on a busy machine."""
STOP_SECONDS = 20.0
"""For a run that was told to stop, before it is killed."""
_TOLD = 400


async def run_apart(job: Job, folder: Path, options: Sequence[str] = ()) -> Run:
    """Run it in `folder`, which is made anew. When cancelled it stops the process in order."""
    make_anew(folder)
    with (folder / LOG).open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *_command(job, folder, options), cwd=SOURCE, stdout=log, stderr=log, start_new_session=True
        )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            code = await process.wait()
    except TimeoutError:
        return Run(job.fault, job.seed, error=f"not over after {PATIENCE_SECONDS:.0f} s: {last_line(folder)}")
    finally:
        await _stop(process)
    if (folder / RESULT).exists():
        return from_json((folder / RESULT).read_text(encoding="utf-8"))
    return Run(job.fault, job.seed, error=f"ended with {code}: {last_line(folder)}")


def make_anew(folder: Path) -> None:
    """An empty folder, whatever stood there, and was mounted there by a run that was killed."""
    unmount_below(folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _command(job: Job, folder: Path, options: Sequence[str]) -> list[str]:
    python = sys.executable
    leashed = [python, leash.__file__, str(os.getpid()), python, "-m", "faults"]
    return [*leashed, "--one", job.fault, "--seed", str(job.seed), "--folder", str(folder), *options]


async def _stop(process: asyncio.subprocess.Process) -> None:
    """First as Ctrl-C does, so that it takes its servers and mounts with it."""
    for number in (signal.SIGINT, signal.SIGKILL):
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(process.wait()), STOP_SECONDS)


def last_line(folder: Path) -> str:
    """What its log said last."""
    lines = (folder / LOG).read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip()[:_TOLD] for line in reversed(lines) if line.strip()), "it said nothing")
