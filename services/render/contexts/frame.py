"""What every page template may use, and how the contexts of the pages are made.

Between the read model and the templates: everything is decided in the contexts (`articlepages`, `fronts`,
`fixedpages` and those of live articles, versions and previews beside them), the templates only set it. An
article's context is a function of that article and the site, so nothing on its page moves when another
article does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar, cast

from newsroom.addresses import FEEDS, HOME, section_path
from services.render.contexts.graph import Crumb, Graph
from services.render.looks.sitefile import Site
from services.render.words.typography import set_line
from services.render.words.wording import Wording, direction

DESCRIPTION_CHARACTERS = 200
_KEPT = 1024
P = ParamSpec("P")
T = TypeVar("T")


class Listed(Protocol):
    """An article or a notice as lists have it. Equal ones are shown alike."""

    @property
    def is_long(self) -> bool: ...


L = TypeVar("L", bound=Listed)


@dataclass(frozen=True)
class Alternate:
    """The same text in another language, or in its own, for search engines. `language` may be `x-default`."""

    language: str
    url: str


FEED_TYPES = {
    "feed.atom": ("Atom", "application/atom+xml"),
    "feed.rss": ("RSS", "application/rss+xml"),
    "feed.json": ("JSON Feed", "application/feed+json"),
}
assert set(FEED_TYPES) == set(FEEDS)  # noqa: S101


@dataclass(frozen=True)
class FeedLink:
    """One feed of a listing: the name of its format, what the feed is called, its media type."""

    format: str
    title: str
    media_type: str
    path: str


def feed_links(path: str, title: str) -> tuple[FeedLink, ...]:
    """The feeds of the listing at that path."""
    return tuple(
        FeedLink(written, f"{title} ({written})", media_type, path + name)
        for name, (written, media_type) in FEED_TYPES.items()
    )


@dataclass(frozen=True)
class Head:
    """What stands in `<head>`. `canonical` and `graph` are None on pages that are no resource (errors).

    `is_indexed`: whether search engines may list the page; one without `canonical` they may not.
    `most_quoted`: how many characters of it they may show, None where no text of an article stands.
    `oembed`: where the card is asked for that others put beside a link to it. `feeds`: the page's own, before
    those of the site.
    """

    title: str
    description: str = ""
    canonical: str | None = None
    is_indexed: bool = True
    kind: str = "website"
    graph: Graph | None = None
    published: str | None = None
    modified: str | None = None
    section: str | None = None
    tags: tuple[str, ...] = ()
    previous: str | None = None
    following: str | None = None
    most_quoted: int | None = None
    oembed: str | None = None
    alternates: tuple[Alternate, ...] = ()
    feeds: tuple[FeedLink, ...] = ()


def kept(make: Callable[Concatenate[L, P], T]) -> Callable[Concatenate[L, P], T]:
    """Remembers what was made of the last articles or notices, for each stands in a dozen lists.

    What is made of a long one is made anew each time: so many of them would fill the memory.
    """
    remembered = cast(Callable[Concatenate[L, P], T], lru_cache(maxsize=_KEPT)(make))

    @wraps(make)
    def found(listed: L, /, *args: P.args, **named: P.kwargs) -> T:
        return (make if listed.is_long else remembered)(listed, *args, **named)

    return found


@dataclass(frozen=True)
class Link:
    """A name that leads somewhere on the site."""

    name: str
    path: str


@dataclass(frozen=True)
class Words:
    """Text in an article's own language, which may not be the page's."""

    text: str
    language: str
    direction: str


def words_in(text: str, language: str) -> Words:
    """A text, set as its language wants it, with that language and its direction."""
    return Words(set_line(text, language), language, direction(language))


def main_page(wording: Wording) -> Crumb:
    """Where every way to a page begins."""
    return Crumb(wording.text("Main page"), HOME)


def section_link(section: str, site: Site) -> Link:
    """A section by its name in the site's language, where the publisher gave it one."""
    path = section_path(section)
    return Link(site.section_title(path, section), path)


def section_crumb(section: str, site: Site) -> Crumb:
    """The same as a step of the way to a page."""
    link = section_link(section, site)
    return Crumb(link.name, link.path)


def shorten(text: str) -> str:
    """A description for machines: cut at a word, still within the reuse rule, since it only gets shorter."""
    if len(text) <= DESCRIPTION_CHARACTERS:
        return text
    return text[:DESCRIPTION_CHARACTERS].rpartition(" ")[0].rstrip(".,;:…") + "…"
