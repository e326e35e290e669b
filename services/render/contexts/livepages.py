"""The pages below a live article's own: one for every few posts, whose number never changes, and one that
lists the key events.

What they show of the article moves seldom, so that a new post writes its own page and no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from newsroom.articles import ArticleText
from newsroom.excerpts import quotable_characters
from newsroom.updates import ArticleUpdate, EntryUpdate, PublicArticle
from services.render.contexts.frame import Head, Words, main_page, section_crumb, words_in
from services.render.contexts.graph import Crumb, listing_graph
from services.render.contexts.liveblog import Post, PostLink, links, posts_of
from services.render.looks.sitefile import Site
from services.render.posts import Posts, all_pages, bodies_of, key_page_path, page_count, posts_page_path
from services.render.words.wording import Wording


@dataclass(frozen=True)
class PostsPage:
    """A page of posts, or of key events (then `links` instead of `posts`), newest first.

    `older` and `newer`: its neighbours, None at either end and for key events.
    """

    head: Head
    article_id: str
    path: str
    article_path: str
    crumbs: tuple[Crumb, ...]
    headline: Words
    title: str
    posts: tuple[Post, ...] = ()
    links: tuple[PostLink, ...] = ()
    older: str | None = None
    newer: str | None = None

    @property
    def is_key(self) -> bool:
        return bool(self.links)


def pages_below(update: ArticleUpdate, posts: Posts, site: Site, wording: Wording) -> list[PostsPage]:
    """Each page of `posts.pages` that stands, and the key events; none where the public may see no posts."""
    public = update.public
    if public is None or public.text is None or update.path is None or not page_count(update):
        return []
    frame = _Frame(update, public, public.text, update.path, site, wording)
    numbers = sorted(number for number in posts.pages if number in all_pages(update) and posts.pages[number])
    pages = [frame.page(number, posts.pages[number]) for number in numbers]
    return [*pages, frame.key_events(posts.key_events)] if posts.key_events else pages


@dataclass(frozen=True)
class _Frame:
    """What every page below an article shows of it (`posts.stale_pages` knows what that is)."""

    update: ArticleUpdate
    public: PublicArticle
    text: ArticleText
    path: str
    site: Site
    wording: Wording

    def page(self, number: int, posts: Sequence[EntryUpdate]) -> PostsPage:
        count = page_count(self.update)
        older = posts_page_path(self.path, number - 1) if number > 1 else None
        newer = posts_page_path(self.path, number + 1) if number < count else None
        title = self.wording.text("Page %(number)s", number=number)
        here = posts_page_path(self.path, number)
        return PostsPage(
            head=replace(
                self._head(here, title),
                previous=older,
                following=newer,
                most_quoted=quotable_characters("".join(bodies_of(posts))),
            ),
            article_id=self.update.article_id,
            path=here,
            article_path=self.path,
            crumbs=self._crumbs(here, title),
            headline=self._headline(),
            title=title,
            posts=posts_of(self.path, posts, self.public, self.wording),
            older=older,
            newer=newer,
        )

    def key_events(self, posts: Iterable[EntryUpdate]) -> PostsPage:
        here = key_page_path(self.path)
        title = self.wording.text("Key events")
        return PostsPage(
            head=self._head(here, title),
            article_id=self.update.article_id,
            path=here,
            article_path=self.path,
            crumbs=self._crumbs(here, title),
            headline=self._headline(),
            title=title,
            links=links(self.path, posts, self.public, self.wording),
        )

    def _head(self, here: str, title: str) -> Head:
        return Head(
            title=f"{title}: {self.text.headline}",
            description=self.wording.text(
                "%(page)s of the live coverage: %(headline)s", page=title, headline=self.text.headline
            ),
            canonical=self.site.absolute(here),
            graph=listing_graph(self.site, here, self._crumbs(here, title)),
        )

    def _crumbs(self, here: str, title: str) -> tuple[Crumb, ...]:
        section = section_crumb(self.text.section, self.site)
        return (main_page(self.wording), section, Crumb(self.text.headline, self.path), Crumb(title, here))

    def _headline(self) -> Words:
        return words_in(self.text.headline, self.public.language)
