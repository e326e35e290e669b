"""What the templates may use of a live article's posts: the block on its page, and the pages of posts.

Beside `contexts`, by its rules: everything is decided here, the templates only set it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from newsroom.updates import EntryUpdate, PublicArticle, PublicEntry
from services.render.contexts.graph import Coverage, LivePost
from services.render.posts import (
    KEY_LIMIT,
    LATEST_PAGES,
    Posts,
    key_page_path,
    note_of,
    permalink,
    posts_page_path,
    told_at,
)
from services.render.words.dates import When
from services.render.words.typography import set_line, set_markup
from services.render.words.wording import KEY_EVENT, LIVE, LIVE_OVER, PINNED, Label, Wording

KEY_LINKS = 8
GRAPH_POSTS = 10
"""The most key events on the article's own page, and the most posts in its graph."""


@dataclass(frozen=True)
class Post:
    """One post. `changed` is None as long as it reads as it was added."""

    id: str
    link: str
    when: When
    changed: When | None
    label: Label | None
    headline: str
    body: Markup
    author: str | None


@dataclass(frozen=True)
class PostLink:
    """A post in a list of links."""

    link: str
    when: When
    text: str


@dataclass(frozen=True)
class LiveBlock:
    """The live part of an article's page.

    `last`: when the newest post came or changed. `closed`: when the coverage ended, None while it goes on.
    `older`: the page of posts where those go on that do not stand here. `total`: how many posts there are.
    """

    label: Label
    last: When | None
    closed: When | None
    key_events: tuple[PostLink, ...]
    key_path: str | None
    pinned: Post | None
    posts: tuple[Post, ...]
    older: str | None
    total: int


def live_block(path: str, public: PublicArticle, posts: Posts, wording: Wording) -> LiveBlock | None:
    """None of an article that never was live."""
    live = public.live
    if live is None:
        return None
    zone = public.timezone
    pinned = posts.pinned
    shown = [post for post in posts.latest if pinned is None or post.entry_id != pinned.entry_id]
    older = live.pages - LATEST_PAGES
    return LiveBlock(
        label=wording.label(LIVE_OVER if live.closed_at else LIVE),
        last=wording.when(live.entry_at, zone) if live.entry_at else None,
        closed=wording.when(live.closed_at, zone) if live.closed_at else None,
        key_events=links(path, posts.key_events[:KEY_LINKS], public, wording),
        key_path=key_page_path(path) if posts.key_events else None,
        pinned=next(iter(_posts(path, [pinned], public, wording, label=PINNED)), None) if pinned else None,
        posts=_posts(path, shown, public, wording),
        older=posts_page_path(path, older) if older > 0 else None,
        total=live.entries,
    )


def coverage(path: str, public: PublicArticle, posts: Posts, wording: Wording) -> Coverage | None:
    """The same for machines: never more of a post than a line."""
    live = public.live
    if live is None:
        return None
    zone = public.timezone
    return Coverage(
        start=wording.when(public.published_at, zone).machine,
        end=wording.when(live.closed_at, zone).machine if live.closed_at else None,
        posts=[
            LivePost(note_of(entry) or "", wording.when(entry.added_at, zone).machine, permalink(path, post))
            for post, entry in _visible(posts.latest[:GRAPH_POSTS])
        ],
    )


def posts_of(
    path: str, posts: Iterable[EntryUpdate], public: PublicArticle, wording: Wording
) -> tuple[Post, ...]:
    """Posts as they stand on a page of their own."""
    return _posts(path, posts, public, wording)


def links(
    path: str, posts: Iterable[EntryUpdate], public: PublicArticle, wording: Wording
) -> tuple[PostLink, ...]:
    """Posts as links, each with what its headline says, or its beginning."""
    return tuple(
        PostLink(
            permalink(path, post),
            wording.when(entry.added_at, public.timezone),
            set_line(note_of(entry) or "", public.language),
        )
        for post, entry in _visible(posts)
    )


def _posts(
    path: str,
    posts: Iterable[EntryUpdate],
    public: PublicArticle,
    wording: Wording,
    *,
    label: Label | None = None,
) -> tuple[Post, ...]:
    return tuple(_post(path, post, entry, public, wording, label) for post, entry in _visible(posts))


def _post(
    path: str,
    post: EntryUpdate,
    entry: PublicEntry,
    public: PublicArticle,
    wording: Wording,
    label: Label | None,
) -> Post:
    text, zone = entry.text, public.timezone
    shown = KEY_EVENT if text.key_event and label is None else label
    return Post(
        id=f"entry-{post.entry_id}",
        link=permalink(path, post),
        when=wording.when(entry.added_at, zone),
        changed=wording.when(told_at(entry), zone) if entry.changed_at else None,
        label=wording.label(shown) if shown else None,
        headline=set_line(text.headline, public.language),
        body=set_markup(text.body, public.language),
        author=text.author,
    )


def _visible(posts: Iterable[EntryUpdate]) -> list[tuple[EntryUpdate, PublicEntry]]:
    return [(post, post.entry) for post in posts if post.entry is not None]


assert KEY_LINKS <= KEY_LIMIT  # noqa: S101
