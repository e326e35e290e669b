"""Clocks that are set: the file is what a service that was started by `faults.stage.launch` goes by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from faults.stage import launch
from faults.stage.clocks import Clock
from newsroom import times

NEAR = timedelta(minutes=1)


def test_steps_add_up_until_the_clock_is_put_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(times, "now", times.now)  # put back after the test
    clock = Clock(tmp_path / "store-1.clock")
    launch.set_clock(clock.file)
    clock.step(7200)
    clock.step(-3600)
    assert abs(times.now() - datetime.now(UTC) - timedelta(hours=1)) < NEAR
    clock.put_right()
    assert abs(times.now() - datetime.now(UTC)) < NEAR


def test_a_new_clock_is_right_whatever_the_last_run_left(tmp_path: Path) -> None:
    file = tmp_path / "store-1.clock"
    file.write_text("3600")
    assert float(Clock(file).file.read_text()) == 0.0
