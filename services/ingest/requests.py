"""What the door accepts: the contract's article with the limits that may change, and the bodies of each call.

Limits stand here and not in the contract, because old events are read again and must stay readable.
Everything is checked and cleaned here, so what follows is the contract's own `ArticleText`.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from newsroom import times
from newsroom.addresses import is_reserved_section
from newsroom.articles import (
    ArticleId,
    ArticleText,
    Body,
    Contract,
    Dateline,
    EntryId,
    EntryText,
    Language,
    Line,
    Name,
    Note,
    OptionalLine,
    Slug,
    Source,
    WebAddress,
    Zone,
)
from newsroom.bodies import paragraphs
from newsroom.events import SCHEDULER, CorrectionKind, Due, Dues
from newsroom.keys import KeyName, Role
from newsroom.times import SentMoment
from newsroom.topics import MAX_BODY_BYTES, MAX_ENTRY_BYTES
from services.ingest.weight import complaint

_FIRST_YEAR = 1600
_TAGS_THEN_TEXT = re.compile(r"""(?:\s*+<[^<>"]*+(?:"[^"]*+"[^<>"]*+)*+>)*+\s*+[^\s<&]""")
_LATE = timedelta(minutes=5)
"""How long after its time a due time is still taken: a retry then is what it was before, not an error."""
_FARTHEST = timedelta(days=3653)
NO_TEXT = "has no text once it is cleaned: what is public needs some"


def _not_in_the_future(time: datetime) -> datetime:
    if time > times.now():
        raise ValueError("is in the future: leave it out, and the time of the post counts")
    if time.year < _FIRST_YEAR:
        raise ValueError(f"is before the year {_FIRST_YEAR}")
    return time


def _in_the_future(time: datetime) -> datetime:
    if time <= times.now():
        raise ValueError("is past already: the key would never open anything")
    return time


def _due(time: datetime) -> datetime:
    now = times.now()
    if time < now - _LATE:
        raise ValueError(
            f"is past: it is {times.rfc3339(now)} now. Check day and zone; to publish at once, send null"
        )
    if time > now + _FARTHEST:
        raise ValueError("is more than ten years ahead: check the year")
    return time


def _of_no_draft(_: Any) -> None:
    raise ValueError(
        "cannot be sent with a draft, which changes no schedule: publish the article with it, also to lift "
        "it with null, or withdraw the article to cancel its publication"
    )


def _not_reserved(section: str) -> str:
    if is_reserved_section(section):
        raise ValueError("is an address of the site itself or all digits: choose another name")
    return section


def _of_bearable_size(html: Any) -> Any:
    if isinstance(html, str):
        _within_limit(html)
        problem = complaint(html)
        if problem:
            raise ValueError(problem)
    return html


def _within_limit(html: str) -> str:
    size = len(html.encode("utf-8", "surrogatepass"))
    if size > MAX_BODY_BYTES:
        raise ValueError(f"has {size} bytes: at most {MAX_BODY_BYTES}")
    return html


def _not_empty(html: str) -> str:
    if not _has_text(html):
        raise ValueError(NO_TEXT)
    return html


def _has_text(html: str) -> bool:
    """Whether anything is left to read of what was cleaned. Most bodies show it by their first tags; to read
    a whole one takes long.
    """
    return bool(_TAGS_THEN_TEXT.match(html) or paragraphs(html))


def _bad(field: str, told: str, value: Any) -> ValidationError:
    """One field's error, from a check that needs others too; of the whole where `field` is empty."""
    error = PydanticCustomError("value_error", "{error}", {"error": told})
    bad = InitErrorDetails(type=error, loc=(field,) if field else (), input=value)
    return ValidationError.from_exception_data("sent", [bad])


PastTime = Annotated[SentMoment, AfterValidator(_not_in_the_future)]
FutureTime = Annotated[SentMoment, AfterValidator(_in_the_future)]
DueTime = Annotated[SentMoment, AfterValidator(_due)]
NeverSent = Annotated[None, BeforeValidator(_of_no_draft), WithJsonSchema({"not": {}})]
SentBody = Annotated[Body, BeforeValidator(_of_bearable_size), AfterValidator(_within_limit)]
PublicBody = Annotated[SentBody, AfterValidator(_not_empty)]
ShortNote = Annotated[Note, Field(max_length=2000)]


def _without_default(schema: dict[str, Any]) -> None:
    """What may never be sent has no default to show either."""
    schema.pop("default")


class SentDateline(Dateline):
    """Where the story was filed, and the zone its times are told in."""

    place: Line = Field(
        max_length=200, description="Place as readers see it", examples=["Astana, Kazakhstan"]
    )
    timezone: Zone = Field(
        description="Its zone by IANA name",
        examples=["Asia/Almaty"],
        json_schema_extra={"pattern": "^[A-Za-z]"},
    )


class SentSource(Source):
    """Somebody or something the story stands on."""

    name: Line = Field(max_length=300, description="Who or what", examples=["Ministry of Internal Affairs"])
    url: Annotated[WebAddress, Field(max_length=2000)] | None = Field(default=None, description="Where it is")


class SentText(ArticleText):
    """The fields that every article sent has, finished or not."""

    headline: Line = Field(
        max_length=300, description="One line", examples=["Siege at a bank in Astana ends"]
    )
    deck: OptionalLine = Field(default="", max_length=1000, description="The sentence below the headline")
    body: SentBody = Field(
        default="",
        description="HTML, at most 1 MiB. What is not allowed (img, script, classes…) is cleaned away.",
        examples=["<p>The siege ended without casualties.</p>"],
    )
    section: Annotated[Name, AfterValidator(_not_reserved)] = Field(
        max_length=60, description="Section by name; its slug begins the address", examples=["Kazakhstan"]
    )
    tags: tuple[Annotated[Name, Field(max_length=60)], ...] = Field(
        default=(), max_length=20, description="Tags by name", examples=[["Astana", "Police"]]
    )
    authors: tuple[Annotated[Name, Field(max_length=100)], ...] = Field(
        default=(),
        max_length=20,
        description="Authors by name, in the byline's order",
        examples=[["A. Reporter"]],
    )
    dateline: SentDateline | None = Field(default=None, description="Place and zone; without one, UTC")
    language: Language = Field(default="en", max_length=35, description="BCP 47", examples=["en", "kk", "ru"])
    slug: Slug | None = Field(
        default=None, description="Words of the address; made from the first headline where absent"
    )
    breaking: bool = Field(default=False, description="Told as breaking when it is published")
    published_at: PastTime | None = Field(
        default=None, description="For stories older than the post; RFC 3339, never in the future"
    )
    live: bool = Field(
        default=False, description="Entries may be added; false again closes it and leaves what stands"
    )
    sources: tuple[SentSource, ...] = Field(default=(), max_length=50, description="What the story stands on")
    translation_of: ArticleId | None = Field(
        default=None,
        description="Id of the article that this one translates; never its own",
        examples=["bank-siege"],
    )

    def text(self) -> ArticleText:
        """The article as the event carries it: what was checked, without what only the door knows."""
        return ArticleText.model_construct(**vars(self))


class SentDraft(SentText):
    """An article that need not be finished: only headline and section are needed."""

    publish_at: NeverSent = Field(
        default=None,
        description="Never with a draft, which changes no schedule",
        json_schema_extra=_without_default,
    )
    embargo_until: NeverSent = Field(
        default=None,
        description="Never with a draft, which changes no embargo",
        json_schema_extra=_without_default,
    )
    breaking_until: NeverSent = Field(
        default=None, description="Never with a draft", json_schema_extra=_without_default
    )


class TimedText(SentText):
    """An article with what is due: a time absent leaves what stands, null lifts it, a time moves it."""

    publish_at: DueTime | None = Field(
        default=None,
        description="Not public before; RFC 3339. Absent leaves what stands, null lifts it",
        examples=[None],
    )
    embargo_until: DueTime | None = Field(
        default=None,
        description="This and every later revision stays withheld until then; RFC 3339. Absent leaves what "
        "stands, null lifts it",
        examples=[None],
    )
    breaking_until: DueTime | None = Field(
        default=None,
        description="When breaking ends by itself; RFC 3339. Absent leaves what stands, null lifts it",
        examples=[None],
    )

    @model_validator(mode="after")
    def _breaking_to_end(self) -> Self:
        if self.breaking_until is not None and not self.breaking:
            raise _bad("breaking_until", 'needs "breaking": true, or leave it out', self.breaking_until)
        return self

    @model_validator(mode="after")
    def _breaking_to_be_seen(self) -> Self:
        for name in ("publish_at", "embargo_until"):
            begins: datetime | None = getattr(self, name)
            if begins is not None and self.breaking_until is not None and self.breaking_until <= begins:
                told = f"is not after {name}: it would be over before anybody saw it. Send a later time"
                raise _bad("breaking_until", told, self.breaking_until)
        return self

    def dues(self) -> Dues:
        """The due times that were sent, each as set or as lifted."""
        sent = {
            name: Due(at=getattr(self, name)) for name in Dues.model_fields if name in self.model_fields_set
        }
        return Dues(**sent)


class SentArticle(TimedText):
    """A whole article, fit to be public."""

    body: PublicBody = Field(
        description="HTML, at most 1 MiB, with some text once what is not allowed is cleaned away.",
        examples=["<p>The siege ended without casualties.</p>"],
    )


class NewArticle(TimedText):
    """A new article: published, or with `draft` only saved."""

    id: ArticleId | None = Field(
        default=None, description="Your own id; made where absent", examples=["bank-siege"]
    )
    draft: bool = Field(default=False, description="Save it, do not publish it: then without a due time")

    @model_validator(mode="after")
    def _fit_for_its_event(self) -> Self:
        if not self.draft and not _has_text(self.body):
            raise _bad("body", NO_TEXT, self.body)
        timed = [name for name in Dues.model_fields if self.draft and getattr(self, name) is not None]
        if timed:
            told = "cannot be sent with a draft, which changes no schedule: publish the draft with it"
            raise _bad(timed[0], told, getattr(self, timed[0]))
        return self


_SOMETHING: dict[str, Any] = {"minLength": 1, "pattern": r"[^\s<>&]"}
_SOMETHING_TO_READ: dict[str, Any] = {
    "anyOf": [
        {"required": ["headline"], "properties": {"headline": _SOMETHING}},
        {"required": ["body"], "properties": {"body": _SOMETHING, "key_event": {"const": False}}},
    ]
}


class SentEntry(EntryText):
    """A post in a live article as it reads now: a headline, some text, or both."""

    model_config = ConfigDict(json_schema_extra=_SOMETHING_TO_READ)

    headline: OptionalLine = Field(
        default="",
        max_length=300,
        description="One line; a key event needs it",
        examples=["Police enter the bank"],
    )
    body: SentBody = Field(
        default="",
        description="HTML; the entry as a whole may have 64 KiB. What is not allowed is cleaned away.",
        examples=["<p>Two officers went in through the side door.</p>"],
    )
    key_event: bool = Field(default=False, description="Shown among the key events, by its headline")
    pinned: bool = Field(default=False, description="Stays on top; the pin of another entry ends with it")
    author: Annotated[Line, Field(max_length=100)] | None = Field(
        default=None, description="Who wrote it", examples=["A. Reporter"]
    )

    @model_validator(mode="after")
    def _worth_reading(self) -> Self:
        if not self.headline and not _has_text(self.body):
            raise _bad("", "has neither a headline nor any text once it is cleaned: write one of them", None)
        if self.key_event and not self.headline:
            raise _bad("headline", "is missing: a key event is listed by its headline", self.headline)
        size = len(self.text().model_dump_json().encode())
        if size > MAX_ENTRY_BYTES:
            raise _bad("", f"has {size} bytes: an entry may have {MAX_ENTRY_BYTES}, go on in another", None)
        return self

    def text(self) -> EntryText:
        """The entry as the event carries it."""
        return EntryText.model_construct(**vars(self))


class NewEntry(SentEntry):
    """A new post in a live article."""

    id: EntryId | None = Field(
        default=None, description="Your own id within the article; made where absent", examples=["0930-shots"]
    )


class Update(Contract):
    """New facts: the whole article as it reads now, and what is new in a sentence."""

    note: ShortNote = Field(
        description="Told to readers", examples=["The siege has ended; all hostages are free."]
    )
    article: SentArticle = Field(description="The whole article as it reads now")


class Correction(Contract):
    """A factual error mended: the whole article as it reads now, what was wrong and what is right."""

    kind: CorrectionKind = Field(description="What readers are told it is")
    note: ShortNote = Field(
        description="Told to readers",
        examples=["An earlier version misstated the number of hostages: there were two."],
    )
    article: SentArticle = Field(description="The whole article as it reads now")


class Amendment(Contract):
    """A typo or a matter of style: the whole article as it reads now. Readers are not told."""

    article: SentArticle = Field(description="The whole article as it reads now")


class Retraction(Contract):
    """Killed, for good."""

    note: ShortNote = Field(
        description="Told to readers where the text was", examples=["The report was unfounded."]
    )


class Withdrawal(Contract):
    """Taken down; may come back."""

    note: ShortNote = Field(description="Kept private", examples=["Legal review until Monday."])


def _not_the_scheduler(name: str) -> str:
    if name == SCHEDULER:
        raise ValueError("is the name under which due events are written: choose another one")
    return name


class NewKey(Contract):
    """A key to be made."""

    name: Annotated[KeyName, AfterValidator(_not_the_scheduler)] = Field(
        description="Who or what uses it; never given twice", examples=["wire-desk"]
    )
    role: Role = Field(description="What it may do")
    expires_at: FutureTime | None = Field(default=None, description="When it stops working; RFC 3339")


BODIES: tuple[type[Contract], ...] = (
    NewArticle, SentArticle, SentDraft, Update, Correction, Amendment, Retraction, Withdrawal, NewEntry,
    SentEntry, NewKey,
)  # fmt: skip
"""Every body of the API, for its documentation."""
