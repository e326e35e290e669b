"""What the doctor finds of Kafka, MongoDB, disks, and of what lies among the pages."""

from __future__ import annotations

import os
import signal
import socketserver
import threading
import time
from pathlib import Path
from typing import ClassVar

import pytest

from desk import foundations
from desk.findings import State
from desk.foundations import folders, foreign, kafka, mongodb
from desk.members import hosts_of, mongo_members
from desk.parts.home import Home
from desk.parts.ports import free_ports
from desk.parts.process import Process
from desk.running import running_parts
from desk.symptoms import room
from desk.troubles import Trouble
from newsroom.servers import NO_FILES

MB = 1024 * 1024


@pytest.mark.parametrize(
    ("free", "state"),
    [(900 * MB, None), (299 * MB, State.WARN), (15 * MB, State.FAIL), (0, State.FAIL)],
)
def test_the_room_on_a_disk_is_judged(free: int, state: State | None) -> None:
    found = list(room("disk/log", free, "the log"))
    assert [(each.state, each.trouble) for each in found] == ([(state, Trouble.DISK_FULL)] if state else [])


def test_folders_that_are_not_there_are_passed_over(tmp_path: Path) -> None:
    assert list(folders({"log": tmp_path / "nowhere"})) == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foundations, "is_writable", lambda _: False)
    assert Trouble.READ_ONLY in {each.trouble for each in folders({"pages": tmp_path})}


def test_links_among_the_pages_are_found_and_pages_are_not(tmp_path: Path) -> None:
    """None is followed, and they are named by their path in the site."""
    (tmp_path / "news" / "story").mkdir(parents=True)
    (tmp_path / "news" / "story" / "index.html").write_text("<p>")
    assert list(foreign(tmp_path)) == []
    (tmp_path / "news" / "out").symlink_to("/")
    [finding] = foreign(tmp_path)
    assert finding.trouble is Trouble.FOREIGN_FILES
    assert finding.found == "1 among the pages: news/out"


def test_servers_that_nobody_runs_are_away(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    assert kafka(f"127.0.0.1:{port}", {}).trouble is Trouble.KAFKA_AWAY
    [finding] = mongodb(f"mongodb://u:hush-hush@127.0.0.1:{port}/?replicaSet=a", NO_FILES, {})
    assert finding.trouble is Trouble.MONGODB_AWAY
    assert "hush-hush" not in finding.found + finding.advice


def test_servers_whose_process_is_stopped_are_frozen() -> None:
    assert kafka("127.0.0.1:1", {"kafka": 4711}).trouble is Trouble.KAFKA_FROZEN
    found = list(mongodb("mongodb://127.0.0.1:1/?replicaSet=a", NO_FILES, {"mongod": 4712}))
    assert [(each.check, each.trouble) for each in found] == [("mongodb", Trouble.MONGODB_FROZEN)]
    assert "kill -CONT 4712" in found[0].advice


class Listening(socketserver.BaseRequestHandler):
    """Notes the first byte that each caller says, and hangs up. It reads the rest: otherwise they would be
    cut off in the middle of what they say.
    """

    said: ClassVar[set[bytes]] = set()

    def handle(self) -> None:
        self.said.add(self.request.recv(65536)[:1])


def test_members_are_asked_with_the_tls_that_the_url_tells() -> None:
    """They would seem to be frozen else."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Listening) as server:
        threading.Thread(target=server.serve_forever).start()
        mongo_members(f"mongodb://127.0.0.1:{server.server_address[1]}/?tls=true", NO_FILES)
        server.shutdown()
    assert Listening.said - {b""} == {b"\x16"}  # the handshake's


def test_bootstrap_servers_are_read_one_by_one() -> None:
    assert list(hosts_of("a:9092, [::1]:9093,nonsense")) == [("a", 9092), ("::1", 9093)]


def test_a_process_that_is_stopped_is_told_from_one_that_runs(tmp_path: Path) -> None:
    """By the pid files of the newsroom in a folder."""
    home = Home(tmp_path)
    home.make()
    process = Process("store-1", home, ["sleep", "60"], folder=tmp_path, environment={"PATH": os.defpath})
    process.start()
    try:
        assert [part.is_stopped for part in running_parts(home, None)] == [False]
        process.signal(signal.SIGSTOP)
        deadline = time.monotonic() + 60
        while not [part for part in running_parts(home, None) if part.is_stopped]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        process.kill()
