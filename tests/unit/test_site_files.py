"""Files come whole and in order, in every encoding, whatever reads or writes beside us."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gzip
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import brotli  # type: ignore[import-untyped]
import pytest

from newsroom.errors import Away
from services.render.files import OutsideTheSite, read_file
from services.render.site import SiteFolder
from services.render.temporary import Overtaken, Version

PAGE = "/kazakhstan/2023/06/20/bank/index.html"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[SiteFolder]:
    folder = SiteFolder(tmp_path / "pages")
    folder.open()
    yield folder
    folder.close()


def everything(folder: SiteFolder) -> list[str]:
    """Every file that stands, siblings too."""
    return sorted(
        "/" + path.relative_to(folder.root).as_posix() for path in folder.root.rglob("*") if path.is_file()
    )


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def opened(folder: SiteFolder, path: str) -> dict[str, bytes]:
    """What stands at a path in each encoding, decompressed."""
    unpack: dict[str, Callable[[bytes], bytes]] = {
        "": bytes,
        ".br": brotli.decompress,
        ".gz": gzip.decompress,
    }
    return {
        suffix: take((folder.root / (path + suffix).lstrip("/")).read_bytes())
        for suffix, take in unpack.items()
    }


async def test_a_page_stands_in_every_encoding(folder: SiteFolder) -> None:
    """Identity, Brotli and gzip say the same."""
    await folder.settle({PAGE: b"<p>words</p>" * 50})
    assert set(opened(folder, PAGE).values()) == {b"<p>words</p>" * 50}


async def test_equal_content_gives_equal_bytes(folder: SiteFolder, tmp_path: Path) -> None:
    """No time, no process leaves a trace in a file, compressed or not."""
    other = SiteFolder(tmp_path / "other")
    other.open()
    for each in (folder, other):
        await each.settle({PAGE: b"<p>words</p>"})
    for suffix in ("", ".br", ".gz"):
        assert read_file(folder.root, PAGE + suffix) == read_file(other.root, PAGE + suffix)
    other.close()


async def test_what_stands_already_is_left_alone(folder: SiteFolder) -> None:
    """The same bytes again touch nothing; a lost or stale sibling has everything written again."""
    await folder.settle({PAGE: b"<p>words</p>"})
    place = folder.root / PAGE.lstrip("/")
    before = place.stat().st_ino
    await folder.settle({PAGE: b"<p>words</p>"})
    assert place.stat().st_ino == before
    place.with_name("index.html.br").write_bytes(brotli.compress(b"<p>old words</p>"))
    await folder.settle({PAGE: b"<p>words</p>"})
    assert set(opened(folder, PAGE).values()) == {b"<p>words</p>"}


async def test_a_page_is_shown_at_once_and_its_siblings_follow(folder: SiteFolder) -> None:
    """What was written ahead needs one rename; no sibling of the former page stands beside the new one."""
    await folder.settle({PAGE: b"old"})
    files = {PAGE: b"new", "/kazakhstan/2023/06/20/bank/history/index.html": b"history"}
    async with folder.ahead(files) as ahead:
        assert all([await ahead.written(path) for path in files])
        assert set(opened(folder, PAGE).values()) == {b"old"}
        await folder.show(ahead)
        assert everything(folder) == sorted(files)
        assert read_file(folder.root, PAGE) == b"new"
        await folder.settle(files)
    assert set(opened(folder, PAGE).values()) == {b"new"}
    assert len(everything(folder)) == 6


async def test_what_was_written_ahead_in_vain_leaves_nothing(folder: SiteFolder, tmp_path: Path) -> None:
    """The update turned out to be an old one, or something failed in between."""
    with contextlib.suppress(ZeroDivisionError):
        async with folder.ahead({PAGE: b"words"}) as ahead:
            await ahead.written(PAGE)
            raise ZeroDivisionError
    assert everything(folder) == []
    assert list((tmp_path / "pages").glob("tmp-*/*")) == []


async def test_what_stands_already_is_not_written_ahead(folder: SiteFolder) -> None:
    """A redelivered update touches nothing."""
    await folder.settle({PAGE: b"words"})
    before = (folder.root / PAGE.lstrip("/")).stat().st_ino
    async with folder.ahead({PAGE: b"words"}) as ahead:
        assert await ahead.written(PAGE) is None
        await folder.show(ahead)
    assert (folder.root / PAGE.lstrip("/")).stat().st_ino == before
    assert set(opened(folder, PAGE).values()) == {b"words"}


async def test_a_place_keeps_only_what_is_settled_there(folder: SiteFolder) -> None:
    """What else stood directly in the folder goes, what stands below it stays, and empty folders go too."""
    await folder.settle({PAGE: b"one", "/kazakhstan/index.html": b"front", "/kazakhstan/feed.atom": b"feed"})
    await folder.settle({"/kazakhstan/index.html": b"front"}, ["/kazakhstan/"])
    assert await folder.paths() == [PAGE, "/kazakhstan/index.html"]
    await folder.settle({}, ["/kazakhstan/2023/06/20/bank/", "/kazakhstan/", "/feed.atom"])
    assert everything(folder) == []
    assert list(folder.root.iterdir()) == []


async def test_a_page_moves_without_a_moment_of_absence(folder: SiteFolder) -> None:
    """The former address is removed only after the new page stands."""
    await folder.settle({PAGE: b"one"})
    seen: list[tuple[bool, bool]] = []
    moved = "/world/2023/06/20/bank/index.html"

    def look() -> None:
        seen.append((read_file(folder.root, PAGE) is not None, read_file(folder.root, moved) is not None))

    stop = _watching(look)
    await folder.settle({moved: b"one"}, ["/kazakhstan/2023/06/20/bank/", "/world/2023/06/20/bank/"])
    stop()
    look()
    assert seen[-1] == (False, True)
    assert (False, False) not in seen


@pytest.mark.parametrize(
    "path",
    [
        "index.html", "/", "//index.html", "/../secret.html", "/a/../../secret.html",
        "/a/./index.html", "/a//b.html",        "/a\\b.html", "/a\0.html", "/a/..", "", "/a/",
    ],
)  # fmt: skip
async def test_no_path_leads_out_of_the_served_root(folder: SiteFolder, path: str) -> None:
    """Paths come from data."""
    with pytest.raises(OutsideTheSite):
        await folder.settle({path: b"words"})
    assert read_file(folder.root, path) is None


async def test_links_are_neither_followed_nor_read(folder: SiteFolder, tmp_path: Path) -> None:
    """A link in the pages folder leads nowhere, for writing and for reading: a page takes its place."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.html").write_bytes(b"secret")
    (folder.root / "linked").symlink_to(outside)
    (folder.root / "page.html").symlink_to(outside / "secret.html")
    assert read_file(folder.root, "/linked/secret.html") is None
    await folder.settle({"/linked/index.html": b"words"})
    assert read_file(folder.root, "/linked/index.html") == b"words"
    assert names_in(outside) == ["secret.html"]
    assert read_file(folder.root, "/page.html") is None
    await folder.settle({"/page.html": b"words"})
    assert (outside / "secret.html").read_bytes() == b"secret"


@pytest.mark.parametrize("name", ["index.html.br", "gone.html.gz", "stray.html", ".br", "page.br"])
async def test_what_is_no_file_of_ours_goes_from_a_place_that_is_settled(
    folder: SiteFolder, name: str
) -> None:
    """A sibling without its page, and what is only called like one."""
    await folder.settle({"/kazakhstan/other.html": b"words"})
    (folder.root / "kazakhstan" / name).write_bytes(b"foreign")
    await folder.settle({"/kazakhstan/other.html": b"words"}, ["/kazakhstan/"])
    assert sorted(names_in(folder.root / "kazakhstan")) == ["other.html", "other.html.br", "other.html.gz"]


@pytest.mark.parametrize("is_shown", [True, False])
@pytest.mark.parametrize("foreign", ["link to a folder", "dangling link", "file", "pipe", "folder"])
async def test_what_others_put_where_a_page_is_to_be_goes(
    folder: SiteFolder, tmp_path: Path, foreign: str, is_shown: bool
) -> None:
    """Render would end of it at each start. What a link leads to stays as it is."""
    (folder.root / "other").mkdir()
    place = folder.root / "kazakhstan"
    match foreign:
        case "link to a folder":
            place.symlink_to(folder.root / "other")
        case "dangling link":
            place.symlink_to(tmp_path / "nowhere")
        case "file":
            place.write_bytes(b"in the way")
        case "pipe":
            os.mkfifo(place)
        case "folder":
            (place / "index.html" / "deeper").mkdir(parents=True)
    if is_shown:
        async with folder.ahead({"/kazakhstan/index.html": b"words"}) as ahead:
            await folder.show(ahead)
    await folder.settle({"/kazakhstan/index.html": b"words"}, ["/kazakhstan/former.html"])
    assert set(opened(folder, "/kazakhstan/index.html").values()) == {b"words"}
    assert names_in(folder.root / "other") == []


@pytest.mark.parametrize("is_shown", [True, False])
async def test_what_is_in_the_way_on_a_read_only_disk_is_an_outage(
    folder: SiteFolder, monkeypatch: pytest.MonkeyPatch, is_shown: bool
) -> None:
    (folder.root / "kazakhstan").symlink_to(folder.root)

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    files = {"/kazakhstan/index.html": b"words"}
    async with folder.ahead(files) as ahead:
        await ahead.written("/kazakhstan/index.html")
        with monkeypatch.context() as patch:
            patch.setattr(Path, "unlink", fail)
            with pytest.raises(Away, match="pages folder"):
                await (folder.show(ahead) if is_shown else folder.settle(files))
        await folder.show(ahead)
    assert read_file(folder.root, "/kazakhstan/index.html") == b"words"


async def test_links_and_names_that_no_page_has_are_removed(folder: SiteFolder, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.html").write_bytes(b"secret")
    await folder.settle({PAGE: b"words"})
    page = folder.root / PAGE.lstrip("/")
    (folder.root / "leak").symlink_to(outside)
    page.with_name("leak.html").symlink_to(outside / "secret.html")
    page.with_name("back\\slash.html").touch()
    (folder.root / "new\nline").mkdir()
    (folder.root / "new\nline" / "index.html").touch()
    (folder.root / os.fsdecode(b"\xff.html")).touch()
    await folder.remove_foreign()
    assert everything(folder) == [PAGE, f"{PAGE}.br", f"{PAGE}.gz"]
    assert names_in(folder.root) == ["kazakhstan"]
    assert names_in(outside) == ["secret.html"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EIO])
async def test_a_full_or_broken_disk_is_an_outage(
    folder: SiteFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int
) -> None:
    """It is told as Away, the page that stood still stands, and no temporary file is left."""
    await folder.settle({PAGE: b"one"})

    def fail(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", fail)
        with pytest.raises(Away, match="pages folder"):
            await folder.settle({PAGE: b"two"})
    assert set(opened(folder, PAGE).values()) == {b"one"}
    assert list((tmp_path / "pages").glob("tmp-*/*")) == []
    await folder.settle({PAGE: b"two"})
    assert set(opened(folder, PAGE).values()) == {b"two"}


OLD, NEW = Version("a1", 2), Version("a1", 5)


@pytest.fixture
def other(folder: SiteFolder) -> Iterator[SiteFolder]:
    """Another process's way into the same folder."""
    other = SiteFolder(folder.root.parent)
    other.open()
    yield other
    other.close()


def temporary_files(folder: SiteFolder) -> list[str]:
    return [path.name for path in folder.root.parent.glob("tmp-*/*")]


async def test_an_old_page_that_lies_ready_is_not_put_over_a_newer_one(
    folder: SiteFolder, other: SiteFolder
) -> None:
    """Its owner was paused, and wakes when another has gone on."""
    async with folder.ahead({PAGE: b"old"}, OLD) as ahead:
        assert await ahead.written(PAGE)
        async with other.ahead({PAGE: b"new"}, NEW) as newer:
            await other.show(newer)
        with pytest.raises(Overtaken):
            await folder.show(ahead)
    assert read_file(folder.root, PAGE) == b"new"
    await other.settle({PAGE: b"new"}, version=NEW)
    assert set(opened(folder, PAGE).values()) == {b"new"}
    assert temporary_files(folder) == []


async def test_an_old_page_that_is_not_written_yet_is_not_put_over_a_newer_one(
    folder: SiteFolder, other: SiteFolder
) -> None:
    """Its place among the temporary files is taken before the read model is asked, its bytes come later."""
    async with folder.ahead({PAGE: b"old"}, OLD) as ahead:
        await other.settle({PAGE: b"new"}, version=NEW)
        with pytest.raises(Overtaken):
            await folder.show(ahead)
    assert set(opened(folder, PAGE).values()) == {b"new"}


async def test_old_files_are_not_settled_over_newer_ones(folder: SiteFolder, other: SiteFolder) -> None:
    """In no encoding: another goes on between the question who is the newest, and the first rename."""

    async def is_newest() -> bool:
        assert await other.settle({PAGE: b"new"}, version=NEW)
        return True

    assert not await folder.settle({PAGE: b"old"}, version=OLD, is_newest=is_newest)
    assert set(opened(folder, PAGE).values()) == {b"new"}
    assert temporary_files(folder) == []


async def test_what_is_left_alone_is_looked_at_again_once_no_older_file_can_come(
    folder: SiteFolder, other: SiteFolder
) -> None:
    """Another was the newest before us and was paused: it renames its old page over what stands."""
    await folder.settle({PAGE: b"new"})

    async def is_newest() -> bool:
        assert await other.settle({PAGE: b"old"}, version=OLD)
        return True

    assert not await folder.settle({PAGE: b"new"}, version=NEW, is_newest=is_newest)
    assert await folder.settle({PAGE: b"new"}, version=NEW)
    assert set(opened(folder, PAGE).values()) == {b"new"}
    assert temporary_files(folder) == []


@pytest.mark.parametrize("suffix", ["", ".br", ".gz"])
async def test_a_file_that_is_left_alone_and_goes_is_written_again(folder: SiteFolder, suffix: str) -> None:
    """A page and its siblings, each: what another renamed or removed meanwhile is not what was looked at."""
    await folder.settle({PAGE: b"new"})
    place = folder.root / (PAGE + suffix).lstrip("/")

    async def is_newest() -> bool:
        place.unlink()
        return True

    assert not await folder.settle({PAGE: b"new"}, version=NEW, is_newest=is_newest)
    assert await folder.settle({PAGE: b"new"}, version=NEW)
    assert set(opened(folder, PAGE).values()) == {b"new"}


async def test_what_is_left_alone_is_not_touched_for_being_looked_at(folder: SiteFolder) -> None:
    await folder.settle({PAGE: b"new"})
    before = (folder.root / PAGE.lstrip("/")).stat().st_ino
    assert await folder.settle({PAGE: b"new"}, version=NEW)
    assert (folder.root / PAGE.lstrip("/")).stat().st_ino == before


async def test_who_is_not_the_newest_touches_nothing(folder: SiteFolder) -> None:
    async def is_newest() -> bool:
        return False

    await folder.settle({PAGE: b"new"})
    assert not await folder.settle({PAGE: b"old"}, [PAGE, "/x/"], version=OLD, is_newest=is_newest)
    assert set(opened(folder, PAGE).values()) == {b"new"}
    assert temporary_files(folder) == []


@pytest.mark.parametrize("version", [Version("a1", 5), Version("a1", 1), Version("b2", 9), None])
async def test_only_older_files_of_the_same_subject_give_way(
    folder: SiteFolder, other: SiteFolder, version: Version | None
) -> None:
    async with folder.ahead({PAGE: b"mine"}, NEW) as ahead:
        assert await ahead.written(PAGE)
        assert await other.settle({"/other.html": b"words"}, version=version)
        await folder.show(ahead)
    assert read_file(folder.root, PAGE) == b"mine"


def test_temporary_files_of_the_dead_are_removed_and_of_the_living_are_not(tmp_path: Path) -> None:
    """Who lives is told by a lock, which ends with its process however that ended."""
    living, dead = SiteFolder(tmp_path), SiteFolder(tmp_path)
    living.open()
    (tmp_path / "tmp-0000dead").mkdir()
    (tmp_path / "tmp-0000dead" / "7").write_bytes(b"half a page")
    (tmp_path / "tmp-0000dead.lock").touch()
    dead.open()
    assert not (tmp_path / "tmp-0000dead").exists()
    assert len([path for path in tmp_path.glob("tmp-*") if path.is_dir()]) == 2
    dead.close()
    living.close()
    assert [path.name for path in tmp_path.iterdir()] == ["public"]


async def test_a_reader_never_sees_half_a_page_or_an_older_after_a_newer(folder: SiteFolder) -> None:
    """One reader fetches as a server does, in turns in each encoding, while revisions are written."""
    last, problems, reads = 150, list[str](), 0
    seen = 0

    def look() -> None:
        nonlocal seen, reads
        for suffix, unpack in (("", bytes), (".br", brotli.decompress), (".gz", gzip.decompress)):
            packed = read_file(folder.root, PAGE + suffix)
            if packed is None and suffix:
                packed, unpack = read_file(folder.root, PAGE), bytes
            if packed is None:
                problems.append("no page") if seen else None
                continue
            reads += 1
            content = unpack(packed)
            revision = int(content[:6])
            if content != a_page(revision):
                problems.append(f"torn: {content[:20]!r} in {suffix or 'identity'}")
            if revision < seen:
                problems.append(f"{revision} after {seen} in {suffix or 'identity'}")
            seen = max(seen, revision)

    stop = _watching(look)
    for revision in range(1, last + 1):
        async with folder.ahead({PAGE: a_page(revision)}) as ahead:
            if revision % 2:
                await folder.show(ahead)
            await folder.settle({PAGE: a_page(revision)}, ["/kazakhstan/2023/06/20/bank/"])
    stop()
    look()
    assert problems == []
    assert seen == last
    assert reads > last


async def test_writers_that_make_and_remove_neighbours_do_not_trip_each_other(folder: SiteFolder) -> None:
    """A folder removed as empty while another page is put into it is made again."""

    async def come_and_go(name: str) -> None:
        for _ in range(40):
            await folder.settle({f"/tags/{name}/index.html": b"words"})
            await folder.settle({}, [f"/tags/{name}/"])

    await asyncio.gather(*(come_and_go(name) for name in "abcd"))
    assert everything(folder) == []


def a_page(revision: int) -> bytes:
    return f"{revision:06d}".encode() + f" words of {revision}".encode() * 400


def _watching(look: Callable[[], None]) -> Callable[[], None]:
    """Look again and again in a thread until told to stop."""
    over = threading.Event()

    def run() -> None:
        while not over.is_set():
            look()

    thread = threading.Thread(target=run)
    thread.start()

    def stop() -> None:
        over.set()
        thread.join()

    return stop
