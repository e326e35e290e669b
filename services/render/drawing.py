"""From an update to its files and to what listings show of it: what `pages` draws, with the posts of a live
article fetched from the read model.

Between the read model and whoever writes files or compares them. An article that never was live costs no
question.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from newsroom.updates import ArticleUpdate, EntryUpdate
from services.render.cards import card_of, ledger_of, listings_of
from services.render.pages import Pages
from services.render.posts import (
    KEY_LIMIT,
    LEDGER_POSTS,
    NO_POSTS,
    Posts,
    all_pages,
    latest_pages,
    page_count,
)
from services.render.readmodel import ReadModel
from services.render.standing import View


class CannotBeDrawn(Exception):
    """The templates, or what they are given, fail on this one article or listing."""

    def __init__(self, what: str, error: Exception) -> None:
        super().__init__(f"{what} cannot be rendered: {type(error).__name__}")


@dataclass(frozen=True)
class Drawn:
    """The files of one update, by path; none where it is not public.

    `pages`: the pages of posts that were asked for. Where these are not all, others stand beside the files.
    """

    update: ArticleUpdate
    files: Mapping[str, bytes]
    pages: frozenset[int] = frozenset()

    @property
    def is_whole(self) -> bool:
        """Whether these are all files that the article has."""
        return all_pages(self.update) <= self.pages


class ArticleDrawing:
    """Draws articles, and looks at them as listings do. Every call raises CannotBeDrawn; Away."""

    def __init__(self, model: ReadModel, pages: Pages) -> None:
        self._model, self._pages = model, pages

    async def article(self, update: ArticleUpdate, pages: Iterable[int] | None = None) -> Drawn:
        """The article's own pages, its key events, and these pages of its posts (None: all)."""
        numbers = all_pages(update) if pages is None else frozenset(pages)
        posts = await self._posts(update, numbers)
        try:
            return Drawn(update, self._pages.article(update, posts), numbers)
        except Exception as error:
            raise CannotBeDrawn(_named(update), error) from error

    async def view(self, update: ArticleUpdate, after: int = 0) -> View:
        """What listings show of an update. `after`: the revision that stands, for `View.moved`."""
        posts: tuple[EntryUpdate, ...] = ()
        moved = frozenset[int]()
        if page_count(update):
            posts = await self._model.newest_posts(update.article_id, LEDGER_POSTS)
            moved = await self._model.moved_pages(update.article_id, after)
        try:
            return View(card_of(update), ledger_of(update, posts), listings_of(update), moved)
        except Exception as error:
            raise CannotBeDrawn(_named(update), error) from error

    async def _posts(self, update: ArticleUpdate, numbers: Collection[int]) -> Posts:
        public = update.public
        if public is None or public.live is None or not page_count(update):
            return NO_POSTS
        article_id, latest = update.article_id, latest_pages(update)
        found = await self._model.posts(article_id, latest | set(numbers))
        pinned_id = public.live.pinned
        return Posts(
            latest=tuple(post for post in found if post.page in latest),
            pinned=await self._model.post(article_id, pinned_id) if pinned_id else None,
            key_events=await self._model.key_posts(article_id, KEY_LIMIT),
            pages={number: tuple(post for post in found if post.page == number) for number in numbers},
        )


def _named(update: ArticleUpdate) -> str:
    return f"article {update.article_id}, revision {update.revision}"
