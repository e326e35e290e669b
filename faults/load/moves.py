"""What an editor does next with an article, by dice and by odds: mostly what its stage allows, now and then
what it forbids. Pure, but for the dice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from faults.load.stories import NEAR_SECONDS, Act, Clock, DueField, Stage, Story, Withheld
from faults.load.words import SECTIONS, Fields, Words

FAR_SECONDS = 3600.0
"""What falls due after the run: nobody may ever read it."""
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
_TAKEN = {
    "published": frozenset({Stage.NEW, Stage.DRAFT, Stage.WAITING, Stage.WITHDRAWN, Stage.RETURNING}),
    "updated": _OUT,
    "corrected": _OUT,
    "amended": _OUT,
}
"""At which stages a whole article for the public is taken."""
_NO_REVISION = 100_000
_DUE_FIELDS: Mapping[DueField, Withheld] = {"publish_at": "scheduled", "embargo_until": "embargoed"}


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

    def hold_back(self, story: Story, clock: Clock, field: DueField) -> Act:
        """The first text of an article, which waits for a moment after this run."""
        story.due_field = field
        return self._held(story, clock.due(FAR_SECONDS))

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
        return article | story.more | ({"live": True} if story.is_live else {})

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
        if match == _NO_REVISION or story.stage not in _TAKEN[kind]:
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
