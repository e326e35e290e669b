"""Where a page stands: slugs, article paths and listing paths.

Pure functions, so a replay finds every page in its place.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import Annotated
from urllib.parse import quote
from zoneinfo import ZoneInfo

from anyascii import anyascii
from pydantic import AfterValidator

from newsroom.ids import short_mark

_MAX_KEPT = 120
"""Characters: more than a name has. What is refused may have millions, and is not to be kept."""

HOME = "/"
UPDATES_LEDGER = "/updates/"
CORRECTIONS_LEDGER = "/corrections/"
ABOUT = "/about/"
REUSE = "/reuse/"
OEMBED = "/oembed"
NEWS_SITEMAP = "/news-sitemap.xml"
SITEMAP_INDEX = "/sitemap.xml"
PAGES_SITEMAP = "/sitemaps/pages.xml"
TRANSLATIONS_SITEMAP = "/sitemaps/translations.xml"
FEEDS = ("feed.atom", "feed.rss", "feed.json")
"""The names of a listing's feeds, beside its page: Atom, RSS, JSON Feed."""
SITE_FEED = HOME + FEEDS[0]

RESERVED = frozenset(
    {
        "about", "api", "articles", "assets", "authors", "corrections", "docs", "embed", "events", "favicon",
        "feed", "health", "history", "keys", "live", "metrics", "news-sitemap", "oembed", "openapi",
        "preview", "reuse", "robots", "search", "sitemap", "sitemaps", "static", "tags", "updates",
        "well-known",
    }
)  # fmt: skip
"""First path parts of the site itself: no section may be called so."""

MAX_SLUG = 80
_UNFIT = re.compile(r"[\\\x00-\x1f\x7f]")
_LONGEST_PART, _LONGEST_PATH = 240, 2_000
"""In bytes: what a disk takes, and more than any address of ours has."""


def _fit_to_stand(path: str) -> str:
    first, *parts = path.split("/")
    leads_elsewhere = bool(first) or not parts or not {".", ".."}.isdisjoint(parts) or "" in parts[:-1]
    is_long = len(path.encode()) > _LONGEST_PATH or any(len(part.encode()) > _LONGEST_PART for part in parts)
    if leads_elsewhere or is_long or _UNFIT.search(path):
        raise ValueError("is no path of the site")
    return path


SitePath = Annotated[str, AfterValidator(_fit_to_stand)]
"""Where a page or a listing may stand. A record may say anything, and the disk would refuse it later."""


def slugify(text: str) -> str:
    """Lower-case ASCII words joined by hyphens, transliterated (`Қазақстан` → `qazaqstan`), at most 80
    characters; may be empty. Names are remembered, as each page asks for the same ones.
    """
    return _kept_slug(text) if len(text) <= _MAX_KEPT else _slug_of(text)


def _slug_of(text: str) -> str:
    words = re.sub(r"['’ʼ`]", "", anyascii(text)).lower()
    slug = re.sub(r"[^a-z0-9]+", "-", words).strip("-")
    return slug if len(slug) <= MAX_SLUG else slug[: MAX_SLUG + 1].rpartition("-")[0] or slug[:MAX_SLUG]


_kept_slug = lru_cache(maxsize=4096)(_slug_of)


def is_reserved_section(section: str) -> bool:
    """Whether a section's slug would hide a page of the site: reserved, all digits (a year), or empty."""
    slug = slugify(section)
    return not slug or slug.isdigit() or slug in RESERVED


def publication_day(published_at: datetime, timezone: str) -> str:
    """The day of first publication in the dateline's zone, as the path writes it: `2023/06/20`."""
    return published_at.astimezone(ZoneInfo(timezone)).strftime("%Y/%m/%d")


def article_path(section: str, day: str, slug: str, article_id: str) -> str:
    """`/{section}/{yyyy}/{mm}/{dd}/{slug}-{xxxxxx}/`.

    `section` is the editor's name or its slug, `day` as `publication_day` gives it.
    """
    named = f"{slug}-{short_mark(article_id)}" if slug else short_mark(article_id)
    return f"/{slugify(section)}/{day}/{named}/"


def section_path(section: str) -> str:
    return f"/{slugify(section)}/"


def tag_path(tag: str) -> str:
    return f"/tags/{slugify(tag)}/"


def author_path(author: str) -> str:
    return f"/authors/{slugify(author)}/"


def day_path(day: str) -> str:
    """The archive of one day; `day` as `publication_day` gives it."""
    return f"/{day}/"


def article_by_id(article_id: str) -> str:
    """Where an article answers by its id alone, wherever its page stands: it leads on to that."""
    return f"/articles/{article_id}/"


def oembed_path(url: str) -> str:
    """Where the card of the page at that whole address is asked for, in the form of oEmbed."""
    return f"{OEMBED}?url={quote(url, safe='')}&format=json"


def month_of(day: str) -> str:
    """The month of a day, both as paths write them: `2023/06/20` → `2023/06`."""
    return day.rpartition("/")[0]


def month_path(month: str, front: str = HOME) -> str:
    """The archive of one month (`2023/06`): of the site, or of the section, tag or author at that path."""
    return f"{front}{month}/"


def sitemap_path(month: str) -> str:
    """The sitemap of what was first published in a month (`2023/06`)."""
    return f"/sitemaps/{month.replace('/', '-')}.xml"


def listing_at(path: str) -> str:
    """The listing that a mark is of: a feed of its own once was one, and belongs to its page now."""
    return path.removesuffix(FEEDS[0])
