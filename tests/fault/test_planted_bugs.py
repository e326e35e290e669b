"""The checker can fail: newsrooms with a bug each, planted on purpose, are run under load, and the bug is
found by a check that is for it.

With every run of the tests ten, with some for each check; `NEWSROOM_TEST_ALL_BUGS=1 make test` and this file
as ARGS plant them all.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from faults.bugs.planted import BUGS
from faults.runs.apart import run_apart
from faults.runs.run import Run
from faults.runs.schedule import Job, seed_of

TRIES = 3
"""For what only a race shows."""
PATIENCE = ["--patience", "240"]
"""A machine that runs tests is busy, and late is not the same as never."""
PATIENCE_WITH_THE_RESTLESS = ["--patience", "120"]
"""For bugs that hinder calm, which take all of it."""

USUAL = (
    "acceptance-before-the-log",
    "lost-duplicate-check",
    "embargo-skipped",
    "torn-write",
    "time-of-the-clock",
    "stale-write",
    "page-after-notice",
    "notice-dropped",
    "early-commit",
    "never-resumes",
)
ASKED = tuple(BUGS) if os.environ.get("NEWSROOM_TEST_ALL_BUGS") else USUAL

pytestmark = [pytest.mark.real, pytest.mark.timeout(1800)]


async def find(name: str, folder: Path, apart: list[str]) -> Run:
    """The first run that finds the bug, else the last."""
    bug = BUGS[name]
    options = ["--bug", name, *apart]
    options += [] if bug.is_thorough else ["--quick"]
    options += PATIENCE_WITH_THE_RESTLESS if 7 in bug.checks else PATIENCE
    for number in range(1, TRIES + 1):
        run = await run_apart(Job(bug.fault, seed_of(name, number)), folder / str(number), options)
        if is_found(name, run):
            break
    return run


def is_found(name: str, run: Run) -> bool:
    return any(violation.check in BUGS[name].checks for violation in run.violations)


def test_for_each_check_some_bug_is_planted_that_no_other_check_may_find() -> None:
    assert {check for name in USUAL if len(BUGS[name].checks) == 1 for check in BUGS[name].checks} == set(
        range(1, 8)
    )


@pytest.mark.parametrize("name", ASKED)
async def test_a_planted_bug_is_found(name: str, tmp_path: Path, apart: list[str]) -> None:
    run = await find(name, tmp_path, apart)
    assert not run.error
    assert is_found(name, run), f"{BUGS[name].what} Only this was found: {run.violations}"
