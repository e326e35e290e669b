"""One run of the experiment, on stand-ins for the newsroom, its editors and its readers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from random import Random
from types import SimpleNamespace, TracebackType
from typing import Any, Self

import pytest

from faults.fault import Fault, Plan
from faults.history import Calm, Ended, Evidence, History, Injected, Invoked, Violation, read
from faults.runs import runner
from faults.runs.run import Run
from faults.runs.runner import Course, run_once

BRISK = Course(before_seconds=0.01, after_seconds=0.01, is_thorough=True)
UNDER_LOAD = Course(before_seconds=4.0, after_seconds=3.0, is_thorough=True)
FOUND = Violation(1, "lost")
LATE_SECONDS, SETTLING_SECONDS = 5.0, 2.0
EVIDENCE = Evidence(files={"index.html": "the first page"})


class Clock:
    """The time of a history: it moves when something takes time, and not by itself."""

    def __init__(self) -> None:
        self.seconds = 0.0

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(0)


CLOCK = Clock()


class FakeArena:
    """Tells in which order it was asked for what."""

    bootstrap = "nowhere:1"
    restarts = 3
    died_at = frozenset({"store.batch_taken"})

    def __init__(self, *_: object) -> None:
        self.asked = LOG

    async def __aenter__(self) -> Self:
        self.asked.append("open")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.asked.append("close")

    async def settled(self, _: float) -> None:
        self.asked.append("settled")
        CLOCK.seconds += SETTLING_SECONDS
        if "never calm" in self.asked:
            raise TimeoutError("no rest: store-1 is not ready")


class FakeEditors:
    """One operation, which is answered late."""

    def __init__(self, _: FakeArena, history: History, __: Random) -> None:
        self._history = history

    async def run(self, seconds: float) -> None:
        LOG.append("editors begin")
        self._history.add(Invoked("o1", 1, "editor-1", "published", "a", "zq", self._history.now()))
        await asyncio.sleep(seconds)

    async def finish(self, _: float) -> None:
        LOG.append("editors finish")
        CLOCK.seconds += LATE_SECONDS
        self._history.add(Ended("o1", 1, "ok", self._history.now()))


class FakeReaders:
    def __init__(self, *_: object) -> None:
        pass

    def start(self) -> None:
        LOG.append("readers begin")

    async def last_look(self) -> None:
        LOG.append("last look")

    async def stop(self) -> None:
        LOG.append("readers stop")


class FakeSampler:
    def __init__(self, *_: object) -> None:
        pass

    async def run(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            LOG.append("sampler stops")


LOG: list[str] = []
JUDGED: list[tuple[History, Evidence, bool, float]] = []


async def gather(_: FakeArena, __: History, *, is_thorough: bool = False) -> Evidence:
    if "no evidence" in LOG:
        raise TimeoutError("the store does not answer")
    LOG.append("thorough evidence" if is_thorough else "evidence")
    return EVIDENCE


def check(
    history: History, evidence: Evidence, *, is_clock_true: bool, calm_seconds: float
) -> tuple[Violation, ...]:
    JUDGED.append((history, evidence, is_clock_true, calm_seconds))
    return (FOUND, Violation(7, "it never became calm")) if "never calm" in LOG else (FOUND,)


@pytest.fixture(autouse=True)
def _stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    LOG.clear()
    JUDGED.clear()
    names: dict[str, Any] = {
        "Arena": FakeArena,
        "Editors": FakeEditors,
        "Readers": FakeReaders,
        "Sampler": FakeSampler,
        "gather": gather,
        "check": check,
        "unseen": lambda *_: (),
        "lacking": lambda plan: "needs root" if plan.log_mib else None,
        "DUE_SECONDS": 0.0,
    }
    for name, stand_in in names.items():
        monkeypatch.setattr(runner, name, stand_in)


async def injected(arena: Any, dice: Random) -> None:
    LOG.append("injected")


def a_fault(**changes: Any) -> Fault:
    return replace(Fault("kafka-killed", "Kafka is killed.", injected), **changes)


async def a_run(folder: Path, fault: Fault | None = None, course: Course = BRISK) -> Run:
    return await run_once(fault or a_fault(), 7, folder, folder / "jars", course, lambda _: None)


async def test_a_run_goes_its_course(tmp_path: Path) -> None:
    """The fault comes under load; nothing is looked at before all is calm; the files are taken first."""
    await a_run(tmp_path)
    assert LOG == [
        "open", "readers begin", "editors begin", "injected", "editors finish", "settled", "settled",
        "last look", "readers stop", "sampler stops",
        "thorough evidence", "close",
    ]  # fmt: skip


async def test_the_checker_judges_what_was_done_and_what_was_found(tmp_path: Path) -> None:
    found = await a_run(tmp_path)
    ((history, evidence, is_clock_true, calm_seconds),) = JUDGED
    assert found.violations == (FOUND,)
    assert found.restarts == 3
    assert found.died_at == ("store.batch_taken",)
    assert is_clock_true
    assert calm_seconds == BRISK.calm_seconds
    assert evidence is EVIDENCE
    assert list(history.of(Invoked))


async def test_a_fault_that_moves_clocks_says_so_to_the_checker(tmp_path: Path) -> None:
    await a_run(tmp_path, a_fault(is_clock_true=False))
    assert not JUDGED[0][2]


async def test_a_quick_run_makes_nothing_anew(tmp_path: Path) -> None:
    await a_run(tmp_path, course=Course(0.01, 0.01, is_thorough=False))
    assert LOG[-2:] == ["evidence", "close"]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """All that a run waits for itself takes no time but its own."""
    CLOCK.seconds = 0.0
    monkeypatch.setattr(History, "now", lambda _: CLOCK.seconds)
    by_hand = SimpleNamespace(sleep=CLOCK.sleep, TaskGroup=asyncio.TaskGroup)
    monkeypatch.setattr(runner, "asyncio", by_hand)
    return CLOCK


async def test_calm_is_counted_from_the_end_of_the_fault_however_late_the_answers_are(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What falls due is waited for, and not counted."""
    monkeypatch.setattr(runner, "DUE_SECONDS", 30.0)
    found = await a_run(tmp_path, course=UNDER_LOAD)
    history = JUDGED[0][0]
    (calm,), (answered,), (_, ends) = history.of(Calm), history.of(Ended), history.of(Injected)
    assert answered.at == ends.at + UNDER_LOAD.after_seconds + LATE_SECONDS
    assert found.calm_seconds == calm.seconds == answered.at - ends.at + SETTLING_SECONDS
    assert calm.at == clock.seconds == answered.at + 30.0 + SETTLING_SECONDS


async def test_without_calm_the_checker_judges_too_what_holds_always(tmp_path: Path) -> None:
    """Nothing is made anew: what is on its way would be cut off."""
    LOG.append("never calm")
    found = await a_run(tmp_path)
    assert [violation.check for violation in found.violations] == [7, 1]
    assert "store-1 is not ready" in found.violations[0].what
    assert found.calm_seconds is None
    assert list(JUDGED[0][0].of(Calm)) == []
    assert LOG[-4:] == ["readers stop", "sampler stops", "evidence", "close"]


async def test_what_keeps_from_calm_may_keep_the_evidence_too(tmp_path: Path) -> None:
    LOG.extend(["never calm", "no evidence"])
    found = await a_run(tmp_path)
    assert [violation.check for violation in found.violations] == [7]
    assert JUDGED == []


async def test_what_a_machine_lacks_is_told_and_nothing_is_started(tmp_path: Path) -> None:
    found = await a_run(tmp_path, a_fault(plan=Plan(log_mib=64)))
    assert found.lacking == "needs root"
    assert LOG == []


async def test_an_injection_that_breaks_takes_everything_down(tmp_path: Path) -> None:
    async def breaks(arena: Any, dice: Random) -> None:
        raise RuntimeError("the experiment is wrong")

    with pytest.RaisesGroup(pytest.RaisesExc(RuntimeError, match="wrong"), flatten_subgroups=True):
        await a_run(tmp_path, a_fault(inject=breaks))
    assert LOG[-3:] == ["readers stop", "sampler stops", "close"]


async def test_the_dice_of_a_run_follow_from_its_seed(tmp_path: Path) -> None:
    thrown: list[float] = []

    async def throws(arena: Any, dice: Random) -> None:
        thrown.append(dice.random())

    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        await a_run(tmp_path / name, a_fault(inject=throws))
    assert thrown[0] == thrown[1]


async def test_the_history_of_a_run_stays_on_disk(tmp_path: Path) -> None:
    found = await a_run(tmp_path)
    history = read((tmp_path / runner.HISTORY).read_text().splitlines())
    assert [entry.step for entry in history.of(Injected)] == ["begins", "ends"]
    assert found.counts["operations"] == 1
