"""Small file systems: full to the last byte, read-only, and gone afterwards. Mounting is for root."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from desk.parts.home import Home
from faults.fault import Plan
from faults.stage import rooms
from faults.stage.rooms import NO_MOUNT, Room, can_mount, lacking, rooms_of, unmount_below


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """Of one MiB, with a file in it. Where nothing may be mounted the test is skipped."""
    if not can_mount():
        pytest.skip(NO_MOUNT)
    made = Room(tmp_path / "site", 1)
    made.open()
    (made.folder / "page").write_bytes(b"whole")
    yield made
    unmount_below(tmp_path)


def error_of_writing(room: Room) -> int | None:
    try:
        (room.folder / "new").write_bytes(bytes(10))
    except OSError as error:
        return error.errno
    return None


def test_a_full_room_takes_not_a_byte_until_it_is_freed(room: Room) -> None:
    room.fill()
    assert error_of_writing(room) == errno.ENOSPC
    room.free()
    assert error_of_writing(room) is None


def test_a_read_only_room_is_so_also_while_somebody_holds_a_file_open(room: Room) -> None:
    with (room.folder / "lock").open("w") as held:
        room.read_only()
        assert error_of_writing(room) == errno.EROFS
        assert (room.folder / "page").read_bytes() == b"whole"
        room.writable()
        assert error_of_writing(room) is None
        held.write("still there")


def test_nothing_stays_mounted_below_a_folder(room: Room, tmp_path: Path) -> None:
    room.read_only()
    unmount_below(tmp_path)
    assert not (room.folder / "page").exists()
    assert str(room.folder) not in Path("/proc/self/mounts").read_text()


def test_a_plan_has_the_rooms_that_it_asks_for(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert rooms_of(Plan(), home) == {}
    assert [room.folder for room in rooms_of(Plan(pages_mib=8, log_mib=9), home).values()] == [
        home.site, home.kafka
    ]  # fmt: skip


def test_who_may_not_mount_hears_it_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """For plans that need it, and for no others."""
    monkeypatch.setattr(rooms, "can_mount", lambda: False)
    assert lacking(Plan(log_mib=64)) == NO_MOUNT
    assert lacking(Plan()) is None
