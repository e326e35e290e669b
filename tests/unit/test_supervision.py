"""What ends is started again, later each time, and said; what stops, stops in order and in time."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from desk import machine
from desk.supervision import (
    CALM_SECONDS,
    LEAST_STOP_SECONDS,
    LIVENESS_SECONDS,
    LOGS_PAUSE_SECONDS,
    LONGEST_DELAY_SECONDS,
    MISSES_BEFORE_RESTART,
    STOP_SECONDS,
    Restarts,
    Supervisor,
    in_stopping_order,
    stop_in_order,
)
from tests.unit.fake_parts import Clock, FakePart, FakeService


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def said() -> list[str]:
    return []


def a_store(folder: Path, clock: Clock) -> FakeService:
    """A store that runs."""
    (folder / "logs").mkdir(exist_ok=True)
    store = FakeService("store", folder, clock)
    store.start()
    return store


def test_the_wait_doubles_up_to_a_bound_and_begins_anew_after_calm() -> None:
    restarts = Restarts()
    delays = [restarts.next_delay_seconds(ran_seconds=0.1) for _ in range(8)]
    assert delays[:4] == [1, 2, 4, 8]
    assert delays[-1] == LONGEST_DELAY_SECONDS
    assert restarts.next_delay_seconds(ran_seconds=CALM_SECONDS) == 1


def test_a_part_that_was_killed_is_started_again_after_its_wait(
    tmp_path: Path, clock: Clock, said: list[str]
) -> None:
    store = a_store(tmp_path, clock)
    supervisor = Supervisor([store], said.append, clock)
    store.fake.ends(-9)
    supervisor.look()
    assert said == ["store ended (signal 9); it is started again in 1 s"]
    clock.forward(0.9)
    supervisor.look()
    assert store.fake.starts == 1
    clock.forward(0.2)
    supervisor.look()
    assert store.fake.starts == 2


def test_its_readiness_is_said_once(tmp_path: Path, clock: Clock, said: list[str]) -> None:
    store = a_store(tmp_path, clock)
    supervisor = Supervisor([store], said.append, clock)
    store.fake.ends(1)
    store.ready = False
    for _ in range(4):
        clock.forward(1)
        supervisor.look()
    store.ready = True
    for _ in range(4):
        clock.forward(1)
        supervisor.look()
    assert said[1:] == ["store is ready again after 3.0 s"]


def test_the_last_line_of_the_log_is_told_without_its_json(
    tmp_path: Path, clock: Clock, said: list[str]
) -> None:
    store = a_store(tmp_path, clock)
    supervisor = Supervisor([store], said.append, clock)
    store.fake.lines = [json.dumps({"event": "service_stopped", "code": 1, "service": "store"}), ""]
    store.fake.ends(1)
    supervisor.look()
    assert said == ["store ended (exit code 1): service_stopped code=1; it is started again in 1 s"]


def test_a_service_that_refuses_its_setup_tells_its_own_line(
    tmp_path: Path, clock: Clock, said: list[str]
) -> None:
    store = a_store(tmp_path, clock)
    store.process.log.write_text(
        '{"event": "x"}\nnewsroom: database a belongs to b\n{"event": "service_stopped"}\n'
    )
    supervisor = Supervisor([store], said.append, clock)
    store.fake.ends(2)
    supervisor.look()
    assert said == ["store ended (exit code 2): store: database a belongs to b; it is started again in 1 s"]


def test_what_cannot_be_started_is_tried_again_later(tmp_path: Path, clock: Clock, said: list[str]) -> None:
    store = a_store(tmp_path, clock)
    supervisor = Supervisor([store], said.append, clock)
    store.fake.ends(1)
    supervisor.look()
    store.fake.refuses_to_start = "no room"
    clock.forward(1)
    supervisor.look()
    assert said[-1] == "store cannot be started: no room; it is started again in 2 s"
    store.fake.refuses_to_start = ""
    clock.forward(2)
    supervisor.look()
    assert store.fake.starts == 2


def test_a_log_that_cannot_be_cut_ends_nothing(
    tmp_path: Path, clock: Clock, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []

    def no_room(log: Path) -> None:
        asked.append(log)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("desk.supervision.bound_log", no_room)
    store = a_store(tmp_path, clock)
    supervisor = Supervisor([store], said.append, clock)
    clock.forward(LOGS_PAUSE_SECONDS)
    supervisor.look()
    assert asked == [store.process.log]
    assert store.pid is not None


def test_a_service_that_does_not_get_on_is_ended_and_started_again(
    tmp_path: Path, clock: Clock, said: list[str]
) -> None:
    store = a_store(tmp_path, clock)
    supervisor = Supervisor([store], said.append, clock)
    store.alive = False
    for _ in range(MISSES_BEFORE_RESTART - 1):
        supervisor.look()
        clock.forward(LIVENESS_SECONDS)
    assert said == []
    supervisor.look()
    assert said == ["store did not get on and was ended; it is started again in 1 s"]
    store.alive = True
    clock.forward(1)
    supervisor.look()
    assert store.fake.starts == 2


def test_one_missed_answer_is_forgiven(tmp_path: Path, clock: Clock, said: list[str]) -> None:
    store = a_store(tmp_path, clock)
    supervisor = Supervisor([store], said.append, clock)
    for alive in [False, True] * MISSES_BEFORE_RESTART:
        store.alive = alive
        supervisor.look()
        clock.forward(LIVENESS_SECONDS)
    assert said == []


def test_the_door_stops_first_and_the_log_last(tmp_path: Path, clock: Clock) -> None:
    names = ("kafka", "render-2", "mongod", "render", "ingest", "store")
    parts = [FakePart(name, tmp_path, clock) for name in names]
    assert [part.name for part in in_stopping_order(parts)] == [
        "ingest",
        "store",
        "render-2",
        "render",
        "mongod",
        "kafka",
    ]


@pytest.mark.parametrize("needed_seconds", [0.5, 4.5, 100.0])
def test_stopping_keeps_to_its_bound_however_long_each_part_takes(
    tmp_path: Path, clock: Clock, needed_seconds: float
) -> None:
    parts = [FakePart(name, tmp_path, clock) for name in ("ingest", "store", "render", "mongod", "kafka")]
    for part in parts:
        part.start()
        part.fake.stop_seconds = needed_seconds
    began = clock.now
    stop_in_order(parts, clock=clock)
    assert all(part.pid is None for part in parts)
    assert clock.now - began <= STOP_SECONDS


def test_every_service_has_its_time_to_stop_however_many_processes_render(
    tmp_path: Path, clock: Clock, said: list[str]
) -> None:
    service_seconds = float(machine.STOP_SECONDS)
    needed_seconds = dict.fromkeys((*machine.SERVICES, *machine.MORE_RENDERS), service_seconds)
    needed_seconds |= dict.fromkeys(("mongod", "kafka"), LEAST_STOP_SECONDS)
    parts = [FakePart(name, tmp_path, clock) for name in needed_seconds]
    for part in parts:
        part.start()
        part.fake.stop_seconds = needed_seconds[part.name]
    began = clock.now
    stop_in_order(in_stopping_order(parts), said.append, clock=clock)
    assert said == []
    assert {part.fake.exit_code() for part in parts} == {0}
    assert clock.now - began <= STOP_SECONDS


def test_of_the_processes_of_one_service_only_those_that_had_to_be_ended_are_named(
    tmp_path: Path, clock: Clock, said: list[str]
) -> None:
    parts = [FakePart(name, tmp_path, clock) for name in ("render", "render-2", "render-3", "kafka")]
    stop_seconds = (3.0, 100.0, 4.0, 1.0)
    for part, seconds in zip(parts, stop_seconds, strict=True):
        part.start()
        part.fake.stop_seconds = seconds
    stop_in_order(parts, said.append, clock=clock)
    assert [line.partition(" did not stop in time")[0] for line in said] == ["render-2"]


def test_a_part_that_had_to_be_ended_is_named(tmp_path: Path, clock: Clock, said: list[str]) -> None:
    ingest, store = FakePart("ingest", tmp_path, clock), FakePart("store", tmp_path, clock)
    for part in (ingest, store):
        part.start()
    store.fake.stop_seconds = 100
    stop_in_order([ingest, store], said.append, clock=clock)
    assert len(said) == 1
    assert said[0].startswith("store did not stop in time")
