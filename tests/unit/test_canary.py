"""The search for a secret finds it where it stands, or the search after the test run would say nothing."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from newsroom import keys
from tests import canary


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
