"""The arena itself: what is broken in it is seen, heals, and is gone with it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from faults.fault import Plan
from faults.stage.arena import Arena
from faults.stage.rooms import can_mount
from tests.stack import until

pytestmark = pytest.mark.real


def processes_in(folder: Path) -> list[str]:
    """Command lines of those that this process started, and that work there."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if Path(child.cwd()).is_relative_to(folder) and child.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(child.cmdline()))
    return found


def mounts_in(folder: Path) -> list[str]:
    mounts = Path("/proc/self/mounts")
    return (
        [line for line in mounts.read_text().splitlines() if str(folder) in line] if mounts.exists() else []
    )


async def test_a_newsroom_is_broken_heals_and_leaves_nothing_behind(parts_home: Path, tmp_path: Path) -> None:
    """One after the other: starting it is what takes the time."""
    plan = Plan(is_proxied=True, pages_mib=64 if can_mount() else None)
    async with Arena(plan, tmp_path / "newsroom", parts_home) as arena:
        written = arena.files()
        assert len(written) > 20
        await killed_and_kept(arena)
        await cut_off_and_healed(arena)
        assert await arena.rebuild() == written
        assert await arena.replay() == written
        assert len(processes_in(tmp_path)) == 5
        arena.pause("store-1")
        arena.kafka.pause()
        arena.proxy("render", "mongo").stall()
    assert processes_in(tmp_path) == []
    assert mounts_in(tmp_path) == []


async def killed_and_kept(arena: Arena) -> None:
    arena.kill("store-1")
    assert not arena.alive("store-1")
    await arena.returns("store-1")
    assert arena.restarts == 1
    await arena.settled()


async def cut_off_and_healed(arena: Arena) -> None:
    proxy = arena.proxy("store", "kafka")
    proxy.cut()

    async def is_told() -> bool:
        try:
            await arena.settled(0.0)
        except TimeoutError as error:
            return "store-1 is not ready (kafka" in str(error)
        return False

    await until(is_told, "it is told that the store does not reach Kafka")
    await proxy.heal()
    await arena.settled()
