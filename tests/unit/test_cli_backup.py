"""`newsroom backup` and `restore` at the command line: whose log they take, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from desk import reaching, wording
from desk.lock import only_one
from desk.reaching import disk_problem
from tests.unit.desk_newsroom import Newsroom, no_connection, run


def desk(home: Path, *arguments: str | Path, kafka: str = "") -> tuple[int, str]:
    """Exit code and what is said beside the result; HTTP is never spoken."""
    newsroom = Newsroom([no_connection])
    result = run(newsroom, *arguments, newsroom_home=str(home), newsroom_kafka=kafka)
    assert newsroom.requests == []
    return result.exit_code, result.stderr


def test_where_no_newsroom_is_nothing_is_backed_up(tmp_path: Path) -> None:
    code, said = desk(tmp_path / "none", "backup", tmp_path / "b")
    assert (code, "there is no newsroom" in said) == (wording.USAGE, True)
    assert list(tmp_path.iterdir()) == []


def test_a_log_that_does_not_answer_is_said_so(tmp_path: Path) -> None:
    code, said = desk(tmp_path, "backup", tmp_path / "b", kafka="127.0.0.1:1")
    assert (code, "kafka does not answer" in said) == (wording.UNREACHABLE, True)
    assert not (tmp_path / "b").exists()


def test_a_file_that_is_not_there_starts_nothing(tmp_path: Path) -> None:
    code, said = desk(tmp_path / "home", "restore", tmp_path / "b")
    assert (code, "is not there" in said) == (wording.USAGE, True)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_restored_into_a_newsroom_that_runs(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("x")
    with only_one(tmp_path / "up.lock", "http://127.0.0.1:8000"):
        code, said = desk(tmp_path, "restore", tmp_path / "b")
    assert (code, "runs in" in said, "NEWSROOM_HOME" in said) == (wording.USAGE, True, True)


@pytest.mark.parametrize("left", ["mongo", "site"])
def test_nothing_is_restored_where_a_newsroom_has_run(tmp_path: Path, left: str) -> None:
    """Its database would be of another log, its pages of other articles."""
    (tmp_path / "b").write_text("x")
    (tmp_path / left).mkdir()
    code, said = desk(tmp_path, "restore", tmp_path / "b")
    assert (code, "has run in" in said) == (wording.USAGE, True)


@pytest.mark.parametrize(("number", "told"), [(28, "the disk is full"), (5, "Input/output error")])
def test_a_disk_that_fails_is_told_with_what_to_do(number: int, told: str) -> None:
    said = disk_problem(OSError(number, "Input/output error"), Path("b"))
    assert said.startswith(told)
    assert "b.part" in said


def test_a_backup_that_cannot_be_read_is_not_told_of_a_part(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("x")
    said = disk_problem(OSError(5, "Input/output error"), tmp_path / "b")
    assert "cannot be read: Input/output error" in said
    assert ".part" not in said


def test_ctrl_c_ends_a_copy_with_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(reaching, "_with_log", interrupted)
    code, said = desk(tmp_path, "backup", tmp_path / "b", kafka="127.0.0.1:1")
    assert (code, "run the same command again" in said) == (130, True)
    assert "Aborted" not in said


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_refusal_is_json_too_where_that_was_asked_for(tmp_path: Path, command: str) -> None:
    """Wherever `--json` stands."""
    arguments = (command, str(tmp_path / "none" / "b"), "--json")
    result = run(Newsroom([no_connection]), *arguments, newsroom_home=str(tmp_path / "none"))
    assert json.loads(result.stdout)["exit_code"] == wording.USAGE
