"""The interface's words and how it writes times: one place, so that other languages can take it over.

Sentences that stand between markup are in the templates; what is chosen by kind or computed is here. Every
time is absolute and in a named zone: a page holds no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from newsroom.notices import NoticeKind
from newsroom.updates import ChangeKind

DESCRIPTION_CHARACTERS = 200
RETRACTED_TITLE = "This article has been retracted"
RETRACTED_ITEM = "Retracted article"
ADDED = "[added]"
REMOVED = "[removed]"

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_RIGHT_TO_LEFT = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"})
_RIGHT_TO_LEFT_SCRIPTS = frozenset({"adlm", "arab", "hebr", "mand", "nkoo", "rohg", "syrc", "thaa"})


@dataclass(frozen=True)
class Label:
    """A kind of change as readers see it: its word, and the colour token that goes with the word."""

    text: str
    tone: str


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
LIVE = Label("Live", "breaking")
LIVE_OVER = Label("Live coverage ended", "plain")
KEY_EVENT = Label("Key event", "notice")
PINNED = Label("Pinned", "notice")
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

UNTOLD_NOTES: Mapping[ChangeKind, str] = {
    ChangeKind.PUBLISHED: "First published.",
    ChangeKind.AMENDED: "Spelling or style; nothing that changes the facts.",
}
"""What the history says of changes that come without a note."""


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


def when(time: datetime, timezone: str) -> When:
    """A moment in a zone: `machine` is RFC 3339 with the zone's offset, whole seconds."""
    local = time.astimezone(ZoneInfo(timezone)).replace(microsecond=0)
    has_whole_minutes = (local.utcoffset() or timedelta()) % timedelta(minutes=1) == timedelta()
    return When(
        machine=(local if has_whole_minutes else local.astimezone(UTC)).isoformat(),
        day=_day(local.year, local.month, local.day),
        clock=f"{local.hour:02d}:{local.minute:02d}",
        zone=_zone(local),
    )


def day_title(day: str) -> str:
    """A day as paths write it (`2023/06/20`), for people: `20 June, 2023`."""
    year, month, date = (int(part) for part in day.split("/"))
    return _day(year, month, date)


def shorten(text: str) -> str:
    """A description for machines: cut at a word, still within the reuse rule, since it only gets shorter."""
    if len(text) <= DESCRIPTION_CHARACTERS:
        return text
    return text[:DESCRIPTION_CHARACTERS].rpartition(" ")[0].rstrip(".,;:…") + "…"


def direction(language: str) -> str:
    """`rtl` or `ltr` for a BCP 47 language tag: by its script where it names one, else by its language."""
    primary, *rest = language.lower().split("-")
    scripts = [part for part in rest if len(part) == 4 and part.isalpha()]
    if scripts:
        return "rtl" if scripts[0] in _RIGHT_TO_LEFT_SCRIPTS else "ltr"
    return "rtl" if primary in _RIGHT_TO_LEFT else "ltr"


def _day(year: int, month: int, day: int) -> str:
    return f"{day} {_MONTHS[month - 1]}, {year}"


def _zone(local: datetime) -> str:
    """The offset as `UTC+6` or `UTC−3:30`: names of zones are not known everywhere, offsets are."""
    offset = local.utcoffset()
    minutes = round(offset.total_seconds() / 60) if offset else 0
    if minutes == 0:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '−'}{hours}" + (f":{rest:02d}" if rest else "")
