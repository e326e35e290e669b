"""What a reader's request says of what it takes and has: content codings and validators (RFC 9110)."""

from __future__ import annotations

import hashlib
import re
import time
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path

from services.render.files import OutsideTheSite, target

_FEED = re.compile(r"(.*/)?feed\.(atom|rss|json)")


def accepted_encodings(header: str) -> frozenset[str]:
    """The content codings that an `Accept-Encoding` header allows by name (RFC 9110): `*` is not taken for
    one.
    """
    accepted = set()
    for part in header.split(","):
        token, _, parameters = part.partition(";")
        name, _, weight = parameters.strip().partition("=")
        if name.strip().lower() == "q" and _is_zero(weight):
            continue
        accepted.add(token.strip().lower())
    return frozenset(accepted)


def _is_zero(weight: str) -> bool:
    try:
        return float(weight) <= 0
    except ValueError:
        return True


def matches(header: str | None, etag: str) -> bool:
    """Whether an `If-None-Match` header names this entity tag (weak comparison)."""
    if header is None:
        return False
    named = {tag.strip().removeprefix("W/") for tag in header.split(",")}
    return etag in named or "*" in named


def entity_tag(content: bytes) -> str:
    """A strong entity tag: the same bytes in the same encoding, and only these, have it."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def last_modified(root: Path, name: str) -> int | None:
    """When a feed came to its place, in whole seconds since the epoch; None for anything else.

    Many feed readers know no other validator. As long as that second lasts the one before is told: the feed
    may change again within it, and who has the older must not be told that nothing did. Ask before the
    content is read.
    """
    if not _FEED.fullmatch(name):
        return None
    try:
        came = int(_came(target(root, name)))
    except (OSError, OutsideTheSite):
        return None
    return came if came < int(time.time()) else came - 1


def _came(place: Path) -> float:
    """When the file was renamed into its place, which moves the time of its change alone."""
    found = place.stat()
    return max(found.st_mtime, found.st_ctime)


def http_date(seconds: int) -> str:
    """As `Last-Modified` has it: `Tue, 20 Jun 2023 04:40:00 GMT`."""
    return format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True)


def is_unmodified(since: str | None, modified: int | None) -> bool:
    """Whether `If-Modified-Since` names that moment or a later one."""
    if since is None or modified is None:
        return False
    try:
        return parsedate_to_datetime(since).timestamp() >= modified
    except (ValueError, OverflowError):
        return False
