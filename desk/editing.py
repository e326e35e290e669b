"""The commands by which articles are written: each sends one change and prints what it came to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from desk import changes, wording
from desk.changes import Change
from desk.manuscripts import Manuscript, read_manuscript
from desk.options import ArticleIdType, desk_options, given
from desk.progress import waiting
from newsroom.events import CorrectionKind

CommandT = TypeVar("CommandT", bound=Callable[..., Any])
_ID = ArticleIdType()

article_argument = click.argument("article_id", metavar="ID", type=_ID)
file_argument = click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
note_option = partial(click.option, "--note", required=True)


_SAID = "desk.said"
_TIME_OPTIONS = (
    ("--publish-at", "When it is to be public; `none`: at once, or whenever you publish it."),
    ("--embargo-until", "Until when nothing new of it is public; `none` lifts it."),
    ("--breaking-until", "When it stops being breaking by itself; `none`: never."),
)


@dataclass
class Said:
    """What the command line says beside the manuscript."""

    times: dict[str, str] = field(default_factory=dict)
    breaking: bool = False

    def of(self, manuscript: Manuscript) -> Manuscript:
        """The manuscript with it. Raises: BadManuscript."""
        return manuscript.told(self.times, breaking=self.breaking)


def said() -> Said:
    """What was said to the command that runs now."""
    found: Said = click.get_current_context().meta.setdefault(_SAID, Said())
    return found


def time_options(command: CommandT) -> CommandT:
    """Adds the due times; where one is absent, what stands is left."""
    for name, text in reversed(_TIME_OPTIONS):
        command = click.option(name, metavar="TIME|none", help=text, expose_value=False, callback=_note_time)(
            command
        )
    return command


def publishing_options(command: CommandT) -> CommandT:
    """Adds the due times and the flag."""
    flag = click.option(
        "--breaking", is_flag=True, help="Flag it as breaking.", expose_value=False, callback=_note_flag
    )
    return time_options(flag(command))


def _note_time(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is not None and param.name is not None:
        ctx.meta.setdefault(_SAID, Said()).times[param.name] = value


def _note_flag(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    ctx.meta.setdefault(_SAID, Said()).breaking = value


def sending_options(command: CommandT) -> CommandT:
    """Adds the options of a command that changes something."""
    match = click.option(
        "--if-match",
        type=click.IntRange(min=0),
        metavar="REVISION",
        help="Only if the article stands at this revision; else nothing happens.",
    )
    return waiting_options(match(command))


def waiting_options(command: CommandT) -> CommandT:
    """Adds how long to wait for what was sent."""
    wait = click.option(
        "--wait",
        type=click.IntRange(0, 60),
        default=10,
        show_default=True,
        metavar="SECONDS",
        help="Wait at most so long until it is to be seen; 0: do not wait.",
    )
    return desk_options(wait(command))


@click.command()
@file_argument
@click.option("--draft", is_flag=True, help="Save it, do not publish.")
@click.option("--id", "article_id", type=_ID, help="The new article's id; otherwise one is made.")
@publishing_options
@sending_options
def post(file: Path, draft: bool, article_id: str | None, wait: int, if_match: int | None) -> None:
    """Publish a new article from FILE.md or FILE.json (`-`: Markdown from stdin).

    \b
    Markdown begins with front matter:
      ---
      headline: Rain at last
      section: Kazakhstan
      dateline: Astana, Kazakhstan | Asia/Almaty
      ---
      It rained in Astana on Tuesday.

    \b
    Examples:
      newsroom post rain.md
      newsroom post rain.md --draft --id rain
      newsroom post rain.md --publish-at "2026-11-25 18:00"
      newsroom post rain.json --json --wait 0

    A time without a zone is told in the dateline's.
    """
    if draft and said().times:
        raise click.UsageError("a draft has no times: publish it with them, or leave --draft out")
    send(changes.create(said().of(read_manuscript(file)), article_id, draft=draft), wait, if_match)


@click.command()
@article_argument
@file_argument
@publishing_options
@sending_options
def publish(article_id: str, file: Path, wait: int, if_match: int | None) -> None:
    """Publish a draft, or a withdrawn article again, with the text of FILE; now or when it is due.

    \b
    Examples:
      newsroom publish rain rain.md
      newsroom publish rain rain.md --embargo-until "2026-11-25 18:00 +05:00"
    """
    send(changes.publish(article_id, said().of(read_manuscript(file))), wait, if_match)


@click.command()
@article_argument
@file_argument
@sending_options
def draft(article_id: str, file: Path, wait: int, if_match: int | None) -> None:
    """Save FILE as the article's draft; what is public stays as it is.

    \b
    Example:
      newsroom draft rain rain.md
    """
    send(changes.save_draft(article_id, read_manuscript(file)), wait, if_match)


@click.command()
@article_argument
@file_argument
@note_option(help="What is new, in a sentence for readers.")
@publishing_options
@sending_options
def update(article_id: str, file: Path, note: str, wait: int, if_match: int | None) -> None:
    """Bring new facts into an article; readers get the note.

    \b
    Example:
      newsroom update rain rain.md --note "The rain has reached Karaganda."
    """
    send(changes.update(article_id, said().of(read_manuscript(file)), note), wait, if_match)


@click.command()
@article_argument
@file_argument
@note_option(help="What was wrong and what is right, for readers.")
@click.option(
    "--kind",
    type=click.Choice(["correction", "clarification", "editors_note"]),
    default="correction",
    show_default=True,
)
@publishing_options
@sending_options
def correct(
    article_id: str, file: Path, note: str, kind: CorrectionKind, wait: int, if_match: int | None
) -> None:
    """Mend a factual error; readers get the note.

    \b
    Example:
      newsroom correct rain rain.md --note "It rained on Tuesday, not on Monday."
    """
    send(changes.correct(article_id, said().of(read_manuscript(file)), note, kind), wait, if_match)


@click.command()
@article_argument
@file_argument
@publishing_options
@sending_options
def amend(article_id: str, file: Path, wait: int, if_match: int | None) -> None:
    """Mend a typo or the style; readers are told nothing, the history has it.

    \b
    Example:
      newsroom amend rain rain.md
    """
    send(changes.amend(article_id, said().of(read_manuscript(file))), wait, if_match)


@click.command()
@article_argument
@note_option(help="Why, for readers: it stands where the text was.")
@sending_options
def retract(article_id: str, note: str, wait: int, if_match: int | None) -> None:
    """Take an article's text back for good; the note stands in its place.

    \b
    Example:
      newsroom retract rain --note "This report was false. It has not rained."
    """
    send(changes.retract(article_id, note), wait, if_match)


@click.command()
@article_argument
@note_option(help="Why, for colleagues: readers never see it.")
@sending_options
def withdraw(article_id: str, note: str, wait: int, if_match: int | None) -> None:
    """Take an article down; it may come back with `publish`.

    \b
    Example:
      newsroom withdraw rain --note "Waiting for the lawyers."
    """
    send(changes.withdraw(article_id, note), wait, if_match)


def send(change: Change, wait: int, if_match: int | None) -> None:
    """Send it, print what it came to, and end with the code for that."""
    with given().client(key_needed=True) as client, waiting("waiting until it is to be seen"):
        receipt = client.send(change, wait_seconds=wait, if_match=if_match)
    given().show(receipt, wording.receipt_lines(receipt))
    if wait and receipt.revision is None:
        click.get_current_context().exit(wording.UNFINISHED)


COMMANDS = (post, publish, draft, update, correct, amend, retract, withdraw)
