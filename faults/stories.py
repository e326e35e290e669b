"""What an editor may do with an article next: a small model of each article, kept by the editor who owns it.

Pure: dice and words in, an act out. The model is of what the editor knows. Where it is wrong an event is
rejected more often, and no more than that: whether a text is withheld (`Act.withheld`) follows from what the
act itself sends, not from what the model believes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from random import Random
from typing import Literal

from faults.answers import Answer
from faults.words import SECTIONS, Fields, Words

Withheld = Literal["", "draft", "scheduled", "embargoed"]
FAR_SECONDS = 3600.0
"""What falls due after the run: nobody may ever read it."""
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


_WITHHELD = {
    Stage.NEW: Stage.WAITING, Stage.DRAFT: Stage.WAITING, Stage.WAITING: Stage.WAITING,
    Stage.PUBLIC: Stage.HELD, Stage.HELD: Stage.HELD,
    Stage.WITHDRAWN: Stage.RETURNING, Stage.RETURNING: Stage.RETURNING,
}  # fmt: skip
_TAKEN_DOWN = {
    Stage.WAITING: Stage.DRAFT, Stage.PUBLIC: Stage.WITHDRAWN, Stage.HELD: Stage.WITHDRAWN,
    Stage.RETURNING: Stage.WITHDRAWN,
}  # fmt: skip
_OUT = frozenset({Stage.WAITING, Stage.PUBLIC, Stage.HELD, Stage.RETURNING})
_TEXTS = {
    "published": frozenset({Stage.NEW, Stage.DRAFT, Stage.WAITING, Stage.WITHDRAWN, Stage.RETURNING}),
    "updated": _OUT,
    "corrected": _OUT,
    "amended": _OUT,
}
"""Whole articles for the public, and the stages at which they are taken."""
_NO_REVISION = 100_000
_DUE_FIELDS: Mapping[str, Withheld] = {"publish_at": "scheduled", "embargo_until": "embargoed"}


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
    stage: Stage = Stage.NEW
    revision: int | None = None
    """The newest, where the editor was told and nothing moves it by itself."""
    due: tuple[str, float] | None = None
    due_field: str = ""
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
        elif act.kind in _TEXTS or act.kind == "withdrawn":
            self.due = None


class Moves:
    """Draws what comes next for a story."""

    def __init__(self, dice: Random, words: Words) -> None:
        self._dice, self._words = dice, words

    def next(self, story: Story, clock: Clock) -> Act:
        """The next act: mostly what the stage allows, now and then what it forbids."""
        story.look(clock.run)
        odds = dict(_ODDS[story.stage])
        if story.is_live and story.stage is Stage.PUBLIC:
            odds |= {Moves.add_entry: 8.0, Moves.change_entry: 4.0 if story.entries else 0.0}
        if story.is_shared:
            odds = {move: odd for move, odd in odds.items() if move in _SHARED[story.stage]}
        (move,) = self._dice.choices(list(odds), list(odds.values()))
        return move(self, story, clock)

    # --- texts for the public

    def publish(self, story: Story, _: Clock) -> Act:
        return self._text(story, "published")

    def update(self, story: Story, _: Clock) -> Act:
        return self._text(story, "updated")

    def correct(self, story: Story, _: Clock) -> Act:
        return self._text(story, "corrected")

    def amend(self, story: Story, _: Clock) -> Act:
        return self._text(story, "amended")

    def break_news(self, story: Story, clock: Clock) -> Act:
        """A publication or an update as breaking, which ends by itself."""
        kind = "updated" if story.stage is Stage.PUBLIC else "published"
        end, _ = clock.due(self._dice.uniform(*NEAR_SECONDS))
        story.is_own_mover = True
        return self._text(story, kind, {"breaking": True, "breaking_until": end})

    # --- texts that wait

    def withhold(self, story: Story, clock: Clock) -> Act:
        """The first text that waits: for a moment of this run, or for one after it."""
        seconds = FAR_SECONDS if self._dice.random() < 0.4 else self._dice.uniform(*NEAR_SECONDS)
        story.due_field = self._dice.choice(list(_DUE_FIELDS))
        return self._held(story, clock.due(seconds))

    def work_on(self, story: Story, clock: Clock) -> Act:
        """A further text that waits, for the same moment or a later one."""
        if story.due is None or self._dice.random() < 0.2:
            return self._held(story, clock.due(FAR_SECONDS))
        return self._held(story, story.due)

    def _held(self, story: Story, due: tuple[str, float]) -> Act:
        story.is_own_mover = story.was_timed = True
        is_first = story.stage in (Stage.NEW, Stage.DRAFT, Stage.WITHDRAWN)
        kind = "published" if is_first else self._dice.choice(("updated", "corrected", "amended"))
        return self._text(story, kind, {story.due_field: due[0]}, due)

    def draft(self, story: Story, _: Clock) -> Act:
        token = self._words.token()
        text = self._article(story, token)
        leaves = Stage.DRAFT if story.stage is Stage.NEW else story.stage
        if story.stage is Stage.NEW:
            body = {"id": story.article_id, "draft": True, **text}
            return Act("drafted", story.article_id, "POST", "/articles", body, token, leaves, "draft")
        path = f"/articles/{story.article_id}/draft"
        return Act("drafted", story.article_id, "PUT", path, text, token, leaves, "draft")

    # --- what takes a text away

    def withdraw(self, story: Story, _: Clock) -> Act:
        leaves = _TAKEN_DOWN.get(story.stage, story.stage)
        return self._noted(story, "withdrawn", "withdrawal", leaves)

    def retract(self, story: Story, _: Clock) -> Act:
        return self._noted(story, "retracted", "retraction", Stage.RETRACTED)

    def _noted(self, story: Story, kind: str, path: str, leaves: Stage) -> Act:
        token = self._words.token()
        body = {"note": self._words.note(token)}
        return Act(
            kind, story.article_id, "POST", f"/articles/{story.article_id}/{path}", body, token, leaves
        )

    # --- entries

    def add_entry(self, story: Story, _: Clock) -> Act:
        token, story.entries_sent = self._words.token(), story.entries_sent + 1
        name = f"{story.pen}-{story.entries_sent}"
        body = {"id": name, **self._words.entry(story.entries_sent, token)}
        path = f"/articles/{story.article_id}/entries"
        return Act("entry_added", story.article_id, "POST", path, body, token, story.stage, entry=name)

    def change_entry(self, story: Story, _: Clock) -> Act:
        token, name = self._words.token(), self._dice.choice(story.entries or ["none"])
        path = f"/articles/{story.article_id}/entries/{name}"
        body = self._words.entry(story.entries_sent, token)
        return Act("entry_changed", story.article_id, "PUT", path, body, token, story.stage, entry=name)

    # --- how they are made

    def _article(self, story: Story, token: str) -> Fields:
        article = self._words.article(story.number, token, has_slug=story.has_slug)
        if self._dice.random() < 0.1:
            article["section"] = self._dice.choice(SECTIONS)
        return article | ({"live": True} if story.is_live else {})

    def _text(
        self, story: Story, kind: str, more: Fields | None = None, due: tuple[str, float] | None = None
    ) -> Act:
        """A whole article; without a due time of its own it lifts every one that may stand."""
        token = self._words.token()
        lifted: Fields = {name: None for name in _DUE_FIELDS if story.was_timed and due is None}
        article = self._article(story, token) | lifted | (more or {})
        body, path = article, f"/articles/{story.article_id}/{_PATHS[kind]}"
        if kind == "published" and story.stage is Stage.NEW:
            body, path = {"id": story.article_id, **article}, "/articles"
        elif kind == "corrected":
            body = {
                "kind": self._dice.choice(_CORRECTIONS),
                "note": self._words.note(token),
                "article": article,
            }
        elif kind == "updated":
            body = {"note": self._words.note(token), "article": article}
        elif kind == "amended":
            body = {"article": article}
        withheld = _DUE_FIELDS[story.due_field] if due else ""
        match = self._if_match(story)
        leaves = _WITHHELD.get(story.stage, story.stage) if due else Stage.PUBLIC
        if match == _NO_REVISION or story.stage not in _TEXTS[kind]:
            leaves = story.stage
        return Act(kind, story.article_id, "POST", path, body, token, leaves, withheld, due, match)

    def _if_match(self, story: Story) -> int | None:
        """Now and then the revision that the editor knows, or one that cannot be."""
        if story.stage is Stage.NEW or self._dice.random() < 0.75:
            return None
        return _NO_REVISION if self._dice.random() < 0.2 else story.revision


Move = Callable[[Moves, Story, Clock], Act]
_PATHS = {
    "published": "publication", "updated": "updates", "corrected": "corrections", "amended": "amendments"
}  # fmt: skip
_CORRECTIONS = ("correction", "clarification", "editors_note")
_SHARED: Mapping[Stage, tuple[Move, ...]] = {
    Stage.NEW: (Moves.publish,),
    Stage.PUBLIC: (Moves.update, Moves.correct, Moves.amend, Moves.add_entry, Moves.change_entry),
}  # fmt: skip
"""What is done to an article of several editors: nothing that would surprise the others, and no draft, which
would begin it where it is not there yet.
"""
_ODDS: Mapping[Stage, Mapping[Move, float]] = {
    Stage.NEW: {Moves.publish: 6, Moves.draft: 2, Moves.withhold: 2, Moves.break_news: 1, Moves.update: 0.2},
    Stage.DRAFT: {
        Moves.draft: 2, Moves.publish: 4, Moves.withhold: 2, Moves.break_news: 0.5, Moves.update: 0.3,
    },
    Stage.WAITING: {
        Moves.work_on: 3, Moves.update: 2, Moves.draft: 1, Moves.withdraw: 1, Moves.add_entry: 0.2,
    },
    Stage.PUBLIC: {
        Moves.update: 6, Moves.correct: 3, Moves.amend: 2, Moves.draft: 1, Moves.withdraw: 2,
        Moves.retract: 0.7, Moves.withhold: 1.5, Moves.break_news: 0.5, Moves.publish: 0.3,
        Moves.add_entry: 0.2, Moves.change_entry: 0.1,
    },
    Stage.HELD: {
        Moves.work_on: 3, Moves.update: 2, Moves.correct: 1, Moves.draft: 1, Moves.withdraw: 1,
        Moves.retract: 0.3,
    },
    Stage.WITHDRAWN: {
        Moves.publish: 5, Moves.withhold: 1, Moves.draft: 1, Moves.retract: 0.5, Moves.update: 0.3,
    },
    Stage.RETURNING: {Moves.work_on: 2, Moves.update: 2, Moves.withdraw: 1, Moves.draft: 0.5},
    Stage.RETRACTED: {Moves.update: 3, Moves.publish: 1, Moves.withdraw: 1},
}  # fmt: skip
