"""Kafka's jars: whatever happens to a download, only files with the listed bytes are on the class path."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from desk.parts import jars
from desk.parts.jars import Jar
from newsroom.errors import Misconfigured


def a_jar(name: str) -> Jar:
    return Jar("org.example", name, "1.0", "", hashlib.sha256(content_of(name)).hexdigest())


def content_of(name: str) -> bytes:
    return f"the bytes of {name}".encode() * 100


JARS = tuple(a_jar(name) for name in ("one", "two", "three"))
IN_ORDER = ["one-1.0.jar", "two-1.0.jar", "three-1.0.jar"]


class Repository:
    """Stands for Maven's. `answers` are used up first, per jar: an exception or other bytes."""

    def __init__(self, **answers: list[Exception | bytes]) -> None:
        self.answers = answers
        self.asked: Counter[str] = Counter()

    def fetch(self, jar: Jar, workshop: Path) -> Path:
        self.asked[jar.artifact] += 1
        told = self.answers.get(jar.artifact)
        answer = told.pop(0) if told else content_of(jar.artifact)
        if isinstance(answer, Exception):
            raise answer
        path = workshop / "deep" / "inside.jar"
        path.parent.mkdir()
        path.write_bytes(answer)
        return path


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jars, "PAUSE_SECONDS", 0.0)


def names_in(parts: Path) -> set[str]:
    return {path.name for path in jars.jars_folder(parts).iterdir()}


def test_the_list_names_every_jar_once_with_its_hash() -> None:
    listed = jars.read_list()
    assert f"org.apache.kafka:kafka_2.13:{jars.KAFKA_VERSION}" in {jar.coordinate for jar in listed}
    assert len({jar.file_name for jar in listed}) == len(listed) > 50
    assert all(len(bytes.fromhex(jar.sha256)) == 32 for jar in listed)


def test_what_is_missing_is_fetched_and_stands_in_the_order_of_the_list(tmp_path: Path) -> None:
    told: list[str] = []
    class_path = jars.class_path(tmp_path, told.append, jars=JARS, fetch=Repository().fetch)
    assert [Path(entry).name for entry in class_path.split(":")] == IN_ORDER
    assert names_in(tmp_path) == set(IN_ORDER)
    assert told[-1].startswith("fetched 3 of 3 jars, 0 MB in ")


def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    repository = Repository()
    for _ in range(2):
        jars.class_path(tmp_path, jars=JARS, fetch=repository.fetch)
    assert repository.asked == {"one": 1, "two": 1, "three": 1}


def test_a_jar_whose_bytes_changed_on_the_disk_is_fetched_anew(tmp_path: Path) -> None:
    repository = Repository()
    jars.class_path(tmp_path, jars=JARS, fetch=repository.fetch)
    (jars.jars_folder(tmp_path) / "two-1.0.jar").write_bytes(b"bitten")
    jars.class_path(tmp_path, jars=JARS, fetch=repository.fetch)
    assert repository.asked == {"one": 1, "two": 2, "three": 1}
    assert jars.missing(jars.jars_folder(tmp_path), JARS) == []


def test_half_a_download_and_a_broken_connection_are_tried_again(tmp_path: Path) -> None:
    repository = Repository(one=[content_of("one")[:50]], two=[ConnectionError("reset")])
    jars.class_path(tmp_path, jars=JARS, fetch=repository.fetch)
    assert repository.asked == {"one": 2, "two": 2, "three": 1}
    assert jars.missing(jars.jars_folder(tmp_path), JARS) == []


def test_other_bytes_than_the_list_says_never_reach_the_class_path(tmp_path: Path) -> None:
    repository = Repository(two=[b"forged"] * jars.TRIES)
    with pytest.raises(Misconfigured, match=r"org\.example:two:1\.0 .*SHA-256") as refusal:
        jars.class_path(tmp_path, jars=JARS, fetch=repository.fetch)
    assert "\n" not in str(refusal.value)
    assert "two-1.0.jar" not in names_in(tmp_path)
    assert not any(name.startswith("fetching-") for name in names_in(tmp_path))


def test_without_a_network_one_line_says_so_and_what_came_is_kept(tmp_path: Path) -> None:
    away: list[Exception | bytes] = [OSError("Network is unreachable")] * jars.TRIES
    repository = Repository(three=away)
    with pytest.raises(Misconfigured, match="Network is unreachable") as refusal:
        jars.class_path(tmp_path, jars=JARS, fetch=repository.fetch)
    assert "\n" not in str(refusal.value)
    came = names_in(tmp_path)
    jars.class_path(tmp_path, jars=JARS, fetch=repository.fetch)
    assert repository.asked["three"] == jars.TRIES + 1
    assert all(repository.asked[name.partition("-")[0]] == 1 for name in came)


def test_a_fetch_that_is_killed_halfway_is_simply_done_again(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from desk.parts import jars\n"
        "def fetch(jar, workshop):\n"
        "    (workshop / 'half.jar').write_bytes(b'ha'); print('half', flush=True); time.sleep(600)\n"
        "jars.class_path(Path(sys.argv[1]), jars=jars.read_list()[:1], fetch=fetch)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, tmp_path], stdout=subprocess.PIPE) as fetching:
        assert fetching.stdout is not None
        assert fetching.stdout.readline() == b"half\n"
        fetching.send_signal(signal.SIGKILL)
    assert any(name.startswith("fetching-") for name in names_in(tmp_path))
    jars.class_path(tmp_path, jars=JARS, fetch=Repository().fetch)
    assert names_in(tmp_path) == set(IN_ORDER)


def test_two_that_fetch_at_once_do_the_work_once(tmp_path: Path) -> None:
    repository = Repository()
    together = threading.Barrier(2)

    def fetch_all() -> None:
        together.wait()
        jars.class_path(tmp_path, jars=JARS, fetch=repository.fetch)

    threads = [threading.Thread(target=fetch_all) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert repository.asked == {"one": 1, "two": 1, "three": 1}
