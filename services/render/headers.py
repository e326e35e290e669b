"""The headers of everything that the site serves, in one place: the edge server under compose sends the
same.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

SECURITY: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "browsing-topics=(), camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
"""On every answer of the site."""

REVALIDATED = "no-cache"
"""For whatever carries words: kept, but asked for each time, so that a correction is never hidden by a
cache.
"""

IMMUTABLE = "public, max-age=31536000, immutable"
"""For `/assets/`, whose names change with their content."""

NEVER_KEPT = "no-store"
"""For streams and for answers that say only how things stand at this moment."""

CONTENT_TYPES: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".atom": "application/atom+xml; charset=utf-8",
    ".rss": "application/rss+xml; charset=utf-8",
    ".xml": "application/xml; charset=utf-8",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}
"""By suffix; nothing else stands in the pages folder."""

NAMED_TYPES: Mapping[str, str] = {
    "feed.json": "application/feed+json; charset=utf-8",
    "license.xml": "application/rsl+xml; charset=utf-8",
}
"""By name, where the suffix says too little."""

READ_ANYWHERE: Mapping[str, str] = {"Access-Control-Allow-Origin": "*"}
"""For what programs of other sites may fetch: feeds and whatever the rule of reuse has cut to its measure."""

_FOR_PROGRAMS = frozenset({"feed.atom", "feed.rss", "feed.json"})


def content_type(name: str) -> str:
    """The media type of a file of the site, by its name or suffix."""
    return NAMED_TYPES.get(name.rpartition("/")[2]) or CONTENT_TYPES[Path(name).suffix]


def of_file(name: str) -> dict[str, str]:
    """The headers of a file of the site beside its type and its validators."""
    keeping = IMMUTABLE if name.startswith("/assets/") else REVALIDATED
    shared = READ_ANYWHERE if name.rpartition("/")[2] in _FOR_PROGRAMS else {}
    return {**SECURITY, "Cache-Control": keeping, **shared}
