"""How pages write moments, days and months: by the Unicode CLDR's rules for a language, through Babel.

Every time is absolute and in a named zone: a page holds no clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton, get_timezone_location

_OWN_PATTERNS = {"en": "d MMMM, y"}
"""The house's own way where it is not CLDR's long form."""


@dataclass(frozen=True)
class When:
    """A moment as a page writes it. `machine` goes into `<time datetime>`; the rest is for people."""

    machine: str
    day: str
    clock: str
    zone: str

    @property
    def full(self) -> str:
        """`20 June, 2023 | 10:40`, as datelines have it."""
        return f"{self.day} | {self.clock}"


def when(time: datetime, timezone: str, locale: Locale) -> When:
    """A moment in a zone: `machine` is RFC 3339 with the zone's offset, whole seconds."""
    local = time.astimezone(ZoneInfo(timezone)).replace(microsecond=0)
    has_whole_minutes = (local.utcoffset() or timedelta()) % timedelta(minutes=1) == timedelta()
    return When(
        machine=(local if has_whole_minutes else local.astimezone(UTC)).isoformat(),
        day=written_day(local.date(), locale),
        clock=f"{local.hour:02d}:{local.minute:02d}",
        zone=_zone(local),
    )


@lru_cache(maxsize=4_096)
def written_day(day: date, locale: Locale) -> str:
    """`20 June, 2023`."""
    return format_date(day, _OWN_PATTERNS.get(locale.language, "long"), locale)


def written_month(month: date, locale: Locale) -> str:
    """The month that a day lies in: `June 2023`."""
    return format_skeleton("yMMMM", month, locale=locale)


def zone_city(timezone: str, locale: Locale) -> str:
    """The city that a zone is named after, `Almaty`, or the zone's own name where it has none, `UTC`."""
    return get_timezone_location(ZoneInfo(timezone), locale=locale, return_city=True)


def _zone(local: datetime) -> str:
    """The offset as `UTC+6` or `UTC−3:30`: names of zones are not known everywhere, offsets are."""
    offset = local.utcoffset()
    minutes = round(offset.total_seconds() / 60) if offset else 0
    if minutes == 0:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '−'}{hours}" + (f":{rest:02d}" if rest else "")
