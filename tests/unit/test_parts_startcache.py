"""The cache for faster starts of Kafka: whose it is, and that nothing depends on it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from desk.parts import startcache
from desk.parts.part import PartFailed

OPTIONS = ("-XX:+UseSerialGC", "-Dlog=here")


@pytest.fixture
def java(tmp_path: Path) -> Path:
    """A Java that has only its `release` file."""
    return a_java(tmp_path / "java", "25.0.2")


@pytest.fixture
def class_path(tmp_path: Path) -> str:
    jars = [tmp_path / name for name in ("a.jar", "b.jar")]
    for jar in jars:
        jar.write_bytes(b"classes")
    return ":".join(map(str, jars))


def a_java(folder: Path, version: str) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "release").write_text(f'VENDOR="x"\nJAVA_VERSION="{version}"\n')
    return folder / "bin" / "java"


def test_a_cache_is_of_one_java_one_class_path_and_one_set_of_options(
    tmp_path: Path, java: Path, class_path: str
) -> None:
    first = startcache.place(tmp_path, OPTIONS, class_path, java)
    assert first == startcache.place(tmp_path, OPTIONS, class_path, java)
    assert first == startcache.place(tmp_path, (OPTIONS[0], "-Dlog=there"), class_path, java)
    newer = a_java(tmp_path / "newer", "26")
    others = [
        startcache.place(tmp_path, OPTIONS, class_path, newer),
        startcache.place(tmp_path, ("-XX:+UseG1GC",), class_path, java),
        startcache.place(tmp_path, OPTIONS, class_path.split(":")[0], java),
    ]
    Path(class_path.split(":")[0]).write_bytes(b"other classes")
    others.append(startcache.place(tmp_path, OPTIONS, class_path, java))
    assert None not in others
    assert len({first, *others}) == 5


@pytest.mark.parametrize("version", ["24.0.1", "21", "unknown"])
def test_an_older_java_has_none(tmp_path: Path, class_path: str, version: str) -> None:
    assert startcache.place(tmp_path, OPTIONS, class_path, a_java(tmp_path / "old", version)) is None


def test_there_is_none_without_its_jars_or_a_java_that_tells_of_itself(
    tmp_path: Path, java: Path, class_path: str
) -> None:
    assert startcache.place(tmp_path, OPTIONS, str(tmp_path / "no.jar"), java) is None
    assert startcache.place(tmp_path, OPTIONS, class_path, Path("/nowhere/bin/java")) is None


def test_it_is_made_once_and_what_nobody_uses_goes(tmp_path: Path) -> None:
    """One of another checkout, which uses the same folder, stays."""
    cache, other = tmp_path / "kafka-1-new.aot", tmp_path / "kafka-1-other.aot"
    for leftover in ("kafka-1-old.aot", "kafka-1-new.aot-made", other.name):
        (tmp_path / leftover).write_bytes(b"old")
    long_ago = time.time() - 40 * 24 * 3600
    os.utime(tmp_path / "kafka-1-old.aot", (long_ago, long_ago))
    os.utime(other, (long_ago, long_ago))
    assert startcache.used(other)
    (tmp_path / f"{startcache.LEARNING}x").mkdir()
    told: list[str] = []

    def learn(made: Path) -> None:
        made.write_text("learned")

    assert not startcache.is_settled(cache)
    startcache.make(cache, learn, told.append)
    startcache.make(cache, lambda _: pytest.fail("it is there"), told.append)
    assert startcache.is_settled(cache)
    assert cache.read_text() == "learned"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache.lock", cache.name, other.name]
    assert len(told) == 1


def _fails(made: Path) -> None:
    made.write_text("half")
    raise PartFailed("kafka ended while it started (exit code 1). The end of its log:\n    no memory")


@pytest.mark.parametrize("run", [_fails, lambda _: None])
def test_that_it_cannot_be_made_is_told_once_and_no_harm(tmp_path: Path, run: Callable[[Path], None]) -> None:
    cache = tmp_path / "kafka-1-new.aot"
    told: list[str] = []
    startcache.make(cache, run, told.append)
    assert not startcache.used(cache)
    assert startcache.is_settled(cache)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".aot-failed", ".lock"]
    assert "did not learn it" in told[-1]
    assert str(cache.with_suffix(".aot-failed")) in told[-1]
    assert "\n" not in told[-1]
    startcache.make(cache, lambda _: pytest.fail("it was tried"), told.append)


def test_a_folder_that_takes_no_file_is_no_harm_either(tmp_path: Path) -> None:
    """All jars may lie in a folder of somebody else's."""
    (tmp_path / "cache.lock").mkdir()
    told: list[str] = []
    startcache.make(tmp_path / "kafka-1-new.aot", lambda _: pytest.fail("nowhere to"), told.append)
    assert "did not learn it" in told[-1]
