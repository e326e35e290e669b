"""The arena's keeper: what ended is started again after its wait, and nothing else is."""

from __future__ import annotations

from dataclasses import dataclass

from faults.stage.keeper import WAIT_SECONDS, Keeper, Kept


@dataclass
class Process:
    name: str
    is_wanted: bool = True
    is_alive: bool = True


class Shop:
    """Processes and their keeper."""

    def __init__(self, *processes: Process) -> None:
        self.started: list[str] = []
        self.keeper = Keeper(lambda: list(processes), self._start)

    def _start(self, kept: Kept) -> None:
        self.started.append(kept.name)


def test_what_ended_is_started_a_moment_later_and_counted() -> None:
    shop = Shop(Process("store-1", is_alive=False), Process("store-2"))
    shop.keeper.look(at=10.0)
    assert shop.started == []
    shop.keeper.look(at=10.0 + WAIT_SECONDS)
    assert shop.started == ["store-1"]
    assert shop.keeper.restarts == 1


def test_each_end_waits_anew() -> None:
    """Whoever comes back by himself meanwhile is not started on top of that."""
    process = Process("store-1", is_alive=False)
    shop = Shop(process)
    shop.keeper.look(at=0.0)
    process.is_alive = True
    shop.keeper.look(at=0.5)
    process.is_alive = False
    shop.keeper.look(at=WAIT_SECONDS)
    assert shop.started == []


def test_what_was_stopped_on_purpose_stays_so() -> None:
    shop = Shop(Process("store-1", is_alive=False, is_wanted=False))
    for at in (0.0, 5.0):
        shop.keeper.look(at)
    assert shop.started == []


def test_what_is_left_alone_waits_for_the_end_of_the_block() -> None:
    shop = Shop(Process("store-1", is_alive=False))
    with shop.keeper.unkept("store-1"):
        for at in (0.0, 5.0):
            shop.keeper.look(at)
        assert shop.started == []
    for at in (6.0, 6.0 + WAIT_SECONDS):
        shop.keeper.look(at)
    assert shop.started == ["store-1"]
