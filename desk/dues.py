"""Times as people type them: with a zone, or in the zone of the story's dateline; `none` lifts a due time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from newsroom.times import rfc3339

KEYS = ("publish_at", "embargo_until", "breaking_until")
"""Due times: absent leaves what stands, None lifts it, a time moves it."""
LIFTED = frozenset({"none", "null", "~"})
_DAY = "2026-11-25"
_BEFORE_ZONE = re.compile(r"\s+(?=[+-]\d|Z$)")


class BadTime(ValueError):
    """What was typed is no moment; says what to write instead."""


def to_due(text: str, zone: str | None) -> JsonValue:
    """A due time as ingest takes it. Raises: BadTime."""
    return None if text.strip().lower() in LIFTED else rfc3339(to_time(text, zone))


def to_time(text: str, zone: str | None) -> datetime:
    """A moment; without a zone of its own it is told in that one (IANA name). Raises: BadTime."""
    example = f"write it with day, time and zone, like `{_DAY} 10:40 +06:00`"
    stripped = text.strip()
    try:
        time = datetime.fromisoformat(_BEFORE_ZONE.sub("", stripped))
    except ValueError as error:
        raise BadTime(f"is no time: {example}") from error
    if len(stripped) <= len(_DAY):
        raise BadTime(f"is a day without a time: {example}")
    return _checked(time if time.tzinfo is not None else _placed(time, zone, example))


def zone_of(dateline: JsonValue) -> str | None:
    """The zone that a dateline names, if it names one that there is."""
    name = dateline.get("timezone") if isinstance(dateline, Mapping) else None
    return name if isinstance(name, str) and _find(name) is not None else None


def _placed(time: datetime, zone: str | None, example: str) -> datetime:
    """A wall-clock time in its zone; where clocks are put back or forward it could mean two or none."""
    place = _find(zone) if zone else None
    if place is None:
        raise BadTime(f"has no zone, and there is no dateline to take it from: {example}")
    placed = time.replace(tzinfo=place)
    if placed.utcoffset() != placed.replace(fold=1).utcoffset():
        raise BadTime(f"comes twice or never in {zone}, where the clocks change then: {example}")
    return placed


def _checked(time: datetime) -> datetime:
    try:
        rfc3339(time)
    except ValueError as error:
        raise BadTime(str(error)) from error
    return time


def _find(zone: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        return None
