"""What an editor writes: the whole article, as every event carries it.

The same model at the door, on the log and in MongoDB.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from newsroom.addresses import slugify
from newsroom.bodies import clean
from newsroom.times import Moment

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")
_BREAKS = re.compile(r"[\t\r\n\u2028\u2029]")


class Contract(BaseModel):
    """Base of everything that crosses a border.

    Frozen; unknown fields of a newer writer are ignored (evolution by addition).
    """

    model_config = ConfigDict(frozen=True, extra="ignore")


def _free_of_controls(text: str) -> str:
    found = None if text.isprintable() else _CONTROL.search(text)  # what is printable needs no closer look
    if found:
        raise ValueError(
            f"has the control character U+{ord(found[0]):04X} at position {found.start()}: remove it"
        )
    return unicodedata.normalize("NFC", text)


def _one_line(text: str) -> str:
    if _BREAKS.search(text):
        raise ValueError("has a line break or tab: write it on one line")
    return _free_of_controls(text).strip()


def _not_blank(text: str) -> str:
    if not text:
        raise ValueError("is blank: write at least one character")
    return text


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("is no IANA time zone: write one like Asia/Almaty") from error
    return name


def _sluggable(name: str) -> str:
    if not slugify(name):
        raise ValueError("has no letter or digit that an address could be made of")
    return name


def _slug(text: str) -> str:
    if text != slugify(text):
        raise ValueError(
            "is no slug: use lower-case letters, digits and single hyphens, like "
            f"{slugify(text) or 'bank-siege'!r}"
        )
    return text


def _body(html: str) -> str:
    """Cleaning reads character references (`&#11;`), so that what it gives is checked once more: with one of
    these in it the event could not be read again, nor a feed that quotes it.
    """
    whole = _free_of_controls(html)
    cleaned = clean(whole)
    return cleaned if cleaned == whole else _free_of_controls(cleaned)


Line = Annotated[str, AfterValidator(_one_line), AfterValidator(_not_blank)]
OptionalLine = Annotated[str, AfterValidator(_one_line)]
Name = Annotated[str, AfterValidator(_one_line), AfterValidator(_not_blank), AfterValidator(_sluggable)]
Slug = Annotated[str, AfterValidator(_slug), AfterValidator(_not_blank)]
Note = Annotated[str, AfterValidator(_one_line), AfterValidator(_not_blank)]
"""One sentence or two that tell readers what changed (or, for a withdrawal, tell colleagues why)."""
Zone = Annotated[str, AfterValidator(_known_zone)]
Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Body = Annotated[str, AfterValidator(_body)]
ArticleId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
EntryId = ArticleId
"""An entry's id, unique within its live article."""
Number = Annotated[int, Field(ge=0, le=10**12)]
"""A revision, or a count of something: more than there will ever be, less than a database keeps."""
WebAddress = Annotated[str, StringConstraints(pattern=r"^https?://[^\s<>\"]+$")]


class Dateline(Contract):
    """Where the story was filed, and the zone its times are told in."""

    place: Line
    timezone: Zone


class Source(Contract):
    """Somebody or something the story stands on."""

    name: Line
    url: WebAddress | None = None


class ArticleText(Contract):
    """An article as its editor sees it: always the whole, never a patch.

    The rules here are what everything downstream relies on and never grow stricter, since old events are read
    again. Limits that may change (lengths, counts, reserved sections) stand at the door, in
    `services.ingest.requests`.
    """

    headline: Line
    deck: OptionalLine = ""
    body: Body = ""
    section: Name
    tags: tuple[Name, ...] = ()
    authors: tuple[Name, ...] = ()
    dateline: Dateline | None = None
    language: Language = "en"
    slug: Slug | None = None
    breaking: bool = False
    published_at: Moment | None = None
    live: bool = False
    sources: tuple[Source, ...] = ()
    translation_of: ArticleId | None = None


class EntryText(Contract):
    """A post in a live article: always the whole, never a patch. Its rules never grow stricter either."""

    headline: OptionalLine = ""
    body: Body = ""
    key_event: bool = False
    pinned: bool = False
    author: Line | None = None
