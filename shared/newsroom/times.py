"""Times as the newsroom keeps them: UTC, whole milliseconds, always written alike.

One form everywhere (log, MongoDB, API, pages) makes two renderings of a time equal byte for byte and lets
text sort as time.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, PlainSerializer


def to_moment(time: datetime) -> datetime:
    """The same instant in UTC, cut to milliseconds. Raises: ValueError where UTC has no year for it."""
    try:
        utc = time.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is before the year 1 or after the year 9999 in UTC") from error
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def now() -> datetime:
    """This moment by the system clock, as a `Moment`.

    Decides nothing: only stamps what a person or a log just did.
    """
    return to_moment(datetime.now(UTC))


def rfc3339(time: datetime) -> str:
    """RFC 3339 in UTC with three decimals: `2023-06-20T05:40:00.000Z`.

    Fixed width, so text order is time order.
    """
    return to_moment(time).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


Moment = Annotated[AwareDatetime, AfterValidator(to_moment), PlainSerializer(rfc3339, return_type=str)]
"""A point in time in a model: any RFC 3339 offset comes in, UTC milliseconds go out."""
