"""The interface's words, in one language at a time: what contexts and templates speak with.

Sentences that stand between markup are in the templates; what is chosen by kind or computed is here. English
is the key of every message: `catalogues` has the other languages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from gettext import NullTranslations

from babel import Locale, UnknownLocaleError
from babel.lists import format_list
from babel.numbers import format_decimal
from markupsafe import Markup

from newsroom.notices import NoticeKind
from newsroom.updates import ChangeKind
from services.render.words import dates
from services.render.words.catalogues import ENGLISH, catalogue, spoken
from services.render.words.dates import When

_RIGHT_TO_LEFT = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"})
_RIGHT_TO_LEFT_SCRIPTS = frozenset({"adlm", "arab", "hebr", "mand", "nkoo", "rohg", "syrc", "thaa"})
_LOCALES = {ENGLISH: "en_GB"}
"""Where CLDR's rules for a language are not those for its name alone: lists without a comma before `and`."""


@dataclass(frozen=True)
class Label:
    """A kind of change as readers see it: its word, and the colour token that goes with the word.

    A label in this module is in English, a message of the catalogues; `Wording.label` says it in a language.
    """

    text: str
    tone: str


def message(text: str) -> str:
    """Marks a text for the catalogues; it is translated where it is used."""
    return text


CHANGE_LABELS: Mapping[ChangeKind, Label] = {
    ChangeKind.PUBLISHED: Label("Published", "plain"),
    ChangeKind.UPDATED: Label("Update", "notice"),
    ChangeKind.CORRECTION: Label("Correction", "correction"),
    ChangeKind.CLARIFICATION: Label("Clarification", "correction"),
    ChangeKind.EDITORS_NOTE: Label("Editor’s note", "correction"),
    ChangeKind.AMENDED: Label("Minor edit", "plain"),
    ChangeKind.RETRACTED: Label("Retraction", "breaking"),
}
CARD_LABELS: Mapping[ChangeKind, Label] = {
    ChangeKind.UPDATED: Label("Updated", "notice"),
    ChangeKind.CORRECTION: Label("Corrected", "correction"),
    ChangeKind.CLARIFICATION: Label("Clarified", "correction"),
    ChangeKind.EDITORS_NOTE: Label("Editor’s note", "correction"),
    ChangeKind.RETRACTED: Label("Retracted", "breaking"),
}
NOTICE_LABELS: Mapping[NoticeKind, Label] = {
    NoticeKind.BREAKING: Label("Breaking", "breaking"),
    NoticeKind.PUBLISHED: Label("New", "plain"),
    NoticeKind.UPDATE: CHANGE_LABELS[ChangeKind.UPDATED],
    NoticeKind.CORRECTION: CHANGE_LABELS[ChangeKind.CORRECTION],
    NoticeKind.CLARIFICATION: CHANGE_LABELS[ChangeKind.CLARIFICATION],
    NoticeKind.EDITORS_NOTE: CHANGE_LABELS[ChangeKind.EDITORS_NOTE],
    NoticeKind.RETRACTION: CHANGE_LABELS[ChangeKind.RETRACTED],
    NoticeKind.LIVE_ENTRY: Label("Live", "notice"),
}
BREAKING = NOTICE_LABELS[NoticeKind.BREAKING]
LIVE = Label("Live", "breaking")
LIVE_OVER = Label("Live coverage ended", "plain")
KEY_EVENT = Label("Key event", "notice")
PINNED = Label("Pinned", "notice")

RETRACTED_TITLE = message("This article has been retracted")
RETRACTED_ITEM = message("Retracted article")
RETRACTED_TEXT = message(
    "The text that stood here is no longer published. This page stays at its address so that links to it tell"
    " what became of it."
)
ADDED = message("[added]")
REMOVED = message("[removed]")
UNTOLD_NOTES: Mapping[ChangeKind, str] = {
    ChangeKind.PUBLISHED: message("First published."),
    ChangeKind.AMENDED: message("Spelling or style; nothing that changes the facts."),
}
"""What the history says of changes that come without a note."""


@dataclass(frozen=True)
class Wording:
    """How one language is spoken. `language` is the tag that was asked for, which `<html lang>` has.

    Messages are written in English with `%(name)s` for values and `%%` for a percent sign.
    """

    language: str
    direction: str
    locale: Locale = field(repr=False)
    catalogue: NullTranslations = field(repr=False, compare=False)

    def text(self, message: str, **values: object) -> str:
        """A message in this language, with its values put in."""
        return self.catalogue.gettext(message) % values

    def plural(self, one: str, many: str, n: int, **values: object) -> str:
        """A message whose form a number chooses. `%(num)s` in it is that number, as people write it."""
        return self.catalogue.ngettext(one, many, n) % (values | {"num": self.number(n)})

    def markup(self, message: str, /, **values: object) -> Markup:
        """As `text`, for templates: a message may hold markup, a value is escaped unless it is Markup."""
        return Markup(self.catalogue.gettext(message)) % values  # noqa: S704  (messages are ours)

    def markup_plural(self, one: str, many: str, n: int, /, **values: object) -> Markup:
        """As `plural`, for templates."""
        chosen = Markup(self.catalogue.ngettext(one, many, n))  # noqa: S704  (messages are ours)
        return chosen % (values | {"num": self.number(n)})

    def label(self, label: Label) -> Label:
        """A label of this module, said in this language."""
        return Label(self.text(label.text), label.tone)

    def change_label(self, kind: ChangeKind) -> Label:
        """What a revision is called in a history."""
        return self.label(CHANGE_LABELS[kind])

    def card_label(self, kind: ChangeKind) -> Label | None:
        """What an article is called on a front that was last changed so; None of a plain publication."""
        label = CARD_LABELS.get(kind)
        return self.label(label) if label else None

    def notice_label(self, kind: NoticeKind) -> Label:
        """What a notice is called."""
        return self.label(NOTICE_LABELS[kind])

    def untold_note(self, kind: ChangeKind) -> str:
        """What the history says of a change without a note; empty where it says nothing."""
        note = UNTOLD_NOTES.get(kind)
        return self.text(note) if note else ""

    def when(self, time: datetime, timezone: str) -> When:
        """A moment in a zone, as a page writes it."""
        return dates.when(time, timezone, self.locale)

    def day(self, day: str) -> str:
        """A day as paths write it (`2023/06/20`), for people: `20 June, 2023`."""
        year, month, number = (int(part) for part in day.split("/"))
        return dates.written_day(date(year, month, number), self.locale)

    def month(self, month: str) -> str:
        """A month as paths write it (`2023/06`), for people: `June 2023`."""
        year, number = (int(part) for part in month.split("/"))
        return dates.written_month(date(year, number, 1), self.locale)

    def number(self, n: int) -> str:
        """A number of things: `12,345`."""
        return format_decimal(n, locale=self.locale)

    def language_name(self, tag: str) -> str:
        """What a language is called, by its BCP 47 tag; the tag itself where that is not known."""
        name: str = self.locale.languages.get(tag.partition("-")[0].lower(), tag)
        return name

    def foreign_name(self, tag: str) -> str:
        """What a language other than this one calls itself, as a title; empty of this one."""
        primary = tag.partition("-")[0].lower()
        return "" if primary == self.language.partition("-")[0].lower() else _own_name(primary)

    def zone_name(self, timezone: str) -> str:
        """A zone by the city that stands for it: `Almaty`."""
        return dates.zone_city(timezone, self.locale)

    def joints(self, count: int) -> tuple[str, ...]:
        """What stands before, between and behind the names in a list: `("", ", ", " and ", "")` of three."""
        return tuple(format_list(["\0"] * count, locale=self.locale).split("\0"))


def wording_of(language: str, fallback: str = ENGLISH) -> Wording:
    """How a language is spoken, or the fallback where we have no words in it, or English."""
    for tag in (language, fallback):
        known = spoken(tag)
        if known:
            return Wording(tag, direction(tag), _locale(known), catalogue(known))
    return wording_of(ENGLISH)


@cache
def _locale(language: str) -> Locale:
    return Locale.parse(_LOCALES.get(language, language))


@cache
def _own_name(language: str) -> str:
    """By CLDR, with a capital; the tag itself where that is not known."""
    try:
        name: str = Locale.parse(language).languages[language]
    except (UnknownLocaleError, ValueError, KeyError):
        return language
    return name[:1].upper() + name[1:]


def direction(language: str) -> str:
    """`rtl` or `ltr` for a BCP 47 language tag: by its script where it names one, else by its language."""
    primary, *rest = language.lower().split("-")
    scripts = [part for part in rest if len(part) == 4 and part.isalpha()]
    if scripts:
        return "rtl" if scripts[0] in _RIGHT_TO_LEFT_SCRIPTS else "ltr"
    return "rtl" if primary in _RIGHT_TO_LEFT else "ltr"
