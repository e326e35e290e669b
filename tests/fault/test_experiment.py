"""A short selection of the experiment: a newsroom under load is broken, and every promise holds.

`make faults` runs all of it, each fault from several seeds.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from faults.runs.apart import run_apart
from faults.runs.schedule import Job, seed_of

FAULTS = {
    "store-killed": [],
    "kafka-killed": ["--quick"],
    "render-cut-from-documents": ["--quick"],
}
"""Each with the options of its run; one is thorough, with a rebuild and a replay at its end."""
PATIENCE = ["--patience", "240"]
"""A machine that runs tests is busy: `make faults` measures calm, by what is promised."""

pytestmark = [pytest.mark.real, pytest.mark.timeout(1200)]


@pytest.mark.parametrize("fault", FAULTS)
async def test_every_promise_holds_under(fault: str, tmp_path: Path, apart: list[str]) -> None:
    options = [*FAULTS[fault], *PATIENCE, *apart]
    found = await run_apart(Job(fault, seed_of(fault, 1)), tmp_path / "run", options)
    assert not found.error
    assert [violation.what for violation in found.violations] == []
    assert found.counts["operations"] > 20
    assert found.counts["reads"] > 20
    assert found.counts["notices"] > 0
