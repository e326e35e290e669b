"""Copies of files in memory: never one of a file that is no longer the one in its place."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from services.render.copies import Copies, Copy

PAGE = "/a/index.html"
EIGHTH = 8 * 1024


@pytest.fixture
def root(tmp_path: Path) -> Path:
    place = tmp_path / "public"
    put(place, PAGE, b"old")
    return place


@pytest.fixture
def _later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file was there for a while."""
    monkeypatch.setattr("services.render.copies.time", SimpleNamespace(time=lambda: time.time() + 60))


def put(root: Path, name: str, content: bytes) -> Path:
    """As the site's pages come: renamed into their place."""
    place = root / name.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    written = root.parent / "written"
    written.write_bytes(content)
    return written.replace(place)


def taken(copies: Copies, name: str = PAGE, sibling: str = "") -> Copy:
    copy = copies.take(name, sibling)
    assert copy is not None
    return copy


@pytest.mark.usefixtures("_later")
def test_what_stands_is_read_once(root: Path) -> None:
    copies = Copies(root)
    assert taken(copies) is taken(copies)
    assert taken(copies).whole is taken(copies).whole


def test_what_came_just_now_is_read_each_time(root: Path) -> None:
    """Another may come in the same tick of the file system's clock, with the same number and size."""
    copies = Copies(root)
    assert taken(copies) is not taken(copies)
    assert copies.bytes == 0


def rename_another(place: Path) -> None:
    put(place.parent.parent, PAGE, b"new")


def write_into(place: Path) -> None:
    place.write_bytes(b"new")


def rename_another_of_the_same_age(place: Path) -> None:
    """Such as a backup that was put back: only number and time of change are others."""
    before = place.stat()
    rename_another(place)
    os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.usefixtures("_later")
@pytest.mark.parametrize("change", [rename_another, write_into, rename_another_of_the_same_age])
def test_another_file_shows_at_once(root: Path, change: Callable[[Path], None]) -> None:
    copies = Copies(root)
    old = taken(copies)
    change(root / PAGE.lstrip("/"))
    assert taken(copies).content == b"new"
    assert taken(copies).etag != old.etag


@pytest.mark.usefixtures("_later")
@pytest.mark.parametrize("link", [None, "elsewhere.html"])
def test_what_is_gone_is_gone_at_once(root: Path, link: str | None) -> None:
    """Also where a link to the very file is put in its place."""
    copies = Copies(root)
    taken(copies)
    place = root / PAGE.lstrip("/")
    place.rename(place.with_name("elsewhere.html"))
    if link:
        place.symlink_to(link)
    assert copies.take(PAGE) is None
    assert copies.bytes == 0


@pytest.mark.usefixtures("_later")
def test_encodings_are_copies_of_their_own(root: Path) -> None:
    put(root, f"{PAGE}.br", b"packed")
    copies = Copies(root)
    for _ in range(2):
        assert taken(copies, sibling=".br").whole.headers["content-encoding"] == "br"
        assert "content-encoding" not in taken(copies).whole.headers
    assert copies.take(PAGE, ".gz") is None


@pytest.mark.usefixtures("_later")
def test_copies_are_bounded_and_what_is_asked_for_stays(root: Path) -> None:
    names = [f"/{number}.html" for number in range(40)]
    for name in names:
        put(root, name, b"x" * 2_000)
    copies = Copies(root, most_bytes=8 * EIGHTH)
    first = taken(copies, names[0])
    for name in names:
        taken(copies, name)
        assert taken(copies, names[0]) is first
        assert copies.bytes <= 8 * EIGHTH
    assert copies.bytes > 6 * EIGHTH


@pytest.mark.usefixtures("_later")
def test_one_file_does_not_take_the_room_of_all_others(root: Path) -> None:
    put(root, "/sitemap.xml", b"x" * EIGHTH)
    copies = Copies(root, most_bytes=8 * EIGHTH)
    page = taken(copies)
    assert taken(copies, "/sitemap.xml") is not taken(copies, "/sitemap.xml")
    assert taken(copies) is page


def test_nothing_but_what_the_site_has_is_taken(root: Path) -> None:
    put(root, "/a/notes.md", b"words")
    assert Copies(root).take("/a/notes.md") is None
