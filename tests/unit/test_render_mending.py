"""A page taken away by an owner that came late comes back, whatever is away then and whoever is killed.

That an old page is not put back is shown with the files (`test_site_files.py`) and the updates.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from newsroom.addresses import HOME
from newsroom.errors import Away
from newsroom.kafka.fake import FakeLog, FakePublisher
from newsroom.records import Message, Position
from services.render.cards import Card
from services.render.mending import Mender
from services.render.notes import noted_in
from services.render.standing import ArticleState
from tests.render_parts import MemoryReadModel, PlainPages, a_public, a_withdrawn, until
from tests.render_world import SmallRender

SOON = 0.01


class Failing(MemoryReadModel):
    """A read model that another owner moves on behind our back, and that is away as often as is said.

    `meanwhile` is awaited once, when an article's revision or a listing's cards were read.
    """

    def __init__(self, shared: MemoryReadModel) -> None:
        super().__init__()
        self.states, self._turns = shared.states, shared._turns
        self.meanwhile: Callable[[], Awaitable[None]] | None = None
        self.away = 0
        self.asked = asyncio.Event()
        self.hangs = False

    async def cards(self, listing: str, limit: int) -> tuple[Card, ...]:
        found = await super().cards(listing, limit)
        await self._pause()
        return found

    async def revision(self, article_id: str) -> int | None:
        if self.meanwhile is None:
            await self._answer()
        found = await super().revision(article_id)
        await self._pause()
        return found

    async def turn(self, listing: str) -> int:
        await self._answer()
        return await super().turn(listing)

    async def _pause(self) -> None:
        if self.meanwhile is not None:
            act, self.meanwhile = self.meanwhile, None
            await act()

    async def _answer(self) -> None:
        self.asked.set()
        if self.hangs:
            await asyncio.Event().wait()
        if self.away:
            self.away -= 1
            raise Away("mongodb", "switched off")


class Newsroom:
    """Two instances on one folder; the late one takes a withdrawal, and is overtaken by a publication when it
    has made sure that it is the newest, right before it removes the page.
    """

    def __init__(self, folder: Path) -> None:
        self.other = SmallRender(folder)
        self.model = Failing(self.other.model)
        self.late = SmallRender(folder, model=self.model, log=self.other.log)
        self.model.meanwhile = self._publish_again

    async def _publish_again(self) -> None:
        await self.other.take(a_public(revision=3))

    async def withdraw(self) -> None:
        await self.late.take(a_withdrawn(a_public(), 2))

    def is_public(self) -> bool:
        return any("Headline 3" in self.late.text(file) for file in self.pages())

    def pages(self) -> list[str]:
        path = a_public().path
        assert path is not None
        return [file for file in self.late.files() if file == f"{path}index.html"]

    def notes(self) -> list[str]:
        folder = self.late.folder.root.parent
        return sorted(note for temporary in folder.glob("tmp-*/") for note in noted_in(temporary))

    def processes(self) -> int:
        """How many have a folder of their own."""
        return len(list(self.late.folder.root.parent.glob("tmp-*.lock")))

    async def is_noteless(self) -> None:
        await until(lambda: not self.notes(), "the notes are gone")


@pytest.fixture
async def newsroom(tmp_path: Path) -> Newsroom:
    newsroom = Newsroom(tmp_path)
    await newsroom.other.take(a_public())
    return newsroom


@contextlib.asynccontextmanager
async def mending(render: SmallRender, look_seconds: float = SOON) -> AsyncIterator[None]:
    """Its mender at work; a failure of it fails the test."""
    mender = Mender(render.folder, render.updates, render.listings, look_seconds=look_seconds)
    task = asyncio.create_task(mender.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_a_late_writer_that_cannot_compare_compares_later(newsroom: Newsroom) -> None:
    """The database is away when it wakes; its batch may be dropped, its page is looked at again."""
    newsroom.model.away = 2
    async with mending(newsroom.late, look_seconds=60):
        with pytest.raises(Away):
            await newsroom.withdraw()
        assert not newsroom.pages()
        await until(newsroom.is_public, "the page is back")
        await newsroom.is_noteless()


async def test_a_late_writer_that_is_killed_is_made_good_for(newsroom: Newsroom) -> None:
    """Between its removal and its comparison; any living instance takes over what it had noted."""
    newsroom.model.hangs = True
    writing = asyncio.create_task(newsroom.withdraw())
    await newsroom.model.asked.wait()
    assert not newsroom.pages()
    async with mending(newsroom.other):
        assert newsroom.notes() == ["a1"]
        writing.cancel()
        await asyncio.wait([writing])
        assert newsroom.late.folder.unverified.left() == {}, "its threads may be writing still"
        _die(newsroom.late)
        await until(newsroom.is_public, "the page is back")
        await newsroom.is_noteless()


async def test_a_process_that_ends_in_doubt_leaves_that_to_the_next(
    newsroom: Newsroom, tmp_path: Path
) -> None:
    """It stopped in order, with the database away."""
    newsroom.model.away = 1
    with pytest.raises(Away):
        await newsroom.withdraw()
    newsroom.late.folder.close()
    next_one = SmallRender(tmp_path, model=newsroom.other.model, log=newsroom.other.log)
    async with mending(next_one):
        await until(newsroom.is_public, "the page is back")
        await newsroom.is_noteless()
    assert newsroom.processes() == 2


async def test_a_late_listing_is_not_put_in_place(newsroom: Newsroom) -> None:
    """It would show the withdrawn article, and cannot be compared."""
    other = newsroom.other
    await other.list_marked()

    async def withdraw() -> None:
        await other.take(a_withdrawn(a_public(), 2))
        await other.list_marked()

    newsroom.model.meanwhile = withdraw
    newsroom.model.away = 1
    with pytest.raises(Away):
        await newsroom.late.listings.write(HOME)
    assert "Headline" not in other.text(HOME)
    assert newsroom.late.folder.unverified.left() == {}


async def test_what_was_compared_leaves_no_doubt(newsroom: Newsroom) -> None:
    """Not after an outage of the log either, which comes later."""
    newsroom.model.meanwhile = None
    newsroom.other.log.go_away()
    with pytest.raises(Away):
        await newsroom.late.take(a_public(revision=2))
    assert newsroom.late.folder.unverified.left() == {}
    await newsroom.other.log.come_back()
    await newsroom.late.take(a_public(revision=2))
    await newsroom.late.list_marked()
    assert newsroom.late.folder.unverified.left() == {}
    await newsroom.is_noteless()


async def test_a_writer_that_touched_nothing_leaves_no_doubt(newsroom: Newsroom) -> None:
    """The database was away from the first."""
    newsroom.model.meanwhile = _away
    with pytest.raises(Away):
        await newsroom.withdraw()
    assert newsroom.late.folder.unverified.left() == {}
    assert newsroom.notes() == []


async def test_a_page_that_found_no_room_leaves_no_doubt(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was never renamed in."""

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "no room")

    newsroom.model.meanwhile = None
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(Away):
        await newsroom.late.take(a_public(revision=2))
    assert newsroom.late.folder.unverified.left() == {}


async def test_a_late_writer_compares_while_it_waits_for_the_log(newsroom: Newsroom) -> None:
    """What it did wrong is mended long before a stale connection is given up."""
    publisher = Stale(newsroom.other.log)
    newsroom.late.updates._publisher = publisher
    writing = asyncio.create_task(newsroom.withdraw())
    await publisher.asked.wait()
    await until(newsroom.is_public, "the page is back")
    writing.cancel()
    await asyncio.wait([writing])


class Stale(FakePublisher):
    """Never answers."""

    def __init__(self, log: FakeLog) -> None:
        super().__init__(log)
        self.asked = asyncio.Event()

    async def publish_all(self, messages: Sequence[Message]) -> list[Position]:
        self.asked.set()
        await asyncio.Event().wait()
        raise AssertionError(f"{len(messages)} messages were answered for")


async def test_one_writer_does_not_answer_for_another(newsroom: Newsroom) -> None:
    """Both have the same article in hand; that one of them has compared says nothing of the other's page."""
    unverified = newsroom.late.folder.unverified
    with contextlib.suppress(Away), unverified.touching("a1") as first:
        first.note()
        with unverified.touching("a1") as second:
            second.note()
            second.verified()
        newsroom.late.folder._writers.submit(lambda: None).result()
        assert newsroom.notes() == ["a1"]
        raise Away("mongodb", "switched off")
    (number,) = unverified.left().values()
    unverified.mended("a1", number - 1)
    assert list(unverified.left()) == ["a1"]
    unverified.mended("a1", number)
    await newsroom.is_noteless()


async def test_what_cannot_be_drawn_any_more_is_told_and_let_be(tmp_path: Path) -> None:
    """The mender goes on with the rest."""
    render = SmallRender(tmp_path, pages=PlainPages(breaks_on=["Broken"]))
    await render.take(a_public("b2"))
    render.model.states["a1"] = await _state("a1", tmp_path / "elsewhere")
    for path in list(render.files()):
        (render.folder.root / path.lstrip("/")).unlink()
    for article_id in ("a1", "b2", "never-met"):
        with contextlib.suppress(Away), render.folder.unverified.touching(article_id) as touch:
            touch.note()
            raise Away("mongodb", "switched off")
    async with mending(render):
        await until(lambda: not render.folder.unverified.left(), "all were looked at")
    assert {path.split("/")[-2] for path in render.files()} == {page_name("b2"), "history"}


def test_a_full_disk_hinders_no_removal(tmp_path: Path) -> None:
    """A note that finds no room is kept in memory."""
    render = SmallRender(tmp_path)
    unverified = render.folder.unverified
    unverified.notes.folder = tmp_path / "not there"
    with contextlib.suppress(Away), unverified.touching("a1") as touch:
        touch.note()
        raise Away("mongodb", "switched off")
    assert list(unverified.left()) == ["a1"]


async def _away() -> None:
    raise Away("mongodb", "switched off")


async def _state(article_id: str, folder: Path) -> ArticleState:
    elsewhere = SmallRender(folder)
    await elsewhere.take(a_public(article_id, headline="Broken"))
    return elsewhere.model.states[article_id]


def page_name(article_id: str) -> str:
    path = a_public(article_id).path
    assert path is not None
    return path.split("/")[-2]


def _die(render: SmallRender) -> None:
    """As after a kill: the lock is free, and nothing is tidied up."""
    assert render.folder._lock is not None
    os.close(render.folder._lock)
    render.folder._lock = None
