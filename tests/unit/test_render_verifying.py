"""The site compared with a rebuild: whatever differs is told, nothing else is, and nothing is written."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from newsroom.announced import AnnouncedPart
from newsroom.updates import ArticleUpdate, ChangeKind, EntryUpdate
from services.render.comparison import Difference, What
from services.render.pages import Pages
from services.render.redrawing import Redrawing
from services.render.verifying import Totals, Verifier
from tests.render_parts import (
    PlainPages,
    a_change,
    a_draft,
    a_history,
    a_live,
    a_post,
    a_public,
    a_retracted,
    a_site,
    a_withdrawn,
)
from tests.render_world import SmallRender

PAGE = "index.html"


class StoreSays:
    """What the store would announce, in parts of two. `asked`: what is done when one is asked for again."""

    def __init__(self, *updates: ArticleUpdate) -> None:
        self.updates = {update.article_id: update for update in updates}
        self.posts: list[EntryUpdate] = []
        self.asked: Callable[[str], None] = lambda _: None

    async def part(self, after: str) -> AnnouncedPart:
        later = sorted(each for each in self.updates if each > after)
        found = tuple(self.updates[each] for each in later[:2])
        more = found[-1].article_id if len(later) > 2 else None
        return AnnouncedPart(updates=found, total=len(self.updates), next=more)

    async def entries(self, article_id: str) -> list[EntryUpdate]:
        return [entry for entry in self.posts if entry.article_id == article_id]

    async def one(self, article_id: str) -> ArticleUpdate | None:
        self.asked(article_id)
        return self.updates.get(article_id)


class Compared:
    """A site in small, rendered from what the store says."""

    def __init__(self, folder: Path, pages: Pages | None = None) -> None:
        self.pages: Pages = pages or PlainPages()
        self.render = SmallRender(folder, pages=self.pages)
        self.store = StoreSays()
        self.totals = Totals()

    async def holds(self, *updates: ArticleUpdate) -> None:
        """Both sides have these, and everything is rendered."""
        self.store.updates |= {update.article_id: update for update in updates}
        await self.render.folder.settle(self.pages.fixed())
        await self.render.lay_ground()
        await self.render.take(*updates)
        await self.render.list_marked()

    async def differences(self, *, looks: Iterable[float] = (0, 0)) -> list[Difference]:
        drawing = Redrawing(self.render.model, self.pages, self.render.listings, self.store)
        verifier = Verifier(
            model=self.render.model,
            root=self.render.folder.root,
            site=a_site(),
            fixed=self.pages.fixed(),
            announced=self.store,
            drawing=drawing,
            pause_seconds=0,
            look_again_seconds=tuple(looks),
        )
        found: list[Difference] = []
        async for progress in verifier.run():
            found += progress.differences
            self.totals = progress.totals
        return found

    async def told(self) -> set[tuple[What, str]]:
        return {(each.what, each.path) for each in await self.differences()}

    def litter(self, folder: str, *names: bytes) -> None:
        """Files of any name in a folder of the site."""
        for name in names:
            Path(os.fsdecode(bytes(self.place(folder)) + b"/" + name)).write_bytes(b"stray")

    def place(self, path: str) -> Path:
        return self.render.folder.root / path.lstrip("/")


@pytest.fixture
async def compared(tmp_path: Path) -> Compared:
    """Five articles, of every standing."""
    site = Compared(tmp_path)
    first = a_public("a1")
    await site.holds(first, a_public("a2", 3), a_public("a3"), a_public("a4"), a_draft("a5"))
    await site.holds(a_withdrawn(site.store.updates["a3"], 2), a_retracted(site.store.updates["a4"], 2))
    return site


def path_of(compared: Compared, article_id: str) -> str:
    path = compared.store.updates[article_id].path
    assert path is not None
    return path


async def test_a_site_as_a_rebuild_would_make_it_differs_in_nothing(compared: Compared) -> None:
    """And everything was looked at: what is on disk is counted, siblings left out."""
    assert await compared.differences() == []
    pages = [path for path in compared.render.files() if not path.endswith((".br", ".gz"))]
    assert compared.totals.files == len(pages)
    assert compared.totals.articles == compared.totals.expected == 5
    assert compared.totals.listings > 5


async def test_nothing_is_written(compared: Compared) -> None:
    """Even where something differs."""
    compared.place(path_of(compared, "a1") + PAGE).write_bytes(b"tampered")
    (compared.render.folder.root / "robots.txt").unlink()
    before = {file: file.stat().st_mtime_ns for file in compared.render.folder.root.rglob("*")}
    assert len(await compared.differences()) == 2
    assert {file: file.stat().st_mtime_ns for file in compared.render.folder.root.rglob("*")} == before


@pytest.mark.parametrize("name", ["index.html", "history/index.html"])
async def test_a_page_with_other_bytes_is_told(compared: Compared, name: str) -> None:
    path = path_of(compared, "a1") + name
    compared.place(path).write_bytes(b"tampered")
    assert await compared.told() == {(What.DIFFERS, path)}


async def test_a_missing_page_is_told_with_what_it_left_behind(compared: Compared) -> None:
    path = path_of(compared, "a4") + PAGE
    compared.place(path).unlink()
    assert await compared.told() == {(What.MISSING, path)}


async def test_a_folder_that_is_missing_whole_is_told(compared: Compared) -> None:
    path = path_of(compared, "a4")
    missing = {
        (What.MISSING, path + file.relative_to(compared.place(path)).as_posix())
        for file in compared.place(path).rglob("*.html")
    }
    shutil.rmtree(compared.place(path))
    assert await compared.told() == missing


@pytest.mark.parametrize("path", ["/", "/kazakhstan/", "/updates/", "/feed.atom"])
async def test_a_listing_that_differs_is_told(compared: Compared, path: str) -> None:
    file = path + PAGE if path.endswith("/") else path
    compared.place(file).write_bytes(b"tampered")
    assert await compared.told() == {(What.DIFFERS, file)}
    compared.place(file).unlink()
    assert await compared.told() == {(What.MISSING, file)}


@pytest.mark.parametrize(
    "path",
    [
        "/stray.html",
        "/kazakhstan/stray.html",
        "/tags/nothing/index.html",
        "/assets/site.old.css",
        "/a/b/c.txt",
    ],
)
async def test_a_file_that_nothing_makes_is_told(compared: Compared, path: str) -> None:
    """With its siblings, if it has any."""
    await compared.render.folder.settle({path: b"stray"})
    assert await compared.told() == {(What.EXTRA, path + suffix) for suffix in ("", ".br", ".gz")}


async def test_whatever_lies_about_is_told_by_a_name_that_can_be_read(compared: Compared) -> None:
    """Names that no address has, bytes that are no UTF-8, a link to a folder."""
    compared.litter("/kazakhstan/", b"a\\b.html", b"\xff.html", b"\x1b[31m.html")
    compared.place("/kazakhstan/link").symlink_to(compared.place("/"), target_is_directory=True)
    assert await compared.told() == {
        (What.EXTRA, f"/kazakhstan/{name}") for name in ("a\\b.html", "\\udcff.html", "\x1b[31m.html", "link")
    }


@pytest.mark.parametrize("name", ["stray.html", "entries/9/index.html", "history/old.html"])
async def test_a_stray_within_an_article_is_told(compared: Compared, name: str) -> None:
    path = path_of(compared, "a1") + name
    compared.place(path).parent.mkdir(parents=True, exist_ok=True)
    compared.place(path).write_bytes(b"stray")
    assert await compared.told() == {(What.EXTRA, path)}


async def test_a_withdrawn_page_that_was_left_is_told(compared: Compared) -> None:
    path = path_of(compared, "a3") + PAGE
    await compared.render.folder.settle({path: b"it was withdrawn"})
    assert (What.EXTRA, path) in await compared.told()


@pytest.mark.parametrize("suffix", [".br", ".gz"])
async def test_a_compressed_sibling_is_held_to_its_page(compared: Compared, suffix: str) -> None:
    """Missing, of other bytes, or not to be unpacked."""
    path = path_of(compared, "a1") + PAGE + suffix
    for content in (None, b"no archive", gzip.compress(b"an older page")):
        compared.place(path).unlink(missing_ok=True)
        if content is not None:
            compared.place(path).write_bytes(content)
        assert await compared.told() == {(What.SIBLING, path)}


async def test_a_sibling_without_its_page_is_told(compared: Compared) -> None:
    stray = "/kazakhstan/old.html.gz"
    compared.place(stray).write_bytes(gzip.compress(b"old"))
    assert await compared.told() == {(What.EXTRA, stray)}


async def test_an_article_behind_the_store_is_told(compared: Compared) -> None:
    """Also one that render has not heard of."""
    compared.store.updates["a1"] = a_public("a1", 2)
    compared.store.updates["b1"] = a_public("b1")
    found = await compared.differences()
    assert {(each.what, each.article_id) for each in found} == {(What.BEHIND, "a1"), (What.BEHIND, "b1")}
    assert found[0].detail == "the store is at revision 2, render is at revision 1"


@pytest.mark.parametrize("article_id", ["a0", "a2", "a25", "z"])
async def test_an_article_that_only_render_knows_is_told(compared: Compared, article_id: str) -> None:
    """Before, between and after those of the store."""
    await compared.holds(a_public(article_id))
    del compared.store.updates[article_id]
    assert {(each.what, each.article_id) for each in await compared.differences()} == {
        (What.UNKNOWN, article_id)
    }


async def test_what_listings_are_made_of_is_held_to_the_store(compared: Compared) -> None:
    """So that a front that agrees with a wrong read model is found out."""
    state = compared.render.model.states["a1"]
    assert state.card is not None
    card = state.card.model_copy(update={"headline": "Wrong"})
    compared.render.model.states["a1"] = state.model_copy(update={"card": card})
    for path in state.listings:
        await compared.render.listings.write(path)
    assert {(each.what, each.article_id) for each in await compared.differences()} == {(What.MODEL, "a1")}


@pytest.mark.parametrize("kind", list(ChangeKind))
async def test_the_real_pages_of_every_change_are_as_a_rebuild_would_make_them(
    tmp_path: Path, kind: ChangeKind
) -> None:
    """An amendment, too, which moves no listing."""
    compared = Compared(tmp_path, Pages(a_site()))
    await compared.holds(a_public("a1"), a_public("a2"))
    former = a_public("a1").public
    changed = a_public("a1", 2, changes=(*a_history(1), a_change(2, kind)))
    assert former is not None
    assert changed.public is not None
    same_words = changed.public.model_copy(update={"text": former.text})
    changed = changed.model_copy(update={"public": same_words})
    await compared.holds(a_retracted(a_public("a1"), 2) if kind is ChangeKind.RETRACTED else changed)
    assert await compared.differences() == []


class LiveArticle:
    """A live article with posts on two pages, on both sides."""

    def __init__(self, compared: Compared) -> None:
        self.compared = compared
        self.posts = [a_post(number, page=1 + number // 3, key_event=number == 2) for number in range(1, 6)]
        self.update = a_live(a_public("a1"), self.posts)

    async def is_told(self) -> None:
        await self.compared.render.take(*self.posts, self.update)
        await self.compared.render.list_marked()
        self.compared.store.updates["a1"] = self.update
        self.compared.store.posts = list(self.posts)


@pytest.fixture
async def live(compared: Compared) -> LiveArticle:
    article = LiveArticle(compared)
    await article.is_told()
    return article


async def test_a_live_article_is_compared_with_all_its_pages(live: LiveArticle) -> None:
    """Those of its posts, too."""
    assert await live.compared.differences() == []
    for name in ("entries/1/index.html", "entries/2/index.html"):
        path = path_of(live.compared, "a1") + name
        kept = live.compared.place(path).read_bytes()
        live.compared.place(path).write_bytes(b"tampered")
        assert await live.compared.told() == {(What.DIFFERS, path)}
        live.compared.place(path).write_bytes(kept)


async def test_posts_are_held_to_the_store(live: LiveArticle) -> None:
    """One that render keeps otherwise, misses, or has too many; when it was announced does not matter."""
    posts = live.compared.store.posts
    posts[0] = posts[0].model_copy(update={"as_of": 99})
    assert await live.compared.differences() == []
    posts[1] = a_post(2, words="Otherwise")
    del posts[3]
    posts.append(a_post(6, page=2))
    found = await live.compared.differences()
    assert [each.detail for each in found] == [
        f"entry e{number} is not kept as the store announces it" for number in (2, 4, 6)
    ]
    assert {each.what for each in found} == {What.MODEL}


async def test_what_is_mended_meanwhile_is_not_told(compared: Compared) -> None:
    """The site is live: an update is on its way, a page is between its rename and its siblings."""
    path = path_of(compared, "a1") + PAGE
    good = compared.place(path).read_bytes()
    compared.place(path).write_bytes(b"half a page")

    def mend(_: str) -> None:
        compared.place(path).write_bytes(good)

    compared.store.asked = mend
    assert await compared.differences() == []


async def test_what_differs_to_the_end_is_told_once(compared: Compared) -> None:
    """However often it is looked at again."""
    compared.place(path_of(compared, "a1") + PAGE).unlink()
    assert len(await compared.differences(looks=[0] * 5)) == 1


async def test_what_the_templates_fail_on_is_told_and_the_rest_looked_at(tmp_path: Path) -> None:
    compared = Compared(tmp_path)
    await compared.holds(a_public("a1"), a_public("a2"))
    headline = compared.store.updates["a1"].public
    assert headline is not None
    assert headline.text is not None
    compared.pages = PlainPages(breaks_on=[headline.text.headline])
    found = await compared.differences()
    assert {each.what for each in found} == {What.UNDRAWN}
    assert compared.totals.articles == 2
