"""What is looked at before anything is started: each trouble is one line that says what to do."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from desk import checks, firstkey, lock
from desk.machine import Listening, MachineSettings
from desk.parts.ports import LOOPBACK, free_ports
from newsroom.errors import Misconfigured
from newsroom.settings import read

MEGABYTE = 1024 * 1024


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MachineSettings:
    """A newsroom in an empty folder."""
    monkeypatch.setenv("NEWSROOM_HOME", str(tmp_path / "home"))
    return read(MachineSettings)


def test_a_port_in_use_names_its_holder_and_the_setting() -> None:
    with socket.create_server((LOOPBACK, 0)) as listener:
        port = listener.getsockname()[1]
        wanted = [
            Listening("NEWSROOM_SITE_PORT", LOOPBACK, port),
            Listening("NEWSROOM_STORE_PORT", LOOPBACK, free_ports(1)[0]),
        ]
        with pytest.raises(Misconfigured) as told:
            checks.check_ports(wanted, patience_seconds=0)
    line = str(told.value)
    assert f"port {port} is taken by " in line
    assert "set NEWSROOM_SITE_PORT to another" in line
    assert "NEWSROOM_STORE_PORT" not in line
    assert "\n" not in line


def test_a_port_that_becomes_free_in_a_moment_is_waited_for() -> None:
    answers = iter([False, False, True])
    found = checks.check_ports(
        [Listening("NEWSROOM_SITE_PORT", LOOPBACK, 8000)],
        is_free=lambda _port, _host: next(answers),
        patience_seconds=60,
    )
    assert found == "1 free: 8000"


def test_two_settings_with_one_port_are_named() -> None:
    wanted = [
        Listening("NEWSROOM_SITE_PORT", LOOPBACK, 8001),
        Listening("NEWSROOM_INGEST_PORT", LOOPBACK, 8001),
    ]
    with pytest.raises(Misconfigured, match=r"NEWSROOM_SITE_PORT and NEWSROOM_INGEST_PORT .*8001"):
        checks.check_ports(wanted)


def test_a_first_start_needs_more_room_than_a_later_one(settings: MachineSettings) -> None:
    free = (checks.LATER_MB + 1) * MEGABYTE
    with pytest.raises(
        Misconfigured, match=rf"{checks.LATER_MB + 1} MB are free, {checks.FIRST_START_MB} MB"
    ):
        checks.check_disk(settings, usage=lambda _: free)
    (settings.folder.kafka / "data").mkdir(parents=True)
    assert checks.check_disk(settings, usage=lambda _: free) == f"{checks.LATER_MB + 1} MB free"


def test_the_disk_is_the_one_of_a_home_that_is_still_to_be_made(
    settings: MachineSettings, tmp_path: Path
) -> None:
    asked: list[Path] = []

    def usage(folder: Path) -> int:
        asked.append(folder)
        return checks.FIRST_START_MB * MEGABYTE

    checks.check_disk(settings, usage=usage)
    assert asked == [tmp_path]


def test_an_old_python_is_told() -> None:
    with pytest.raises(Misconfigured, match=r"Python 3\.10\.14.*3\.11"):
        checks.check_python((3, 10, 14))


def test_a_site_file_that_is_missing_is_told(
    monkeypatch: pytest.MonkeyPatch, settings: MachineSettings, tmp_path: Path
) -> None:
    monkeypatch.setenv("NEWSROOM_SITE_FILE", str(tmp_path / "none.toml"))
    with pytest.raises(Misconfigured, match=r"none\.toml is missing"):
        checks.check_site(read(MachineSettings))
    assert checks.check_site(settings)


def test_a_bad_setting_of_a_service_is_told_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSROOM_LIVE_STREAMS", "many")
    with pytest.raises(Misconfigured, match="NEWSROOM_LIVE_STREAMS"):
        checks.check_settings()


def test_ones_own_servers_need_no_java_and_no_mongod(
    monkeypatch: pytest.MonkeyPatch, settings: MachineSettings
) -> None:
    assert {"java", "mongod"} < checks.before_start(settings).keys()
    monkeypatch.setenv("NEWSROOM_KAFKA", "log.example:9092")
    monkeypatch.setenv("NEWSROOM_MONGO", "mongodb://db.example/?replicaSet=a")
    assert not {"java", "mongod"} & checks.before_start(read(MachineSettings)).keys()


def test_a_second_newsroom_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    lock_file = tmp_path / "up.lock"
    with (
        lock.only_one(lock_file, "http://127.0.0.1:8000"),
        pytest.raises(Misconfigured, match=r"already runs in .*http://127\.0\.0\.1:8000"),
        lock.only_one(lock_file, "http://127.0.0.1:9000"),
    ):
        pass
    with lock.only_one(lock_file, "http://127.0.0.1:9000"):
        running = lock.holder(lock_file)
    assert running is not None
    assert running.site == "http://127.0.0.1:9000"
    assert lock.holder(lock_file) is None


def test_nobody_runs_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert lock.holder(tmp_path / "none" / "up.lock") is None


def test_the_first_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "publisher.key"
    key = firstkey.ensure(path, {})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert firstkey.ensure(path, {}) == key
    assert path.read_text() == f"{key}\n"
    assert [entry.name for entry in tmp_path.iterdir()] == ["publisher.key"]


def test_a_key_from_the_environment_becomes_the_first_one(tmp_path: Path) -> None:
    path = tmp_path / "publisher.key"
    assert firstkey.ensure(path, {"NEWSROOM_PUBLISHER_KEY": "a-key-of-my-own-here"}) == "a-key-of-my-own-here"
    assert firstkey.ensure(path, {}) == "a-key-of-my-own-here"
    with pytest.raises(Misconfigured, match="another key"):
        firstkey.ensure(path, {"NEWSROOM_PUBLISHER_KEY": "a-different-key-here"})


def test_a_key_file_that_others_may_read_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "publisher.key"
    firstkey.ensure(path, {})
    path.chmod(0o644)
    firstkey.ensure(path, {})
    assert not firstkey.is_open(path)


@pytest.mark.parametrize("content", ["", "short", "has a blank in its middle"])
def test_a_file_without_a_usable_key_is_told_and_kept(tmp_path: Path, content: str) -> None:
    path = tmp_path / "publisher.key"
    path.write_text(content)
    with pytest.raises(Misconfigured, match="holds no key"):
        firstkey.ensure(path, {})
    assert path.read_text() == content
