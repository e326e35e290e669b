"""A listing as JSON Feed 1.1, by its specification at jsonfeed.org.

The feeds of the ledgers carry each notice beside its entry, as the live stream sends it: a page whose stream
is refused reads them instead.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from newsroom.notices import RETRACTED_HEADLINE, NoticeKind
from newsroom.times import rfc3339
from services.render.cards import LedgerEntry
from services.render.contexts.feeds import JSON, Feed, FeedEntry
from services.render.contexts.frame import kept
from services.render.looks.sitefile import Site

VERSION = "https://jsonfeed.org/version/1.1"


def json_feed(feed: Feed, site: Site, icon: str) -> bytes:
    """The file. `icon`: the path of the site's icon."""
    document = {
        "version": VERSION,
        "title": feed.title,
        "home_page_url": site.absolute(feed.path),
        "feed_url": site.absolute(feed.path + JSON),
        "description": feed.subtitle,
        "icon": site.absolute(icon),
        "authors": [{"name": site.publisher.name, "url": site.publisher.url or site.absolute("/")}],
        "language": feed.language,
        "items": [_item(entry, site) for entry in feed.entries],
        "_newsroom": {"rights": feed.rights},
    }
    return orjson.dumps({name: value for name, value in document.items() if value != ""})


@kept
def _item(entry: FeedEntry, site: Site) -> orjson.Fragment:
    item: dict[str, object] = {
        "id": entry.id,
        "url": entry.url,
        "title": entry.title,
        "content_text": entry.summary,
        "date_published": entry.published.rfc3339,
        "date_modified": entry.updated.rfc3339,
        "language": entry.language,
    }
    if entry.authors:
        item["authors"] = [{"name": author} for author in entry.authors]
    if entry.categories:
        item["tags"] = list(entry.categories)
    if entry.notice is not None:
        item["_newsroom"] = _notice(entry.notice, site)
    return orjson.Fragment(orjson.dumps(item))


def _notice(notice: LedgerEntry, site: Site) -> Mapping[str, object]:
    is_gone = notice.kind is NoticeKind.RETRACTION
    return {
        "article_id": notice.article_id,
        "revision": notice.revision,
        "kind": notice.kind.value,
        "note": notice.note,
        "time": rfc3339(notice.time),
        "url": site.absolute(notice.path),
        "headline": RETRACTED_HEADLINE if is_gone else notice.headline,
    }
