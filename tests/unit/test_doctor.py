"""`newsroom doctor`: what it says of a machine where nothing runs, and what its exit code means."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from desk import doctor, lock
from desk.cli import main
from desk.findings import Finding, State, attempt, good, is_healthy, lines, warn, wrong
from desk.parts.ports import free_ports
from desk.troubles import Trouble
from newsroom.errors import Misconfigured


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A newsroom in an empty folder, on ports that nobody uses."""
    folder = tmp_path / "home"
    monkeypatch.setenv("NEWSROOM_HOME", str(folder))
    names = ("SITE", "INGEST", "STORE", "KAFKA", "KAFKA_CONTROLLER", "MONGO")
    for name, port in zip(names, free_ports(len(names)), strict=True):
        monkeypatch.setenv(f"NEWSROOM_{name}_PORT", str(port))
    return folder


def diagnosed(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    """The exit code, and the checks by name."""
    code = doctor.command(as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is (code == 0)
    return code, {check["check"]: check for check in told["checks"]}


def test_a_machine_that_is_ready_for_a_first_start_is_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    code, checks = diagnosed(capsys)
    assert code == 0
    assert checks["newsroom"]["found"].startswith("none runs")
    assert checks["jars"]["state"] == "warn"
    assert {"python", "packages", "disk", "ports", "site", "java", "mongod", "key", "docker"} <= checks.keys()


def test_looking_changes_nothing(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    diagnosed(capsys)
    assert not home.exists()


def test_a_setting_that_cannot_be_read_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSROOM_STORE_PORT", "none")
    code, checks = diagnosed(capsys)
    assert code == 1
    assert "NEWSROOM_STORE_PORT" in checks["settings"]["found"]


def test_ones_own_kafka_that_does_not_answer_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"127.0.0.1:{free_ports(1)[0]}"
    monkeypatch.setenv("NEWSROOM_KAFKA", address)
    code, checks = diagnosed(capsys)
    assert code == 1
    assert checks["kafka"]["state"] == "fail"
    assert address in checks["kafka"]["found"]
    assert "topics" not in checks


def test_ones_own_mongodb_that_does_not_answer_is_told_without_its_password(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"127.0.0.1:{free_ports(1)[0]}"
    monkeypatch.setenv("NEWSROOM_MONGO", f"mongodb://editor:hush-hush@{address}/?replicaSet=a")
    code, checks = diagnosed(capsys)
    assert code == 1
    assert address in checks["mongodb"]["found"]
    assert "hush-hush" not in json.dumps(checks)


def test_a_newsroom_that_runs_without_its_services_is_not_healthy(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSROOM_KAFKA", f"127.0.0.1:{free_ports(1)[0]}")
    monkeypatch.setenv("NEWSROOM_MONGO", f"mongodb://127.0.0.1:{free_ports(1)[0]}/?replicaSet=a")
    home.mkdir()
    with lock.only_one(home / "up.lock", "http://127.0.0.1:8000"):
        code, checks = diagnosed(capsys)
    assert code == 1
    assert checks["newsroom"]["found"].startswith("runs, ")
    for service in ("ingest", "store", "render"):
        assert checks[service]["state"] == "fail"
        assert f"logs/{service}.log" in checks[service]["advice"]


def test_a_render_that_only_its_newsroom_knows_of_is_asked_too(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`up` was told of it, in another shell; its pid file tells us."""
    monkeypatch.setenv("NEWSROOM_KAFKA", f"127.0.0.1:{free_ports(1)[0]}")
    monkeypatch.setenv("NEWSROOM_MONGO", f"mongodb://127.0.0.1:{free_ports(1)[0]}/?replicaSet=a")
    monkeypatch.setenv("NEWSROOM_RENDERS_PORT", str(free_ports(1)[0]))
    (home / "run").mkdir(parents=True)
    (home / "run" / "render-2.pid").write_text(json.dumps({"pid": os.getpid()}))
    with lock.only_one(home / "up.lock", "http://127.0.0.1:8000"):
        _, checks = diagnosed(capsys)
    assert checks["render-2"]["state"] == "fail"
    assert "render-3" not in checks


def test_a_key_that_others_may_read_is_a_warning(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    home.mkdir()
    key = home / "publisher.key"
    key.write_text("nrk_0123456789abcdef\n")
    key.chmod(0o640)
    code, checks = diagnosed(capsys)
    assert code == 0
    assert checks["key"]["state"] == "warn"
    assert "chmod 600" in checks["key"]["advice"]
    assert "nrk_0123456789abcdef" not in json.dumps(checks)


def test_a_newsroom_elsewhere_is_looked_at_by_its_addresses(capsys: pytest.CaptureFixture[str]) -> None:
    """Several instances of a service are numbered, and nothing of this machine is told."""
    ports = free_ports(2)
    at = [f"--at=store=http://127.0.0.1:{port}" for port in ports]
    result = CliRunner().invoke(main, ["doctor", "--json", *at])
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert [check["check"] for check in told["checks"]] == ["store-1", "store-2"]
    assert {check["trouble"] for check in told["checks"]} == {"service-away"}


def test_an_address_of_no_service_is_refused() -> None:
    result = CliRunner().invoke(main, ["doctor", "--at", "http://127.0.0.1:1"])
    assert result.exit_code == 2
    assert "store=http://127.0.0.1:8002" in result.stderr


def test_people_read_a_table_with_what_to_do_under_each_line() -> None:
    findings = [
        good("java", "25.0.2"),
        warn("jars", "2 missing", "start it"),
        wrong("disk", "full", "free some", Trouble.DISK_FULL),
    ]
    assert lines(findings) == [
        "ok    java  25.0.2",
        "warn  jars  2 missing",
        "            → start it",
        "fail  disk  full",
        "            → free some",
        "              docs/operations.md: A disk is full",
    ]


def test_a_warning_is_healthy_and_a_failure_is_not() -> None:
    assert is_healthy([good("a", ""), warn("b", "", "")])
    assert not is_healthy([good("a", ""), wrong("b", "", "")])


def test_a_refusal_becomes_what_was_found_and_what_to_do() -> None:
    def look() -> str:
        raise Misconfigured("port 1 is taken: stop it: now")

    assert attempt("ports", look) == Finding("ports", State.FAIL, "port 1 is taken", "stop it: now")
