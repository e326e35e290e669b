"""Which addresses the readers know: those that every site has, those that pages lead to, and those that
editors were told.

An address is never forgotten because nothing stands there any more: that is where a text would leak.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random
from urllib.parse import urlsplit

from faults.history import Ended, History, Invoked
from faults.load.fetching import STORE
from faults.load.sights import Sight

_ALWAYS = (
    "/", "/feed.atom", "/feed.rss", "/feed.json", "/updates/", "/updates/feed.atom", "/updates/feed.rss",
    "/updates/feed.json", "/corrections/", "/corrections/feed.json", "/sitemap.xml", "/sitemaps/pages.xml",
    "/news-sitemap.xml",
)  # fmt: skip
_ARTICLE = re.compile(r"(/[^/]+/\d{4}/\d\d/\d\d/[^/]+-[a-z2-7]{6}/)(.*)")
_FOREIGN = ("/assets/", "/live", "/oembed")
_MOST = 400
_NEWEST = 60
_BELOW = ("", "", "", "", "history/", "history/1-2/", "history/2-3/", "excerpt.json")
_OF_STORE = ("", "", "/revisions", "/revisions/1", "/revisions/2", "/diff?from=1&to=2", "/entries")


@dataclass(frozen=True)
class Watched:
    """What a reader has open: an article's page, or (`article_id` None) a page that tells of all of them."""

    path: str
    article_id: str | None


class Addresses:
    """What all readers know together."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._looked = 0
        self._ids: dict[str, None] = {}
        self._operations: dict[str, str] = {}
        self._owners: dict[str, str] = {}
        self._articles: dict[str, None] = {}
        self._others: dict[str, None] = dict.fromkeys(_ALWAYS)

    def note(self, path: str, sight: Sight) -> None:
        """Somebody saw this there."""
        if sight.article_id is not None and path in self._articles:
            self._owners.setdefault(path, sight.article_id)
        for path in sight.links:
            found = _ARTICLE.fullmatch(path)
            if found:
                self._add(self._articles, found[1])
            if (found is None or found[2]) and not path.startswith(_FOREIGN):
                self._add(self._others, path)

    def page(self, dice: Random) -> tuple[str, str | None]:
        """An address of the site, and whose it is as far as that is known. Previews are not for readers."""
        self._listen()
        if self._ids and dice.random() < 0.05:
            article_id = dice.choice(list(self._ids)[-_NEWEST:])
            return f"/preview/{article_id}", article_id
        if not self._articles or dice.random() < 0.4:
            return dice.choice(list(self._others)), None
        path = dice.choice(list(self._articles)[-_NEWEST:])
        return path + dice.choice(_BELOW), self._owners.get(path)

    def owned(self) -> list[Watched]:
        """Articles with their pages, as editors were told, those that were heard of last at the end."""
        self._listen()
        return [Watched(path, article_id) for path, article_id in self._owners.items()]

    def of_store(self, dice: Random) -> tuple[str, str | None]:
        """An address of the store's API. Somebody may well guess an article's id."""
        self._listen()
        if not self._ids or dice.random() < 0.2:
            return STORE + "/articles", None
        article_id = dice.choice(list(self._ids)[-_NEWEST:])
        return f"{STORE}/articles/{article_id}{dice.choice(_OF_STORE)}", article_id

    def _listen(self) -> None:
        """Take in what the editors sent and were told since the last time."""
        entries = self._history.entries
        for entry in entries[self._looked :]:
            if isinstance(entry, Invoked):
                self._add(self._ids, entry.article_id)
                self._operations[entry.operation] = entry.article_id
            elif isinstance(entry, Ended) and entry.url is not None:
                path = urlsplit(entry.url).path
                self._add(self._articles, path)
                self._owners[path] = self._operations[entry.operation]
        self._looked = len(entries)

    def _add(self, known: dict[str, None], path: str) -> None:
        if len(known) < _MOST:
            known.setdefault(path)
