"""Child processes: ended in time, never left behind, and nothing else is ever touched."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from desk.parts.home import Home
from desk.parts.part import Part, PartFailed
from desk.parts.process import Process, bound_log, last_lines

SLEEPER = (sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)")
STUBBORN = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('up', flush=True); time.sleep(600)",
)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.make()
    return home


@pytest.fixture
def a_process(home: Home) -> Iterator[Callable[..., Process]]:
    """Makes processes that are gone after the test."""
    made: list[Process] = []

    def make(*command: str, name: str = "sleeper") -> Process:
        made.append(Process(name, home, command or SLEEPER, folder=home.root, environment={"LC_ALL": "C"}))
        return made[-1]

    yield make
    for process in made:
        process.kill()


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come about"
        time.sleep(0.01)


def is_up(process: Process) -> Callable[[], bool]:
    return lambda: "up" in process.last_lines()


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_process_runs_in_its_folder_with_its_environment_alone(
    home: Home, a_process: Callable[..., Process]
) -> None:
    script = "import os; print(os.getcwd(), sorted(set(os.environ) - {'LC_CTYPE'}))"
    process = a_process(sys.executable, "-c", script)
    process.start()
    assert process.wait(20) == 0
    assert process.last_lines() == [f"{home.root} ['LC_ALL']"]


def test_a_process_that_is_asked_to_stop_ends_by_itself(
    home: Home, a_process: Callable[..., Process]
) -> None:
    process = a_process()
    assert (process.pid, process.exit_code()) == (None, None)
    process.start()
    until(is_up(process))
    pid = process.pid
    assert pid is not None
    assert process.stop(20) == -signal.SIGTERM
    assert not is_running(pid)
    assert list(home.run.iterdir()) == []


def test_one_that_does_not_stop_is_killed_after_the_time(a_process: Callable[..., Process]) -> None:
    process = a_process(*STUBBORN)
    process.start()
    until(is_up(process))
    assert process.stop(0.2) == -signal.SIGKILL


def test_one_that_is_frozen_is_ended_too(a_process: Callable[..., Process]) -> None:
    process = a_process()
    process.start()
    until(is_up(process))
    process.signal(signal.SIGSTOP)
    assert process.stop(0.2) is not None
    assert process.pid is None


def test_what_a_process_started_ends_with_it(a_process: Callable[..., Process]) -> None:
    script = (
        "import subprocess, time; print(subprocess.Popen(['sleep', '600']).pid, flush=True); time.sleep(600)"
    )
    process = a_process(sys.executable, "-c", script)
    process.start()
    until(lambda: bool(process.last_lines()))
    grandchild = int(process.last_lines()[0])
    process.kill()
    until(lambda: not is_running(grandchild))


def test_a_process_may_be_started_again_and_its_log_goes_on(a_process: Callable[..., Process]) -> None:
    process = a_process(sys.executable, "-c", "print('once')")
    for _ in range(2):
        process.start()
        assert process.wait(20) == 0
    assert process.last_lines() == ["once", "once"]


def test_a_command_that_is_not_there_says_so_in_the_log(a_process: Callable[..., Process]) -> None:
    process = a_process("/nowhere/to/be/found")
    process.start()
    assert process.wait(20) == 1
    assert process.last_lines() == ["/nowhere/to/be/found cannot be started: No such file or directory"]


@pytest.mark.skipif(sys.platform != "linux", reason="the leash is Linux's; elsewhere there are pid files")
def test_a_child_dies_with_the_process_that_started_it_however_that_died(home: Home) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from desk.parts.home import Home; from desk.parts.process import Process\n"
        "home = Home(Path(sys.argv[1]))\n"
        "process = Process('child', home, ['sleep', '600'], folder=home.root, environment={})\n"
        "process.start(); print(process.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, home.root], stdout=subprocess.PIPE, check=False)
    assert done.returncode == -signal.SIGKILL
    child = int(done.stdout)
    until(lambda: not is_running(child))


def test_a_child_outlives_the_thread_that_asked_for_it(a_process: Callable[..., Process]) -> None:
    process = a_process()
    thread = threading.Thread(target=process.start)
    thread.start()
    thread.join()
    until(is_up(process))
    time.sleep(0.1)  # the kernel would have ended it by now
    assert process.pid is not None


# --- what a crashed run left


@pytest.fixture
def leftover() -> Iterator[subprocess.Popen[bytes]]:
    """A process that no `Process` here has started, as of a run that crashed."""
    with subprocess.Popen(SLEEPER, stdout=subprocess.DEVNULL) as process:
        until(lambda: psutil.Process(process.pid).cmdline() == list(SLEEPER))
        yield process
        process.kill()


def tell(home: Home, pid: int, command: tuple[str, ...], at: float) -> None:
    (home.run / "sleeper.pid").write_text(json.dumps({"pid": pid, "at": at, "command": list(command)}))


def test_a_leftover_of_a_crashed_run_is_ended_before_the_next_start(
    home: Home, a_process: Callable[..., Process], leftover: subprocess.Popen[bytes]
) -> None:
    tell(home, leftover.pid, SLEEPER, time.time())
    process = a_process()
    process.start()
    assert not is_running(leftover.pid)
    assert process.pid not in (None, leftover.pid)


def test_a_stranger_that_has_the_pid_now_is_left_alone(
    home: Home, a_process: Callable[..., Process], leftover: subprocess.Popen[bytes]
) -> None:
    for command, at in ((("another", "command"), time.time()), (SLEEPER, time.time() - 3600)):
        tell(home, leftover.pid, command, at)
        assert a_process().end_leftover() is None
    assert leftover.poll() is None


SENSELESS = ("", "{", "[]", '{"pid": "x"}', '{"pid": 1}', '{"pid": 99999999, "at": 0, "command": []}')


@pytest.mark.parametrize("told", SENSELESS)
def test_a_pid_file_without_sense_is_put_away(
    home: Home, a_process: Callable[..., Process], told: str
) -> None:
    (home.run / "sleeper.pid").write_text(told)
    assert a_process().end_leftover() is None
    assert list(home.run.iterdir()) == []


# --- logs


def test_a_log_over_its_limit_is_put_aside_and_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    bound_log(log)
    with log.open("ab", buffering=0) as writer:
        writer.write(b"a" * 100)
        bound_log(log, limit_bytes=100)
        assert not (tmp_path / "x.log.1").exists()
        writer.write(b"b")
        bound_log(log, limit_bytes=100)
        writer.write(b"after")
    assert (tmp_path / "x.log.1").read_bytes() == b"a" * 100 + b"b"
    assert log.read_bytes() == b"after"


def test_the_last_lines_of_a_large_log_and_of_none(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    assert last_lines(log) == []
    log.write_text("".join(f"line {number}\n" for number in range(20_000)))
    assert last_lines(log, 2) == ["line 19998", "line 19999"]


# --- becoming ready


class SomePart(Part):
    """Ready when the file is there."""

    def __init__(self, process: Process, file: Path) -> None:
        super().__init__(process, "nowhere")
        self.file = file

    def is_ready(self) -> bool:
        return self.file.exists()


def test_a_part_that_ends_while_it_starts_tells_why(
    tmp_path: Path, a_process: Callable[..., Process]
) -> None:
    part = SomePart(
        a_process(sys.executable, "-c", "import sys; sys.exit('no room on the disk')"), tmp_path / "ready"
    )
    part.start()
    with pytest.raises(PartFailed, match=r"sleeper ended while it started \(exit code 1\)") as failure:
        part.wait_until_ready(20)
    assert "no room on the disk" in str(failure.value)


def test_a_part_that_is_not_ready_in_time_fails(tmp_path: Path, a_process: Callable[..., Process]) -> None:
    part = SomePart(a_process(), tmp_path / "ready")
    part.start()
    with pytest.raises(PartFailed, match="sleeper was not ready after 0 s"):
        part.wait_until_ready(0.2)
    part.kill()
    with pytest.raises(PartFailed, match=r"\(signal 9\)"):
        part.wait_until_ready(20)


def test_a_part_is_waited_for_and_others_have_their_turn_meanwhile(
    tmp_path: Path, a_process: Callable[..., Process]
) -> None:
    part = SomePart(a_process(), tmp_path / "ready")
    part.start()
    turns: list[int] = []

    def meanwhile() -> None:
        turns.append(1)
        if len(turns) == 3:
            part.file.touch()

    part.wait_until_ready(20, meanwhile)
    assert len(turns) == 3
