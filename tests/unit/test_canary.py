"""The search for a secret finds it where it stands, or the search after the test run would say nothing."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from desk.parts.home import Home
from desk.parts.part import Part
from desk.parts.process import Process
from newsroom import keys
from tests import canary
from tests.running import Running


def test_every_key_of_a_test_carries_the_mark() -> None:
    assert canary.MARK in keys.new_secret()


@pytest.mark.parametrize("packed", [bytes, gzip.compress])
def test_a_secret_is_found_in_a_file_and_in_a_packed_one(tmp_path: Path, packed: type[bytes]) -> None:
    secret = keys.new_secret()
    try:
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "service.log").write_bytes(packed(f"line\nBearer {secret}\n".encode()))
        (tmp_path / "publisher.key").write_text(secret)
        (tmp_path / "clean.log").write_text("line")
        assert canary.found_below(tmp_path) == [tmp_path / "a" / "service.log"]
    finally:
        (tmp_path / "a" / "service.log").unlink()


@pytest.fixture
def left(tmp_path: Path) -> Iterator[Path]:
    """The folder of a server that is to end; emptied after the test, before the search of the whole run."""
    folder = tmp_path / "server"
    folder.mkdir()
    yield folder
    for file in folder.glob("*"):
        file.unlink()


def a_server(folder: Path) -> Running:
    """One that was never started."""
    home = Home(folder)
    return Running(Part(Process("server", home, ["true"], folder=folder, environment={}), "nowhere"), home)


def test_a_server_that_ends_leaves_nothing(left: Path) -> None:
    (left / "00.log").write_text("records")
    a_server(left).end()
    assert not left.exists()


def test_a_server_that_ends_leaves_what_a_secret_stands_in(left: Path) -> None:
    (left / "00.log").write_text(keys.new_secret())
    (left / "00.index").write_text(keys.new_secret())  # numbers alone, which nobody reads
    a_server(left).end()
    assert canary.found_below(left) == [left / "00.log"]
