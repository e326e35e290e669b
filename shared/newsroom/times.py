"""Times as the newsroom keeps them: UTC, whole milliseconds, always written alike.

One form everywhere (log, MongoDB, API, pages) makes two renderings of a time equal byte for byte and lets
text sort as time.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, PlainSerializer

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")
FIRST_YEAR, LAST_YEAR = 1001, 9998
_OUT_OF_YEARS = f"is before the year {FIRST_YEAR} or after the year {LAST_YEAR} in UTC"


def to_moment(time: datetime) -> datetime:
    """The same instant in UTC, cut to milliseconds.

    Raises: ValueError outside of the years that every zone can write with four digits.
    """
    try:
        utc = time.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(_OUT_OF_YEARS) from error
    if not FIRST_YEAR <= utc.year <= LAST_YEAR:
        raise ValueError(_OUT_OF_YEARS)
    more = utc.microsecond % 1000
    return utc.replace(microsecond=utc.microsecond - more) if more else utc


def now() -> datetime:
    """This moment by the system clock, as a `Moment`.

    Decides nothing: only stamps what a person or a log just did.
    """
    return to_moment(datetime.now(UTC))


def rfc3339(time: datetime) -> str:
    """RFC 3339 in UTC with three decimals: `2023-06-20T05:40:00.000Z`.

    Fixed width, so text order is time order.
    """
    return _written(to_moment(time))


@lru_cache(maxsize=1024)
def _written(utc: datetime) -> str:
    """Remembered, as one moment is written in many places at once: history, head, update, outcome, page."""
    return utc.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


Moment = Annotated[AwareDatetime, AfterValidator(to_moment), PlainSerializer(rfc3339, return_type=str)]
"""A point in time in a model: any RFC 3339 offset comes in, UTC milliseconds go out."""


def _read(value: Any) -> Any:
    """The time that a string says.

    Parsed here: behind a validator, strict Pydantic takes no string for a time; and else a number for one.
    """
    if not isinstance(value, str):
        return value
    if not _RFC_3339.fullmatch(value):
        raise ValueError("is no RFC 3339 time: write it like 2023-06-20T10:40:00+06:00")
    try:
        return datetime.fromisoformat(value.upper())
    except ValueError as error:
        raise ValueError(f"is no time that exists: {error}") from error


SentMoment = Annotated[Moment, BeforeValidator(_read)]
"""A `Moment` as people send it: RFC 3339 and nothing else that Pydantic would take for a time."""
