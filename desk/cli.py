"""`newsroom`: the command line. Commands turn what people type into calls of the modules beside this one.

All but `up` and `doctor` speak HTTP only, so they work from anywhere. Results go to stdout, everything else
to stderr; the exit codes stand in `newsroom --help`.
"""

from __future__ import annotations

import sys

import click

from desk import editing, keyring, storeroom, wording
from desk.client import Request
from desk.demo import STORIES, Player, load_story
from desk.options import (
    ArticleIdType,
    Desk,
    EventIdType,
    complain,
    desk_options,
    echo_json,
    given,
    to_json,
)
from desk.watching import Reset, Watcher
from newsroom.outcomes import EventState, EventStatus

_HELP = f"""The newsroom's desk: run a newsroom, write articles, follow what readers see.

\b
Start here:
  newsroom up                       run everything on this machine
  newsroom demo                     post a developing story, step by step
  newsroom post rain.md             publish an article
  newsroom watch                    follow every notice of the site

{wording.EXIT_CODES}"""


@click.group(cls=Desk, help=_HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="newsroom")
@desk_options
def main() -> None:
    """The root of all commands."""


@main.command()
def up() -> None:
    """Run the whole newsroom on this machine until Ctrl-C: Kafka, mongod, the three services."""
    from desk.up import command

    sys.exit(command())


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
def doctor(as_json: bool) -> None:
    """Look for what `up` needs and for what is wrong with a newsroom that runs here."""
    from desk.doctor import command

    sys.exit(command(as_json or given().as_json))


@main.command()
@click.option(
    "--step-seconds",
    envvar="DEMO_STEP_SECONDS",
    type=click.FloatRange(0, 600),
    default=6,
    show_default=True,
    help="Pause before each step (DEMO_STEP_SECONDS).",
)
@desk_options
def demo(step_seconds: float) -> None:
    """Post a developing story as it unfolded, and say what readers see of each step.

    Each run makes a new article, so it can be run again at any time.
    """
    tell = complain if given().as_json else click.echo
    story = load_story(STORIES / "astana")
    with given().client(key_needed=True) as client:
        receipt = Player(client, tell, given().pause, step_seconds).play(story)
    if given().as_json:
        echo_json(to_json(receipt))


@main.command()
@click.argument("article_id", metavar="[ID]", type=ArticleIdType(), required=False)
@click.option("--after", type=click.IntRange(min=0), metavar="REVISION", help="Also tell what came after it.")
@click.option("--count", type=click.IntRange(min=1), help="End after so many notices.")
@desk_options
def watch(article_id: str | None, after: int | None, count: int | None) -> None:
    """Follow the notices that readers get: of one article, or of the whole site.

    Prints a line for each (with --json an object a line), goes on after a disconnection, ends with Ctrl-C.

    \b
    Examples:
      newsroom watch
      newsroom watch rain --after 1
    """
    if after is not None and article_id is None:
        raise click.UsageError("--after needs an article ID: revisions are counted by article")
    with given().client() as client:
        watcher = Watcher(client, article_id, after_revision=after, say=complain, pause=given().pause)
        try:
            _print_notices(watcher, count)
        except KeyboardInterrupt:
            complain("")


def _print_notices(watcher: Watcher, count: int | None) -> None:
    told = 0
    for heard in watcher.listen():
        if isinstance(heard, Reset):
            complain("the site cannot tell what was missed: look at the page again")
            continue
        if given().as_json:
            echo_json(to_json(heard))
        else:
            click.echo(wording.notice_line(heard))
        told += 1
        if told == count:
            return


@main.command()
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


for _command in (*editing.COMMANDS, *storeroom.COMMANDS, keyring.keys):
    main.add_command(_command)
