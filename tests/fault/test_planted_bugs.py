"""The checker can fail: newsrooms with a bug each, planted on purpose, are run under load, and the bug is
found by a check that is for it.

With every run of the tests ten, with some for each check; `NEWSROOM_TEST_ALL_BUGS=1 make test` and this file
as ARGS plant them all.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import pytest

from faults.bugs.planted import BUGS
from faults.runs.apart import run_apart
from faults.runs.run import Run
from faults.runs.schedule import Job, seed_of

AT_ONCE = 2
"""A run mostly waits."""
TRIES = 3
"""For what only a race shows."""
PATIENCE = ["--patience", "240"]
"""A machine that runs tests is busy: how soon it is calm is asked of the bug alone that hinders calm."""

USUAL = (
    "acceptance-before-the-log",
    "lost-duplicate-check",
    "embargo-skipped",
    "torn-write",
    "stale-sibling",
    "stale-write",
    "page-after-notice",
    "notice-dropped",
    "early-commit",
    "never-resumes",
)
ASKED = tuple(BUGS) if os.environ.get("NEWSROOM_TEST_ALL_BUGS") else USUAL

pytestmark = [pytest.mark.real, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, parts_home: Path
) -> Iterator[dict[str, Future[Run]]]:
    """The runs of all bugs whose tests are asked for, begun in the order of the tests."""
    here = [item for item in request.session.items if item.path == request.path]
    asked = [spec.params["name"] for item in here if (spec := getattr(item, "callspec", None))]
    places = SimpleQueue[int]()
    for place in range(AT_ONCE):
        places.put(place)
    with ThreadPoolExecutor(AT_ONCE, "planted") as pool:
        yield {
            name: pool.submit(find, name, tmp_path_factory.mktemp(name), parts_home, places) for name in asked
        }
        pool.shutdown(cancel_futures=True)


def find(name: str, folder: Path, jars: Path, places: SimpleQueue[int]) -> Run:
    """The first run that finds the bug, else the last."""
    bug, place = BUGS[name], places.get()
    options = ["--bug", name, "--share", f"{place}/{AT_ONCE}", "--jars", str(jars)]
    options += [] if bug.is_thorough else ["--quick"]
    options += [] if 7 in bug.checks else PATIENCE
    try:
        for number in range(1, TRIES + 1):
            job = Job(bug.fault, seed_of(name, number))
            run = asyncio.run(run_apart(job, folder / str(number), options))
            if is_found(name, run):
                break
    finally:
        places.put(place)
    return run


def is_found(name: str, run: Run) -> bool:
    return any(violation.check in BUGS[name].checks for violation in run.violations)


def test_for_each_check_some_bug_is_planted() -> None:
    assert set().union(*(BUGS[name].checks for name in USUAL)) == set(range(1, 8))


@pytest.mark.parametrize("name", ASKED)
def test_a_planted_bug_is_found(name: str, runs: dict[str, Future[Run]]) -> None:
    run = runs[name].result()
    assert not run.error
    assert is_found(name, run), f"{BUGS[name].what} Only this was found: {run.violations}"
