"""A short selection of the experiment: a newsroom under load is broken, and every promise holds.

`make faults` runs all of it, each fault from several seeds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from faults.runs.apart import run_apart
from faults.runs.run import Run
from faults.runs.schedule import Job, seed_of

FAULTS = {
    "store-killed": [],
    "kafka-killed": ["--quick"],
    "render-cut-from-documents": ["--quick"],
}
"""Each with the options of its run; one is thorough, with a rebuild and a replay at its end."""
AT_ONCE = 2
"""A run mostly waits."""
PATIENCE = ["--patience", "240"]
"""A machine that runs tests is busy: `make faults` measures calm, by what is promised."""

pytestmark = [pytest.mark.real, pytest.mark.timeout(1800)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def runs(
    parts_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, asyncio.Task[Run]]]:
    """All runs, begun in their order, so many at a time."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def run(name: str, options: list[str]) -> Run:
        async with turn:
            folder = tmp_path_factory.mktemp(name) / "run"
            return await run_apart(
                Job(name, seed_of(name, 1)), folder, [*options, *PATIENCE, "--jars", str(parts_home)]
            )

    async with asyncio.TaskGroup() as group:
        tasks = {name: group.create_task(run(name, options)) for name, options in FAULTS.items()}
        yield tasks
        for task in tasks.values():
            task.cancel()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("fault", FAULTS)
async def test_every_promise_holds_under(fault: str, runs: dict[str, asyncio.Task[Run]]) -> None:
    found = await runs[fault]
    assert not found.error
    assert [violation.what for violation in found.violations] == []
    assert found.counts["operations"] > 20
    assert found.counts["reads"] > 20
    assert found.counts["notices"] > 0
