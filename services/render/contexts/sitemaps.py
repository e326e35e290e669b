"""What search engines are told: files that lead to every public page, by the protocol of sitemaps.org.

Each is a listing without a page of its own, drawn from the read model as any other; but what was published in
the last two days, which time alone changes, is drawn when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from markupsafe import escape

from newsroom.addresses import ABOUT, PAGES_SITEMAP, REUSE, SITEMAP_INDEX, TRANSLATIONS_SITEMAP
from newsroom.times import rfc3339
from services.render.cards import Card
from services.render.listingkinds import Listing, Place, standing_paths
from services.render.looks.sitefile import Site

_SITEMAP = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
_NEWS = 'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'
_XHTML = 'xmlns:xhtml="http://www.w3.org/1999/xhtml"'


def sitemap(listing: Listing, site: Site) -> bytes:
    """The file of a listing whose kind is a sitemap."""
    match listing.path:
        case str(path) if path == SITEMAP_INDEX:
            parts = [_element("sitemap", site.absolute(part.path), part.changed_at) for part in listing.parts]
            return _document("sitemapindex", parts)
        case str(path) if path == PAGES_SITEMAP:
            pages = [path for path in (*standing_paths(site), ABOUT, REUSE) if path.endswith("/")]
            return _document("urlset", [_element("url", site.absolute(path)) for path in pages])
        case str(path) if path == TRANSLATIONS_SITEMAP:
            return _document("urlset", _translations(listing.places, site), _XHTML)
    places = [_element("url", site.absolute(place.path), place.changed_at) for place in listing.places]
    return _document("urlset", places)


def news_sitemap(cards: Iterable[Card], site: Site) -> bytes:
    """What was published lately, by Google's extension for news; `cards` are what is to stand there."""
    return _document("urlset", [_news(card, site) for card in cards], _NEWS)


def _news(card: Card, site: Site) -> str:
    language = f"<news:language>{_news_language(card.language)}</news:language>"
    publication = f"<news:name>{escape(site.name)}</news:name>{language}"
    return _element(
        "url",
        site.absolute(card.path),
        card.updated_at,
        f"<news:news><news:publication>{publication}</news:publication>"
        f"<news:publication_date>{rfc3339(card.published_at)}</news:publication_date>"
        f"<news:title>{escape(card.headline)}</news:title></news:news>",
    )


def _news_language(language: str) -> str:
    """ISO 639 as the extension has it: of Chinese, which of its two scripts."""
    primary, *rest = language.lower().split("-")
    if primary != "zh":
        return primary
    return "zh-tw" if {"hant", "tw", "hk", "mo"} & set(rest) else "zh-cn"


def _translations(places: Sequence[Place], site: Site) -> list[str]:
    """Each page of every text that stands in more than one language, with all of these languages.

    Where there is none, the pages alone: the format has no empty sitemap.
    """
    elements = []
    for group in _groups(places):
        links = "".join(_alternate(language, place, site) for language, place in group.items())
        original = next((place for place in group.values() if place.translation_of is None), None)
        links += _alternate("x-default", original, site) if original else ""
        elements += [_element("url", site.absolute(place.path), None, links) for place in group.values()]
    return elements or [_element("url", site.absolute(place.path)) for place in places]


def _groups(places: Sequence[Place]) -> list[Mapping[str, Place]]:
    """One text in its languages, by language, the original first; of two in one language the older stands."""
    known = {place.article_id: place for place in places}
    groups: dict[str, dict[str, Place]] = {}
    oldest_first = places[::-1]
    for place in sorted(oldest_first, key=lambda place: place.translation_of is not None):
        groups.setdefault(_root(place, known), {}).setdefault(place.language, place)
    return [groups[root] for root in sorted(groups) if len(groups[root]) > 1]


def _root(place: Place, known: Mapping[str, Place]) -> str:
    """The article that a translation, or the translation of one, goes back to."""
    seen = {place.article_id}
    root = place.translation_of or place.article_id
    while root in known and root not in seen:
        seen.add(root)
        root = known[root].translation_of or root
    return root


def _alternate(language: str, place: Place, site: Site) -> str:
    address = escape(site.absolute(place.path))
    return f'<xhtml:link rel="alternate" hreflang="{language}" href="{address}"/>'


def _element(name: str, address: str, changed_at: datetime | None = None, more: str = "") -> str:
    changed = f"<lastmod>{rfc3339(changed_at)}</lastmod>" if changed_at else ""
    return f"<{name}><loc>{escape(address)}</loc>{changed}{more}</{name}>"


def _document(root: str, elements: Iterable[str], *namespaces: str) -> bytes:
    lines = [
        f'<?xml version="1.0" encoding="utf-8"?>\n<{" ".join((root, _SITEMAP, *namespaces))}>',
        *elements,
        f"</{root}>",
    ]
    return "\n".join([*lines, ""]).encode()
