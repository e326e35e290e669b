"""The site becomes what its files say while it runs, and stays what it was where they cannot be used."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import structlog

from services.render import rebuild
from services.render.pages import Pages
from services.render.readmodel import Rebuild
from services.render.renewal import LookSource, Renewal
from tests.rebuild_parts import IDENTITY, Store, World
from tests.render_parts import SITE_URL, a_public, until

SAMPLE = Path(__file__).parents[2] / "site.toml"


class LiveSite:
    """A site in a folder of its own whose files can be changed, with the loop that notices."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.file = folder / "site.toml"
        self.own = folder / "own"
        self.file.write_bytes(SAMPLE.read_bytes())
        source = LookSource(self.file, self.own, SITE_URL)
        seen = source.mark()
        self.pages = Pages.in_look(source.load())
        self.world = World(folder / "pages", store, pages=self.pages)
        self.renewal = Renewal(source, self.pages, self.world.rebuilder, seen=seen, poll_seconds=0.02)
        self._running: asyncio.Task[None] | None = None

    async def open(self) -> None:
        await self.world.rebuilder.lay_ground()
        self._running = asyncio.create_task(self.renewal.run(IDENTITY))
        await self.has_built()

    async def close(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])
        self.world.small.folder.close()

    async def has_built(self) -> None:
        """Whoever is asked now would find everything built in the present look."""
        wanted = self.pages.fingerprint

        def is_built() -> bool:
            note = self.world.small.folder._read_note() or b""
            return wanted.encode() in note

        await until(is_built, "the site is built")

    async def becomes(self, old: str, new: str) -> None:
        """Change the file, then wait until the site is what it says."""
        former = self.pages.fingerprint
        text = self.file.read_text(encoding="utf-8")
        assert old in text
        self.file.write_text(text.replace(old, new), encoding="utf-8")
        await until(lambda: self.pages.fingerprint != former, "the change is noticed")
        await self.has_built()

    def page(self, path: str) -> str:
        return self.world.small.text(path)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuild, "_POLL_SECONDS", 0.01)


@pytest_asyncio.fixture
async def store() -> AsyncIterator[Store]:
    store = Store(a_public())
    yield store
    await store.client.aclose()


@pytest_asyncio.fixture
async def site(tmp_path: Path, store: Store) -> AsyncIterator[LiveSite]:
    site = LiveSite(tmp_path, store)
    await site.open()
    yield site
    await site.close()


async def test_another_name_stands_on_every_page_without_a_restart(site: LiveSite) -> None:
    """Article, fronts, fixed pages and what is made on request; nothing of the former look is left."""
    former = set(site.pages.assets())
    await site.becomes('name = "Steppe Dispatch"\ntagline = "N', 'name = "Morning Star"\ntagline = "N')
    for path in (str(a_public().path), "/", "/about/", "/updates/"):
        assert "Morning Star" in site.page(path), path
    assert b"Morning Star" in site.pages.error(404)
    stands = site.world.pages_that_stand()
    assert set(site.pages.assets()) <= stands
    assert not (former - set(site.pages.assets())) & stands


async def test_a_section_that_comes_stands_and_one_that_goes_is_removed(site: LiveSite) -> None:
    await site.becomes('"Culture"', '"Science"')
    assert "/science/index.html" in site.world.pages_that_stand()
    assert "/culture/index.html" not in site.world.pages_that_stand()


async def test_a_colour_of_ones_own_reaches_the_style_sheet(site: LiveSite) -> None:
    await site.becomes('# [colours.light]\n# accent = "#8a4a0c"', '[colours.light]\naccent = "#00405c"')
    (style,) = (content for path, content in site.pages.assets().items() if path.endswith(".css"))
    assert b"--accent: #00405c;" in style


@pytest.mark.parametrize("mistake", ['name = "unfinished', 'timezone = "Nowhere/At_all"'])
async def test_a_mistake_is_told_and_the_site_stays_as_it_was(
    site: LiveSite, store: Store, mistake: str
) -> None:
    before, fingerprint = site.world.small.files(), site.pages.fingerprint
    text = site.file.read_text(encoding="utf-8")
    with structlog.testing.capture_logs() as told:
        site.file.write_text(f"{mistake}\n{text}", encoding="utf-8")
        await until(lambda: any(line["event"] == "site_refused" for line in told), "it is told")
    assert site.pages.fingerprint == fingerprint
    assert site.world.small.files() == before
    site.file.write_text(text, encoding="utf-8")
    await site.becomes('"Culture"', '"Science"')
    assert len(store.asked) == 2


async def test_a_template_of_ones_own_is_taken_and_given_back(site: LiveSite) -> None:
    former = site.pages.fingerprint
    own = site.own / "templates" / "about.html"
    own.parent.mkdir(parents=True)
    own.write_text(
        '{% extends "newsroom/about.html" %}{% block main %}<h1>We</h1>{{ super() }}{% endblock %}'
    )
    await until(lambda: site.pages.fingerprint != former, "the template is noticed")
    await site.has_built()
    assert "<h1>We</h1>" in site.page("/about/")
    own.unlink()
    await until(lambda: site.pages.fingerprint == former, "it is gone")
    await site.has_built()
    assert "<h1>We</h1>" not in site.page("/about/")


async def test_a_template_that_would_fail_on_every_article_is_refused(site: LiveSite) -> None:
    """It is tried before it is worn, and named with its line."""
    fingerprint = site.pages.fingerprint
    own = site.own / "templates" / "article.html"
    own.parent.mkdir(parents=True)
    with structlog.testing.capture_logs() as told:
        own.write_text("<p>\n{{ page.no_such_thing }}</p>")
        await until(lambda: any(line["event"] == "site_refused" for line in told), "it is told")
    (reason,) = (line["reason"] for line in told if line["event"] == "site_refused")
    assert "article.html, line 2" in reason
    assert "no_such_thing" in reason
    assert site.pages.fingerprint == fingerprint


async def test_a_change_that_is_none_asks_for_nothing(site: LiveSite, store: Store) -> None:
    """A comment, say."""
    mark = site.renewal._seen
    site.file.write_text(site.file.read_text(encoding="utf-8") + "\n# a comment\n", encoding="utf-8")
    await until(lambda: site.renewal._seen != mark, "it is looked at")
    await site.becomes("told as it stands", "as it is")
    assert store.asked == ["rep_1", "rep_2"]


async def test_a_rebuild_for_this_look_that_began_without_us_does_not_count(
    site: LiveSite, store: Store
) -> None:
    """Another instance changed before and asked while we still drew the former pages."""
    source = site.renewal._source
    text = site.file.read_text(encoding="utf-8")
    site.file.write_text(text.replace("told as it stands", "as it is"), encoding="utf-8")
    wanted = Pages.in_look(source.load()).fingerprint
    store.states["rep_0"] = "running"
    await site.world.small.model.note_rebuild(
        Rebuild(wanted=f"{wanted}/{IDENTITY.id}", republication_id="rep_0")
    )
    await until(lambda: site.pages.fingerprint == wanted, "the change is noticed")
    await site.has_built()
    assert store.asked == ["rep_1", "rep_2"]


async def test_what_changes_while_the_first_rebuild_waits_for_the_store_is_noticed(
    tmp_path: Path, store: Store
) -> None:
    """A new site whose store is away still becomes what its file says."""
    site = LiveSite(tmp_path, store)
    store.states["rep_0"] = "running"
    store.is_away = True
    await site.world.rebuilder.lay_ground()
    running = site._running = asyncio.create_task(site.renewal.run(IDENTITY))
    former = site.pages.fingerprint
    site.file.write_text(
        site.file.read_text(encoding="utf-8").replace("told as it stands", "as it is"), encoding="utf-8"
    )
    await until(lambda: site.pages.fingerprint != former, "the change is noticed")
    store.is_away = False
    await site.has_built()
    assert not running.done()
    await site.close()
