"""The commands that follow what happens: `watch` the life of events or the notices, `status` of one event."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import click
from pydantic import BaseModel

from desk import watching, wording
from desk.answers import SiteNotice
from desk.client import Request
from desk.options import ArticleIdType, EventIdType, complain, desk_options, echo_json, given, to_json
from desk.watching import Reset
from newsroom.outcomes import EventState, EventStatus

HeardT = TypeVar("HeardT", bound=BaseModel)
_WITHOUT_KEY = ". What readers are told needs no key: `newsroom watch --notices`"


@click.command()
@click.argument("article_id", metavar="[ID]", type=ArticleIdType(), required=False)
@click.option("--notices", is_flag=True, help="What readers are told instead; needs no key.")
@click.option(
    "--after", type=click.IntRange(min=0), metavar="REVISION", help="With --notices ID: also what came after."
)
@click.option("--count", type=click.IntRange(min=1), help="End after so many lines.")
@desk_options
def watch(article_id: str | None, notices: bool, after: int | None, count: int | None) -> None:
    """Follow the life of events as it happens, of one article or of all: accepted, stored, rendered, or
    rejected and why; a line for each step (needs a reporter's key).

    With --notices: what readers are told. With --json an object a line. Goes on after a disconnection, ends
    with Ctrl-C.

    \b
    Examples:
      newsroom watch
      newsroom watch rain --json
      newsroom watch rain --notices --after 1
    """
    if after is not None and (article_id is None or not notices):
        raise click.UsageError("--after goes with --notices and an article ID, whose revisions it counts")
    try:
        if notices:
            _follow_notices(article_id, after, count)
        else:
            _follow_events(article_id, count)
    except KeyboardInterrupt:
        complain("")


def _follow_events(article_id: str | None, count: int | None) -> None:
    with given().client(key_needed=True, otherwise=_WITHOUT_KEY) as client:
        followed = watching.life_of_events(client, article_id, say=complain, pause=given().pause)
        _print(followed.listen(), wording.step_line, count)


def _follow_notices(article_id: str | None, after: int | None, count: int | None) -> None:
    with given().client() as client:
        followed = watching.notices(
            client, article_id, after_revision=after, say=complain, pause=given().pause
        )
        _print(_without_resets(followed.listen()), wording.notice_line, count)


def _without_resets(heard: Iterable[watching.Heard]) -> Iterator[SiteNotice]:
    """The notices; a reset is told beside them."""
    for one in heard:
        if isinstance(one, Reset):
            complain("the site cannot tell what was missed: look at the page again")
        else:
            yield one


def _print(told: Iterable[HeardT], line: Callable[[HeardT], str], count: int | None) -> None:
    """Each as it comes, up to so many."""
    for number, heard in enumerate(told, start=1):
        if given().as_json:
            echo_json(to_json(heard))
        else:
            click.echo(line(heard))
        if number == count:
            return


@click.command()
@click.argument("event", type=EventIdType())
@desk_options
def status(event: str) -> None:
    """Tell what became of an event, with the time of each step. Exit code 1 if it was refused.

    \b
    Example:
      newsroom status evt_abcdefghijklmnopqrstuvwxyz
    """
    with given().client() as client:
        found = client.ask(EventStatus, Request("GET", f"{client.addresses.ingest}/events/{event}"))
    given().show(found, wording.status_lines(found))
    if found.state in (EventState.REJECTED, EventState.DEAD_LETTERED):
        click.get_current_context().exit(wording.FAILED)


COMMANDS = (watch, status)
