"""The commands by which articles are written: each sends one change and prints what it came to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from desk import changes, wording
from desk.changes import Change
from desk.manuscripts import read_manuscript
from desk.options import ArticleIdType, desk_options, given
from newsroom.events import CorrectionKind

CommandT = TypeVar("CommandT", bound=Callable[..., Any])
_ID = ArticleIdType()

article_argument = click.argument("article_id", metavar="ID", type=_ID)
file_argument = click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
note_option = partial(click.option, "--note", required=True)


def sending_options(command: CommandT) -> CommandT:
    """Adds the options of a command that changes something."""
    for option in (
        click.option(
            "--if-match",
            type=click.IntRange(min=0),
            metavar="REVISION",
            help="Only if the article stands at this revision; else nothing happens.",
        ),
        click.option(
            "--wait",
            type=click.IntRange(0, 60),
            default=10,
            show_default=True,
            metavar="SECONDS",
            help="Wait at most so long until it is to be seen; 0: do not wait.",
        ),
    ):
        command = option(command)
    return desk_options(command)


@click.command()
@file_argument
@click.option("--draft", is_flag=True, help="Save it, do not publish.")
@click.option("--id", "article_id", type=_ID, help="The new article's id; otherwise one is made.")
@sending_options
def post(file: Path, draft: bool, article_id: str | None, wait: int, if_match: int | None) -> None:
    """Publish a new article from FILE.md or FILE.json.

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
      newsroom post rain.json --json --wait 0
    """
    _send(changes.create(read_manuscript(file), article_id, draft=draft), wait, if_match)


@click.command()
@article_argument
@file_argument
@sending_options
def publish(article_id: str, file: Path, wait: int, if_match: int | None) -> None:
    """Publish a draft, or a withdrawn article again, with the text of FILE.

    \b
    Example:
      newsroom publish rain rain.md
    """
    _send(changes.publish(article_id, read_manuscript(file)), wait, if_match)


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
    _send(changes.save_draft(article_id, read_manuscript(file)), wait, if_match)


@click.command()
@article_argument
@file_argument
@note_option(help="What is new, in a sentence for readers.")
@sending_options
def update(article_id: str, file: Path, note: str, wait: int, if_match: int | None) -> None:
    """Bring new facts into an article; readers get the note.

    \b
    Example:
      newsroom update rain rain.md --note "The rain has reached Karaganda."
    """
    _send(changes.update(article_id, read_manuscript(file), note), wait, if_match)


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
@sending_options
def correct(
    article_id: str, file: Path, note: str, kind: CorrectionKind, wait: int, if_match: int | None
) -> None:
    """Mend a factual error; readers get the note.

    \b
    Example:
      newsroom correct rain rain.md --note "It rained on Tuesday, not on Monday."
    """
    _send(changes.correct(article_id, read_manuscript(file), note, kind), wait, if_match)


@click.command()
@article_argument
@file_argument
@sending_options
def amend(article_id: str, file: Path, wait: int, if_match: int | None) -> None:
    """Mend a typo or the style; readers are told nothing, the history has it.

    \b
    Example:
      newsroom amend rain rain.md
    """
    _send(changes.amend(article_id, read_manuscript(file)), wait, if_match)


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
    _send(changes.retract(article_id, note), wait, if_match)


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
    _send(changes.withdraw(article_id, note), wait, if_match)


def _send(change: Change, wait: int, if_match: int | None) -> None:
    """Send it, print what it came to, and end with the code for that."""
    with given().client(key_needed=True) as client:
        receipt = client.send(change, wait_seconds=wait, if_match=if_match)
    given().show(receipt, wording.receipt_lines(receipt))
    if wait and receipt.revision is None:
        click.get_current_context().exit(wording.UNFINISHED)


COMMANDS = (post, publish, draft, update, correct, amend, retract, withdraw)
