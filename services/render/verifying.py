"""Compares the site with a rebuild: every page and listing drawn anew in memory, beside what stands.

Articles as the store would announce them, against the read model and the pages folder; then the listings, as
the read model (compared by then) makes them; then whatever else lies in the folder. Nothing is written. What
differs is looked at again before it is told, for a live site moves on meanwhile. Memory grows with the number
of listings, not with that of articles.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Protocol

from newsroom.announced import AnnouncedPart
from newsroom.updates import ArticleUpdate, EntryUpdate
from services.render.comparison import Difference, What, compare, extra, page_of, strays_below, walk
from services.render.drawing import CannotBeDrawn
from services.render.listingkinds import listing_of, standing_paths
from services.render.looks.sitefile import Site
from services.render.readmodel import ReadModel
from services.render.site import COMPRESSED

PAUSE_SECONDS = 0.02
"""Between two parts: readers and updates come first."""
LOOK_AGAIN_SECONDS = (0.5, 1.0, 2.0, 4.0)
"""What differs is looked at again after each of these, and told if it still does after the last."""
_FOLDERS_AT_ONCE = 50
_MOST_SUSPECTS = 200
_PLAIN = re.compile(r"[A-Za-z0-9._/-]+")
_ARTICLE = re.compile(r"/[a-z0-9-]+/\d{4}/\d{2}/\d{2}/[a-z0-9-]+/")


class Announced(Protocol):
    """The store's side. Every call may raise Away."""

    async def part(self, after: str) -> AnnouncedPart:
        """Articles after that id, as they would be announced."""
        ...

    async def one(self, article_id: str) -> ArticleUpdate | None: ...

    async def entries(self, article_id: str) -> Sequence[EntryUpdate]:
        """All entries of a live article."""
        ...


@dataclass(frozen=True)
class DrawnArticle:
    """What a rebuild would make of an article: its files by path, and the listings it would stand in.

    `disagreements`: what the read model keeps otherwise than the store announces it.
    """

    files: Mapping[str, bytes]
    listings: frozenset[str]
    disagreements: Sequence[str] = ()


class Drawing(Protocol):
    """What a rebuild would make, drawn in memory. Raises: CannotBeDrawn; Away."""

    async def article(self, update: ArticleUpdate) -> DrawnArticle: ...

    async def listing(self, path: str) -> Mapping[str, bytes]:
        """The files of a listing; none of one that would not stand."""
        ...


@dataclass
class Totals:
    """How far it is."""

    articles: int = 0
    expected: int = 0
    listings: int = 0
    files: int = 0


@dataclass(frozen=True)
class Progress:
    """How far it is, and what is sure to differ since it was told last."""

    totals: Totals
    differences: Sequence[Difference] = ()


Check = Callable[[], Awaitable[list[Difference]]]
"""One look at something that might differ; may be taken again."""


class Verifier:
    """One comparison of one pages folder. `fixed`: the files that no article and no listing makes."""

    def __init__(
        self,
        *,
        model: ReadModel,
        root: Path,
        site: Site,
        fixed: Mapping[str, bytes],
        announced: Announced,
        drawing: Drawing,
        pause_seconds: float = PAUSE_SECONDS,
        look_again_seconds: Sequence[float] = LOOK_AGAIN_SECONDS,
    ) -> None:
        self._model, self._root, self._fixed = model, root, fixed
        self._announced, self._drawing = announced, drawing
        self._pause_seconds, self._look_again_seconds = pause_seconds, look_again_seconds
        self._totals = Totals()
        self._listings = set(standing_paths(site))
        self._known = set(fixed)
        self._suspects: list[Check] = []

    async def run(self) -> AsyncIterator[Progress]:
        """Every step with what was found, the last one with all. Raises: Away."""
        for step in (self._articles, self._every_listing, self._strays):
            async for checks in step():
                yield await self._looked(checks)
        found = await self._settled()
        yield Progress(replace(self._totals), found)

    async def _articles(self) -> AsyncIterator[list[Check]]:
        """Articles part by part, by id, and between them those that only the read model knows."""
        yield [self._fixed_files]
        after: str | None = ""
        while after is not None:
            part = await self._announced.part(after)
            ids = [update.article_id for update in part.updates]
            unknown = [self._unknown(each) for each in await self._others(after, ids, part.next)]
            yield [*(self._article(update) for update in part.updates), *unknown]
            self._totals.articles += len(ids)
            self._totals.expected = part.total
            after = part.next

    async def _others(self, after: str, ids: Sequence[str], last: str | None) -> list[str]:
        """Articles of the read model in a part's range of ids that are none of the part's."""
        found: list[str] = []
        while True:
            more = await self._model.ids_after(after, len(ids) + 1)
            within = [each for each in more if last is None or each <= last]
            found += within
            if not within or len(within) < len(more):
                return sorted(set(found) - set(ids))
            after = within[-1]

    async def _every_listing(self) -> AsyncIterator[list[Check]]:
        for path in sorted(self._listings):
            yield [partial(self._listing, path)]
            self._totals.listings += 1

    async def _strays(self) -> AsyncIterator[list[Check]]:
        """Folder by folder what no article and no listing made."""
        folders = walk(self._root)
        while part := await asyncio.to_thread(lambda: list(islice(folders, _FOLDERS_AT_ONCE))):
            yield [partial(self._folder, folder, names) for folder, names in part]

    # --- one look each

    async def _fixed_files(self) -> list[Difference]:
        self._totals.files = max(self._totals.files, len(self._fixed))
        return await asyncio.to_thread(compare, self._root, self._fixed)

    def _article(self, update: ArticleUpdate) -> Check:
        """The first look is at what was announced already, each later one asks again."""
        first: list[ArticleUpdate] = [update]

        async def look() -> list[Difference]:
            if not first:
                newest = await self._announced.one(update.article_id)
                return [] if newest is None else await self._compared(newest)
            return await self._compared(first.pop(), is_first=True)

        return look

    async def _compared(self, update: ArticleUpdate, *, is_first: bool = False) -> list[Difference]:
        """An article in the read model and on disk."""
        place = update.path or ""
        state = await self._model.find(update.article_id)
        if state is None or state.revision != update.revision:
            at = f"render is at revision {state.revision}" if state else "render does not know it"
            detail = f"the store is at revision {update.revision}, {at}"
            return [Difference(What.BEHIND, place, detail, update.article_id)]
        try:
            drawn = await self._drawing.article(update)
        except CannotBeDrawn as error:
            return [Difference(What.UNDRAWN, place, str(error), update.article_id)]
        self._listings |= drawn.listings
        if is_first:
            self._totals.files += len(drawn.files)
        found = [Difference(What.MODEL, place, detail, update.article_id) for detail in drawn.disagreements]
        found += await asyncio.to_thread(compare, self._root, drawn.files)
        if drawn.files and update.path is not None:
            found += await asyncio.to_thread(strays_below, self._root, update.path, drawn.files)
        return found

    def _unknown(self, article_id: str) -> Check:
        async def look() -> list[Difference]:
            if await self._announced.one(article_id) is not None:
                return []
            state = await self._model.find(article_id)
            detail = "render has an article that the store does not know"
            place = (state.page_path if state else None) or ""
            return [Difference(What.UNKNOWN, place, detail, article_id)] if state else []

        return look

    async def _listing(self, path: str) -> list[Difference]:
        try:
            files = await self._drawing.listing(path)
        except CannotBeDrawn as error:
            return [Difference(What.UNDRAWN, path, str(error))]
        self._totals.files += len(files.keys() - self._known)
        self._known |= files.keys()
        return await asyncio.to_thread(compare, self._root, files)

    async def _folder(self, folder: str, names: Iterable[str]) -> list[Difference]:
        """What lies in a folder that is no article's, and is no file of a listing (or one's sibling)."""
        article = _ARTICLE.match(folder)
        if article is not None and await self._stands(article[0]):
            return []
        strays = [f"{folder}{name}" for name in names]
        strays = [path for path in strays if not self._is_known(path)]
        if article is None:
            strays = [path for path in strays if not await self._is_made(path)]
        return await asyncio.to_thread(_standing, self._root, strays)

    async def _stands(self, place: str) -> bool:
        address = await self._model.address(place)
        return address is not None and address.page_path == place

    async def _is_made(self, path: str) -> bool:
        """Whether a listing makes the file that came to stand since the listings were looked at."""
        if not _PLAIN.fullmatch(path):
            return False
        page = page_of(path)
        try:
            return page in await self._drawing.listing(listing_of(page))
        except CannotBeDrawn:
            return False

    def _is_known(self, path: str) -> bool:
        page = page_of(path)
        return page in self._known and (page == path or Path(page).suffix in COMPRESSED)

    # --- looked at, and again

    async def _looked(self, checks: Iterable[Check]) -> Progress:
        for check in checks:
            if await check():
                self._suspects.append(check)
        settled = await self._settled() if len(self._suspects) >= _MOST_SUSPECTS else []
        await asyncio.sleep(self._pause_seconds)
        return Progress(replace(self._totals), settled)

    async def _settled(self) -> list[Difference]:
        """What still differs after every pause; nobody is a suspect any more."""
        checks, self._suspects = self._suspects, []
        found: list[Difference] = []
        for seconds in self._look_again_seconds:
            if not checks:
                return []
            await asyncio.sleep(seconds)
            looked = [(check, await check()) for check in checks]
            checks = [check for check, differences in looked if differences]
            found = [each for _, differences in looked for each in differences]
        return found


def _standing(root: Path, paths: Iterable[str]) -> list[Difference]:
    """Those of the files that stand; blocking."""
    return [extra(path) for path in paths if os.path.lexists(root / path.lstrip("/"))]
