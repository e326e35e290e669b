"""Many runs: recorded seeds, the ledger, what an interrupted whole does again, and a run apart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from faults.history import Violation
from faults.runs import apart
from faults.runs import run as runs
from faults.runs.run import Ledger, Run
from faults.runs.schedule import Job, remaining_seconds, schedule, seed_of
from faults.runs.whole import Progress, Whole


def test_recorded_seeds_never_change() -> None:
    """A seed that somebody wrote down must mean the same run for ever."""
    assert seed_of("kafka-killed", 1) == 458842


def test_each_run_of_each_fault_has_a_seed_of_its_own() -> None:
    jobs = schedule(["kafka-killed", "mongod-killed", "clock-steps"], 20)
    assert len({job.seed for job in jobs}) == len(jobs)


def test_every_fault_is_run_once_before_any_is_run_twice() -> None:
    assert [job.fault for job in schedule(["a", "b"], 2)] == ["a", "b", "a", "b"]


def test_more_runs_keep_the_seeds_of_fewer() -> None:
    assert schedule(["a", "b"], 5)[:4] == schedule(["a", "b"], 2)


def test_what_remains_is_guessed_from_what_is_over() -> None:
    assert remaining_seconds([40.0, 60.0], 10, 2) == 250.0
    assert remaining_seconds([], 10, 2) == 0.0


# --- the ledger


def a_run(fault: str = "a", seed: int = 1, *, code: str = "now", error: str = "") -> Run:
    violations = (Violation(4, "half a page", "torn"),)
    return Run(fault, seed, violations, 3.5, {"reads": 4}, restarts=2, code=code, error=error)


def test_a_run_is_read_back_as_it_was_written() -> None:
    assert runs.from_json(runs.as_json(a_run())) == a_run()


def test_a_ledger_knows_its_runs_again(tmp_path: Path) -> None:
    Ledger(tmp_path / "deep" / "runs.jsonl").add(a_run())
    assert Ledger(tmp_path / "deep" / "runs.jsonl").find("a", 1, "now") == a_run()


def test_a_run_of_other_code_is_not_found(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "runs.jsonl")
    ledger.add(a_run(code="before"))
    assert ledger.find("a", 1, "now") is None


def test_a_broken_run_is_not_found_and_so_done_again(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "runs.jsonl")
    ledger.add(a_run(error="it fell"))
    assert ledger.find("a", 1, "now") is None


def test_a_line_that_was_cut_harms_no_other(tmp_path: Path) -> None:
    file = tmp_path / "runs.jsonl"
    file.write_text(runs.as_json(a_run()) + "\n" + runs.as_json(a_run(seed=2))[:40])
    Ledger(file).add(a_run(seed=3))
    found = Ledger(file)
    assert [found.find("a", seed, "now") is not None for seed in (1, 2, 3)] == [True, False, True]


def test_the_fingerprint_follows_the_code_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "services").mkdir()
    (tmp_path / "services" / "a.py").write_text("1")
    before = runs.fingerprint(tmp_path)
    (tmp_path / "README.md").write_text("words")
    (tmp_path / "services" / "a.pyc").write_text("bytes")
    assert runs.fingerprint(tmp_path) == before
    (tmp_path / "services" / "a.py").write_text("2")
    assert runs.fingerprint(tmp_path) != before


# --- the whole


class Runner:
    """Runs that end at once, or when they are let go."""

    def __init__(self) -> None:
        self.ran: list[Job] = []
        self.most = self.now = 0
        self.places: set[int] = set()

    async def __call__(self, job: Job, place: int) -> Run:
        self.now += 1
        self.most = max(self.most, self.now)
        self.places.add(place)
        await asyncio.sleep(0)
        self.ran.append(job)
        self.now -= 1
        return Run(job.fault, job.seed, calm_seconds=1.0)


def a_whole(
    ledger: Ledger,
    runner: Runner,
    *,
    is_fresh: bool = False,
    told: Callable[[Run, Progress], None] = lambda *_: None,
) -> Whole:
    return Whole(schedule(["a", "b", "c"], 2), ledger, "now", runner, told, is_fresh)


async def test_all_jobs_are_run_and_kept(tmp_path: Path) -> None:
    runner, ledger = Runner(), Ledger(tmp_path / "runs.jsonl")
    done = await a_whole(ledger, runner).go(2)
    assert len(done) == 6
    assert all(ledger.find(job.fault, job.seed, "now") for job in runner.ran)


async def test_no_more_run_at_a_time_than_was_said(tmp_path: Path) -> None:
    runner = Runner()
    await a_whole(Ledger(tmp_path / "runs.jsonl"), runner).go(2)
    assert runner.most == 2
    assert runner.places == {0, 1}


async def test_an_interrupted_whole_goes_on_where_it_stopped(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "runs.jsonl")
    for job in schedule(["a", "b", "c"], 1):
        ledger.add(Run(job.fault, job.seed, calm_seconds=1.0, code="now"))
    runner = Runner()
    done = await a_whole(ledger, runner).go(2)
    assert len(runner.ran) == 3
    assert len(done) == 6


async def test_a_fresh_whole_does_all_again(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "runs.jsonl")
    await a_whole(ledger, Runner()).go(2)
    runner = Runner()
    await a_whole(ledger, runner, is_fresh=True).go(2)
    assert len(runner.ran) == 6


async def test_each_run_is_told_as_soon_as_it_is_over(tmp_path: Path) -> None:
    heard: list[Progress] = []
    await a_whole(Ledger(tmp_path / "r"), Runner(), told=lambda _, progress: heard.append(progress)).go(2)
    assert [(progress.done, progress.of) for progress in heard] == [(number, 6) for number in range(1, 7)]


# --- a run apart


@pytest.mark.parametrize(("log", "said"), [("a\nboom\n\n", "boom"), ("", "it said nothing")])
def test_the_last_line_of_a_log_is_the_last_that_says_something(tmp_path: Path, log: str, said: str) -> None:
    (tmp_path / apart.LOG).write_text(log)
    assert apart.last_line(tmp_path) == said


async def test_a_process_that_dies_is_a_broken_run_that_says_why(tmp_path: Path) -> None:
    found = await apart.run_apart(Job("no-such-fault", 1), tmp_path / "run")
    assert not found.is_clean
    assert "no-such-fault" in found.error
