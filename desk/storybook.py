"""The demonstration's story as it stands in its folder: a `story.toml` and the manuscripts that it names.

Read here, played by `desk.demo`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from desk import changes
from desk.changes import Change
from desk.manuscripts import Manuscript, read_manuscript
from desk.posts import Post, read_post
from newsroom.articles import Contract
from newsroom.errors import Misconfigured

STORIES = Path(__file__).parent / "stories"
StepKind = Literal["publish", "update", "correct", "amend"]


class _Background(Contract):
    file: str
    id: str


class _Step(Contract):
    kind: StepKind
    file: str
    tell: str
    note: str = ""
    posts: tuple[str, ...] = ()


class _StoryFile(Contract):
    title: str
    live: str
    translations: tuple[str, ...] = ()
    background: tuple[_Background, ...] = ()
    step: tuple[_Step, ...]


@dataclass(frozen=True)
class Step:
    """One thing that the desk does. `tell` says which and why; `note` is what readers get.

    `posts`: what goes into the live article, once it is open, before the step.
    """

    kind: StepKind
    manuscript: Manuscript
    tell: str
    note: str = ""
    posts: tuple[Post, ...] = ()

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
    """A story in steps, the live article that runs beside it, and the articles that stand there already.

    `translations` follow the last step; which article they translate is known only then.
    """

    title: str
    background: tuple[Manuscript, ...]
    live: Manuscript
    steps: tuple[Step, ...]
    translations: tuple[Manuscript, ...]


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
        live=read_manuscript(folder / written.live),
        steps=tuple(_step(folder, step) for step in written.step),
        translations=tuple(read_manuscript(folder / file) for file in written.translations),
    )


def _step(folder: Path, step: _Step) -> Step:
    return Step(
        kind=step.kind,
        manuscript=read_manuscript(folder / step.file),
        tell=step.tell,
        note=step.note,
        posts=tuple(read_post(folder / file, {}) for file in step.posts),
    )
