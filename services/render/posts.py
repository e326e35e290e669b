"""Entries of live articles as render holds them, called posts here, for a ledger has entries too.

Between `newsroom.updates`, where each is a record of its own, and pages, ledgers and notices. Pure functions:
an article's update and its posts give the same everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from newsroom.excerpts import excerpt
from newsroom.updates import ArticleUpdate, EntryUpdate, PublicEntry, Status
from services.render.contexts.frame import shorten

LATEST_PAGES = 2
"""The posts of so many pages, the newest, stand on the article's own page."""
KEY_LIMIT = 100
LEDGER_POSTS = 20
"""The most key events on their page; the most posts of one article in the ledger of updates."""


@dataclass(frozen=True)
class Posts:
    """What an article's files are made of besides its update; every list newest first.

    `latest`: those of the newest pages. `pages`: the pages of posts that are to be drawn, each whole.
    """

    latest: tuple[EntryUpdate, ...] = ()
    pinned: EntryUpdate | None = None
    key_events: tuple[EntryUpdate, ...] = ()
    pages: Mapping[int, tuple[EntryUpdate, ...]] = field(default_factory=dict)


NO_POSTS = Posts()


def post_bodies(posts: Posts) -> list[str]:
    """The text of every post that stands on the article's own page, each once."""
    shown = {post.entry_id: post for post in (posts.pinned, *posts.latest) if post is not None}
    return bodies_of(shown.values())


def bodies_of(posts: Iterable[EntryUpdate]) -> list[str]:
    """The text of each post that the public may see."""
    return [post.entry.text.body for post in posts if post.entry is not None]


def page_count(update: ArticleUpdate) -> int:
    """On how many pages the article's posts stand; 0 where the public may see none."""
    public = update.public
    if update.status is not Status.PUBLIC or public is None or public.text is None or public.live is None:
        return 0
    return public.live.pages


def all_pages(update: ArticleUpdate) -> frozenset[int]:
    """The number of each page of posts."""
    return frozenset(range(1, page_count(update) + 1))


def latest_pages(update: ArticleUpdate) -> frozenset[int]:
    """The numbers of those whose posts stand on the article's own page."""
    count = page_count(update)
    return frozenset(range(max(1, count + 1 - LATEST_PAGES), count + 1))


def stale_pages(former: ArticleUpdate | None, update: ArticleUpdate, moved: Iterable[int]) -> frozenset[int]:
    """The pages that an update leaves behind: those with posts that moved, the one that gets a newer
    neighbour, and all where something moved that each of them shows.
    """
    if former is None or _frame(former) != _frame(update):
        return all_pages(update)
    grown = (
        range(page_count(former), page_count(update) + 1) if page_count(update) > page_count(former) else ()
    )
    return frozenset({*moved, *grown}) & all_pages(update)


def _frame(update: ArticleUpdate) -> object:
    """What a page of posts shows of its article."""
    public = update.public
    if public is None or public.text is None or update.status is not Status.PUBLIC:
        return None
    return (update.path, public.text.headline, public.text.section, public.language, public.timezone)


def posts_page_path(path: str, number: int) -> str:
    """Where a page of posts stands, by the article's path."""
    return f"{path}entries/{number}/"


def key_page_path(path: str) -> str:
    """Where the key events stand alone."""
    return f"{path}entries/key/"


def permalink(path: str, post: EntryUpdate) -> str:
    """Where a post stands for as long as its article does."""
    return f"{posts_page_path(path, post.page)}#entry-{post.entry_id}"


def note_of(entry: PublicEntry) -> str | None:
    """A post in one line: its headline, else the beginning of its text as far as the reuse rule allows."""
    return entry.text.headline or shorten(excerpt(entry.text.body)) or None


def told_at(entry: PublicEntry) -> datetime:
    """When readers were told how it reads now."""
    return entry.changed_at or entry.added_at


def told_posts(
    update: ArticleUpdate, posts: Iterable[EntryUpdate], after: int
) -> list[tuple[EntryUpdate, PublicEntry]]:
    """The posts after a revision that the history as it stands tells of, oldest first.

    One from before a withdrawal came back with its article, in silence.
    """
    if page_count(update) == 0 or update.public is None:
        return []
    floor = max(after, update.public.changes[0].revision)
    told = [
        (post, post.entry)
        for post in posts
        if post.entry is not None and floor < post.revision <= update.revision
    ]
    return sorted(told, key=lambda each: each[0].revision)
