"""What search engines are told: one file that leads to every public page, by the protocol of sitemaps.org.

Each is a listing without a page of its own, drawn from the read model as any other.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from markupsafe import escape

from newsroom.addresses import PAGES_SITEMAP, SITEMAP_INDEX
from newsroom.times import rfc3339
from services.render.listingkinds import Listing, standing_paths
from services.render.sitefile import Site

_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


def sitemap(listing: Listing, site: Site) -> bytes:
    """The file of a listing whose kind is a sitemap."""
    if listing.path == SITEMAP_INDEX:
        parts = [_element("sitemap", site.absolute(part.path), part.changed_at) for part in listing.parts]
        return _document("sitemapindex", parts)
    if listing.path == PAGES_SITEMAP:
        pages = [path for path in standing_paths(site) if path.endswith("/")]
        return _document("urlset", [_element("url", site.absolute(path), None) for path in pages])
    places = [_element("url", site.absolute(place.path), place.changed_at) for place in listing.places]
    return _document("urlset", places)


def _element(name: str, address: str, changed_at: datetime | None) -> str:
    changed = f"<lastmod>{rfc3339(changed_at)}</lastmod>" if changed_at else ""
    return f"<{name}><loc>{escape(address)}</loc>{changed}</{name}>"


def _document(root: str, elements: Iterable[str]) -> bytes:
    lines = [
        f'<?xml version="1.0" encoding="utf-8"?>\n<{root} xmlns="{_NAMESPACE}">',
        *elements,
        f"</{root}>",
    ]
    return "\n".join([*lines, ""]).encode()
