"""A site that has one of everything, served by render's own application: for whatever checks pages.

`SHOWN` are its kinds of page, each in every state that readers meet; `every_page` is each page that there is.
A test holds both to the templates, so that a new kind of page cannot come without its proof.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from newsroom.differences import Difference, Side
from newsroom.updates import ArticleUpdate
from services.render.listingkinds import standing_paths
from services.render.looks.look import Look
from services.render.looks.sitefile import Site, load_site
from services.render.pages import ErrorStatus, Pages
from services.render.words.voices import Voice
from services.store.diffs import field_differences
from tests.open_site import KEY, OpenSite
from tests.page_parts import a_text, later, parts_of
from tests.render_parts import SITE_URL
from tests.render_world import MEMORY
from tests.whole_story import EVERY_CHANGE, EVERY_ELEMENT, every_story, everything

SITE_FILE = Path(__file__).parent.parent / "site.toml"
WITH_KEY = {"Authorization": f"Bearer {KEY}"}
STATUSES: tuple[ErrorStatus, ...] = (401, 403, 404, 410, 503)


@dataclass(frozen=True)
class Shown:
    """A page in one state: how it is asked for, and what is answered."""

    name: str
    path: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """The path of the file that it is or would be."""
        return f"{self.path.rstrip('/')}/index.html" if Path(self.path).suffix != ".html" else self.path


@dataclass(frozen=True)
class RememberingLook(Look):
    """Notes of each page which template it was made with."""

    template_of: dict[bytes, str] = field(default_factory=dict)

    def draw(self, template: str, page: object, voice: Voice | None = None) -> bytes:
        drawn = super().draw(template, page, voice)
        self.template_of[drawn] = template
        return drawn


class RememberingPages(Pages):
    """Knows of each page by its bytes which template it was made with."""

    def __init__(self, site: Site) -> None:
        self.template_of: dict[bytes, str] = {}
        super().__init__(site)

    def become(self, look: Look) -> None:
        super().become(RememberingLook(**parts_of(look), template_of=self.template_of))


class WholeSite(OpenSite):
    """One of everything, or (`is_empty`) nothing yet, on a port of this machine."""

    def __init__(self, folder: Path, language: str = "en", *, is_empty: bool = False) -> None:
        self._site = (
            load_site(SITE_FILE, SITE_URL).in_language(language).model_copy(update={"language": language})
        )
        self.pages = RememberingPages(self._site)
        self._stories = [] if is_empty else every_story()
        super().__init__(folder, self.pages, httpx.MockTransport(_the_store), lambda: later(720))

    async def open(self) -> None:
        await super().open()
        for path in standing_paths(self._site):
            await self.render.listings.write(path)
        await self.take(*self._stories)

    def files(self) -> dict[str, bytes]:
        """Every file that is served, by its path; not the compressed ones beside them."""
        return {
            path: content
            for path, content in self.render.files().items()
            if not path.endswith((".br", ".gz", ".zst"))
        }

    async def every_page(self) -> dict[str, bytes]:
        """Each HTML page by its path: the files, what is made on request, and why nothing stands there."""
        pages = {path: page for path, page in self.files().items() if path.endswith(".html")}
        return await self.shown_pages() | pages

    async def shown_pages(self) -> dict[str, bytes]:
        """One page of each kind, in each state, as they are answered; of an empty site, only its errors."""
        pages = {f"/{status}.html": self.pages.error(status) for status in STATUSES}
        async with httpx.AsyncClient(base_url=self.url, timeout=30) as client:
            for shown in SHOWN if self._stories else ():
                answer = await client.get(shown.path, headers=dict(shown.headers))
                assert answer.status_code == shown.status, shown
                pages[shown.file] = answer.content
        return pages


@asynccontextmanager
async def a_whole_site(language: str = "en", *, is_empty: bool = False) -> AsyncIterator[WholeSite]:
    """Opened, and gone afterwards; in memory where there is some."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        site = WholeSite(Path(folder), language, is_empty=is_empty)
        await site.open()
        try:
            yield site
        finally:
            await site.close()


def _kinds() -> Iterator[Shown]:
    """Every kind of page, in each state."""
    paths = {
        each.article_id: str(each.path)
        for each in every_story()
        if isinstance(each, ArticleUpdate) and each.path is not None
    }
    article, live = paths["everything"], paths["live"]
    yield Shown("home", "/")
    yield Shown("section", "/kazakhstan/")
    yield Shown("empty section", "/culture/")
    yield Shown("tag", "/tags/astana/")
    yield Shown("author", "/authors/aigerim-bekova/")
    yield Shown("day", "/2023/06/20/")
    yield Shown("month", "/2023/06/")
    for name, path in (("section", "/kazakhstan/"), ("tag", "/tags/astana/"), ("author", "/authors/a/")):
        yield Shown(f"month of a {name}", f"{path}2023/06/")
    yield Shown("updates", "/updates/")
    yield Shown("corrections", "/corrections/")
    yield Shown("about", "/about/")
    yield Shown("reuse", "/reuse/")
    for name in ("everything", "plain", "wide", "ice", "retracted", "live", "closed", "quiet"):
        yield Shown(f"article: {name}", paths[name])
    for language in ("kk", "ru", "ar", "he"):
        yield Shown(f"article: {language}", paths[f"everything-{language}"])
    yield Shown("history", f"{article}history/")
    yield Shown("comparison", f"{article}history/1-8/")
    yield Shown("posts", f"{live}entries/2/")
    yield Shown("oldest posts", f"{live}entries/1/")
    yield Shown("key events", f"{live}entries/key/")
    yield Shown("preview", f"/preview/{DRAFT}", headers=WITH_KEY)
    yield Shown("excerpt", f"{article}excerpt.html")
    yield Shown("retracted excerpt", f"{paths['retracted']}excerpt.html")
    yield Shown("unknown", "/nowhere/", status=404)
    yield Shown("withdrawn", paths["withdrawn"], status=410)


DRAFT = "draft"
SHOWN = tuple(_kinds())


def _the_store(request: httpx.Request) -> httpx.Response:
    """The store, which knows the first article's texts and one draft."""
    if request.url.path == "/articles/everything/diff":
        return httpx.Response(200, json=_difference().model_dump(mode="json"))
    if request.url.path == f"/articles/{DRAFT}":
        return httpx.Response(200, json=_draft())
    return httpx.Response(404, json={})


def _difference() -> Difference:
    """From the first text of the article to the corrected one."""
    old = a_text(
        headline="Eight walk free", deck="", body=EVERY_ELEMENT.replace("Seven", "Eight"), tags=("Astana",)
    )
    new = a_text(headline="Seven walk free", body=EVERY_ELEMENT)
    return Difference(
        article_id=everything().article_id,
        older=Side(revision=1, kind="published", time=later(0)),
        newer=Side(revision=8, kind="correction", time=later(70), note=EVERY_CHANGE[6].note),
        fields=field_differences(old, new, whole=True),
        article=new.model_copy(update={"body": ""}),
    )


def _draft() -> dict[str, Any]:
    """A text that is to come out tomorrow."""
    return {
        "id": DRAFT,
        "revision": 4,
        "status": "unpublished",
        "article": a_text(headline="What comes tomorrow").model_dump(mode="json"),
        "time": later(0).isoformat(),
        "waiting": "scheduled",
        "due_at": later(1_440).isoformat(),
        "withheld_revision": 4,
    }
