"""What the experiment's editors claim of their texts, held against the fold of the store: no newsroom that
does what it must is ever accused.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from faults.load.answers import Answer
from faults.load.moves import Moves
from faults.load.stories import TEXTS, Act, Clock, Story
from faults.load.words import Words, find
from newsroom.events import EventData, EventKind
from newsroom.outcomes import Rejection
from services.ingest import calls
from services.ingest.requests import NewArticle, NewEntry, SentEntry
from services.store.articles import Article, due_events, has_page
from services.store.filing import apply
from tests.load_parts import body_of, call_of
from tests.store_parts import an_event, position
from tests.story_parts import due_data

STEP_SECONDS = 1.0
STEPS = 20
ACCEPTED = Answer("ok", 202, state="accepted")


def data_of(act: Act) -> EventData:
    """What the door makes of the request."""
    body = body_of(act).model_validate_json(act.content)
    if isinstance(body, NewArticle):
        return calls.created(body)[1]
    if isinstance(body, NewEntry):
        return calls.added(body, act.entry)
    if isinstance(body, SentEntry):
        return calls.changed(body, act.entry)
    return call_of(act).data(body)


class Life:
    """One article: what its editor does, and what the store makes of it."""

    def __init__(self, seed: int) -> None:
        self._moves = Moves(Random(seed), Words(Random(seed)))
        self._story = Story("a", 1, "editor-1")
        self._begun = datetime.now(UTC)
        self._offset = 0
        self.article: Article | None = None
        self.acts: dict[str, Act] = {}
        self.rejected: set[str] = set()

    def go(self) -> Iterator[float]:
        """Step by step; the time of each by the run's clock."""
        for step in range(STEPS):
            run = STEP_SECONDS * step
            at = self._begun + timedelta(seconds=run)
            self._let_fall_due(at)
            act = self._moves.next(self._story, Clock(run, at.timestamp()))
            self.acts[act.token] = act
            if not self._file(EventKind(act.kind), data_of(act), at, act.if_match):
                self.rejected.add(act.token)
            self._story.settle(act, ACCEPTED)
            yield run

    def public(self) -> str:
        """All words that a page of the article may show."""
        if self.article is None or not has_page(self.article) or self.article.public is None:
            return ""
        face = self.article.public
        notes = [change.note or "" for change in self.article.changes]
        return " ".join([*notes, face.text.model_dump_json() if face.text else ""])

    def _let_fall_due(self, at: datetime) -> None:
        while self.article and (due := [each for each in due_events(self.article) if each.due.at <= at]):
            self._file(due[0].kind, due_data(due[0]), due[0].due.at)

    def _file(self, kind: EventKind, data: EventData, at: datetime, if_match: int | None = None) -> bool:
        self._offset += 1
        event = an_event(kind, "a", data=data, at=at, if_match=if_match, event_id=f"event-{self._offset}")
        result = apply(self.article, event, position(self._offset))
        if isinstance(result, Rejection):
            return False
        self.article = result
        return True

    def is_free(self, act: Act, at: float) -> bool:
        """Whether its words may be public at that time, by all that the checker knows of it."""
        if act.kind in ("drafted", "withdrawn") or act.token in self.rejected:
            return False
        if act.due_at is None or act.due_at <= at:
            return True
        sent = list(self.acts.values())
        later = sent[sent.index(act) + 1 :]
        return any(each.kind in TEXTS and each.due is None for each in later)


@pytest.mark.parametrize("seeds", [range(first, first + 50) for first in (0, 50)], ids=str)
def test_what_the_fold_shows_was_never_told_to_be_withheld(seeds: range) -> None:
    shown = 0
    for seed in seeds:
        life = Life(seed)
        for at in life.go():
            tokens = find(life.public())
            shown += len(tokens)
            assert [life.acts[token] for token in tokens if not life.is_free(life.acts[token], at)] == []
    assert shown > len(seeds) * STEPS / 4, "hardly anything came to the public"


def test_most_events_have_an_effect_and_some_of_every_kind_are_rejected() -> None:
    lives = [Life(seed) for seed in range(50)]
    for life in lives:
        for _ in life.go():
            pass
    acts = [act for life in lives for act in life.acts.values()]
    rejected = [act for life in lives for act in life.acts.values() if act.token in life.rejected]

    assert 0 < len(rejected) < len(acts) / 2
    assert {"published", "updated", "withdrawn"} <= {act.kind for act in rejected}
