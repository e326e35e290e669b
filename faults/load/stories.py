"""What an editor knows of an article and does to it: a small model, moved by the answers. Pure.

Where the model is wrong an event is rejected more often, and no more than that: whether a text is withheld
(`Act.withheld`) follows from what the act itself sends, not from what the model believes.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal

from faults.load.answers import Answer
from faults.load.words import Fields

Withheld = Literal["", "draft", "scheduled", "embargoed"]
DueField = Literal["publish_at", "embargo_until"]
TEXTS = ("published", "updated", "corrected", "amended")
"""The kinds of events that send a whole article to the public."""
NEAR_SECONDS = (3.0, 10.0)
"""Between which a text waits that falls due within the run."""


class Stage(StrEnum):
    """Where an article stands, as far as its editor knows."""

    NEW = "new"
    DRAFT = "draft"
    WAITING = "waiting"
    PUBLIC = "public"
    HELD = "held"
    WITHDRAWN = "withdrawn"
    RETURNING = "returning"
    RETRACTED = "retracted"


@dataclass(frozen=True)
class Clock:
    """The run's clock and the world's, at one moment."""

    run: float
    world: float

    def due(self, seconds: float) -> tuple[str, float]:
        """A time so far ahead: as it is sent (whole milliseconds), and by the run's clock."""
        at = math.ceil((self.world + seconds) * 1000) / 1000
        told = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
        return told.replace("+00:00", "Z"), self.run + at - self.world


@dataclass(frozen=True)
class Act:
    """One event that an editor decided on, as it is sent however often, and where it leaves the article."""

    kind: str
    article_id: str
    method: str
    path: str
    body: Fields
    token: str
    leaves: Stage
    withheld: Withheld = ""
    due: tuple[str, float] | None = None
    if_match: int | None = None
    entry: str = ""

    @property
    def content(self) -> bytes:
        return json.dumps(self.body).encode()

    @property
    def due_at(self) -> float | None:
        return self.due[1] if self.due else None


@dataclass
class Story:
    """An article of one editor, or (`is_shared`) their part in one that all of them write."""

    article_id: str
    number: int
    pen: str
    """Begins the ids of the entries that this editor adds."""
    is_shared: bool = False
    has_slug: bool = True
    is_live: bool = False
    more: Fields = field(default_factory=dict)
    """What each text of it has besides: the article that it translates, when it was first published."""
    stage: Stage = Stage.NEW
    revision: int | None = None
    """The newest, where the editor was told and nothing moves it by itself."""
    due: tuple[str, float] | None = None
    due_field: DueField = "publish_at"
    """By which of the two it waits, when it does."""
    was_timed: bool = False
    is_own_mover: bool = False
    """Time moves its revision (a release, the end of breaking), so `If-Match` may be late at any moment."""
    entries: list[str] = field(default_factory=list)
    entries_sent: int = 0

    @property
    def is_over(self) -> bool:
        return self.stage is Stage.RETRACTED

    def look(self, at: float) -> None:
        """Let what fell due be public; the release that the newsroom writes by itself moves the revision."""
        if self.due is None or at < self.due[1]:
            return
        self.due, self.revision = None, None
        if self.stage in (Stage.WAITING, Stage.HELD, Stage.RETURNING):
            self.stage = Stage.PUBLIC

    def settle(self, act: Act, answer: Answer) -> None:
        """Take in what became of an act; one that was refused changed nothing."""
        self.revision = answer.revision if answer.result == "ok" and not self.is_own_mover else None
        if answer.result != "ok" or answer.state in ("rejected", "dead_lettered"):
            return
        self.stage = act.leaves
        if act.entry and act.entry not in self.entries:
            self.entries.append(act.entry)
        if act.due is not None:
            self.due = act.due
        elif act.kind in (*TEXTS, "withdrawn"):
            self.due = None
