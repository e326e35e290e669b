"""The demonstration: a developing story posted as it unfolds, step by step, with what readers are told.

A run makes a new article (ingest gives it a fresh id), so the demonstration can be run any number of times.
The articles in the background have ids of their own and are posted by the first run only.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from desk import changes
from desk.answers import Receipt
from desk.changes import Change
from desk.client import Client
from desk.manuscripts import Manuscript, read_manuscript
from desk.watching import Reset, notices
from desk.wording import notice_line
from newsroom.articles import Contract
from newsroom.errors import Away, Conflict, Misconfigured, NewsroomError

STORIES = Path(__file__).parent / "stories"
WAIT_SECONDS = 20
HEAR_SECONDS = 5.0
HEAR_ATTEMPTS = 3


class _Background(Contract):
    file: str
    id: str


class _Step(Contract):
    kind: Literal["publish", "update", "correct", "amend"]
    file: str
    tell: str
    note: str = ""


class _StoryFile(Contract):
    title: str
    background: tuple[_Background, ...] = ()
    step: tuple[_Step, ...]


@dataclass(frozen=True)
class Step:
    """One thing that the desk does. `tell` says which and why; `note` is what readers get."""

    kind: Literal["publish", "update", "correct", "amend"]
    manuscript: Manuscript
    tell: str
    note: str = ""

    def change(self, article_id: str) -> Change:
        """The call that makes the step; the first one creates the article."""
        match self.kind:
            case "publish":
                return changes.create(self.manuscript)
            case "update":
                return changes.update(article_id, self.manuscript, self.note)
            case "correct":
                return changes.correct(article_id, self.manuscript, self.note, "correction")
            case "amend":
                return changes.amend(article_id, self.manuscript)


@dataclass(frozen=True)
class Story:
    """A story in steps, and the articles that stand on the front page beside it."""

    title: str
    background: tuple[Manuscript, ...]
    steps: tuple[Step, ...]


def load_story(folder: Path) -> Story:
    """The story in a folder with a `story.toml`. Raises: Misconfigured, BadManuscript."""
    path = folder / "story.toml"
    try:
        written = _StoryFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise Misconfigured(f"{path} is no story: {str(error).splitlines()[0]}") from error
    return Story(
        title=written.title,
        background=tuple(
            Manuscript(read_manuscript(folder / item.file).article, item.id) for item in written.background
        ),
        steps=tuple(
            Step(step.kind, read_manuscript(folder / step.file), step.tell, step.note)
            for step in written.step
        ),
    )


@dataclass(frozen=True)
class Player:
    """Plays a story on a newsroom. `say` prints a line, `pause` waits so many seconds."""

    client: Client
    say: Callable[[str], None]
    pause: Callable[[float], None]
    step_seconds: float

    def play(self, story: Story) -> Receipt:
        """Every step in turn; the receipt of the last. Raises: NewsroomError where a step is refused."""
        site = self.client.addresses.site
        self.say(f"{story.title}: {len(story.steps)} steps, one every {self.step_seconds:g} seconds.")
        self.say("The story keeps its own date; notices carry the time at which you post them.")
        self.say(f"Open {site}/ in a browser now.")
        self._post_background(story)
        receipt = self._take(1, story.steps[0], "", 0)
        self.say(f"   Open this page and leave it open: {receipt.url}")
        for number, step in enumerate(story.steps[1:], start=2):
            self.pause(self.step_seconds)
            receipt = self._take(number, step, receipt.article_id, receipt.revision or 0)
        self.say("")
        self.say(f"That is all. What changed and when: {receipt.url}history/")
        self.say(f"Every notice of the site: {site}/updates/   every correction: {site}/corrections/")
        self.say("Run it again for another article; this one stays.")
        return receipt

    def _post_background(self, story: Story) -> None:
        """The other articles, unless an earlier run posted them."""
        for manuscript in story.background:
            try:
                self.client.send(changes.create(manuscript), wait_seconds=WAIT_SECONDS)
            except Conflict:
                continue
            self.say(f"   Also on the front page: {manuscript.article.headline}")

    def _take(self, number: int, step: Step, article_id: str, revision: int) -> Receipt:
        """One step, and then what readers are told, heard from the live stream that their pages hear."""
        self.say("")
        self.say(f"{number}. {step.tell}")
        receipt = self.client.send(step.change(article_id), wait_seconds=WAIT_SECONDS)
        if receipt.revision is None or receipt.url is None:
            raise NewsroomError(
                f"no page within {WAIT_SECONDS} seconds: see `newsroom status {receipt.event_id}`"
            )
        if step.kind == "amend":
            self.say("   Readers are told nothing; the history has it.")
            return receipt
        self.say(f"   Readers see: {self._notice_after(receipt, revision)}")
        return receipt

    def _notice_after(self, receipt: Receipt, revision: int) -> str:
        """The notice of this revision, from the stream of its page."""
        followed = notices(
            self.client,
            receipt.article_id,
            after_revision=revision,
            idle_seconds=HEAR_SECONDS,
            say=self.say,
            pause=self.pause,
        )
        for _ in range(HEAR_ATTEMPTS):
            with suppress(Away):
                for heard in followed.listen_once():
                    if isinstance(heard, Reset):
                        return "(open pages are asked to fetch again)"
                    if heard.revision >= (receipt.revision or 0):
                        return notice_line(heard)
        raise Away(f"the live stream of {receipt.url}", "the notice did not come")
