"""`newsroom`: the command line. Commands turn what people type into calls of the modules beside this one.

All but `up`, `doctor`, `backup` and `restore` speak HTTP only, so they work from anywhere. Results go to
stdout, everything else to stderr; the exit codes stand in `newsroom --help`.
"""

from __future__ import annotations

import sys

import click
from click.shell_completion import get_completion_class

from desk import (
    backups,
    deadletters,
    editing,
    entries,
    following,
    history,
    keyring,
    scheduling,
    storeroom,
    verifying,
    wording,
)
from desk.demo import Player
from desk.options import Desk, complain, desk_options, echo_json, given, json_option, to_json
from desk.storybook import STORIES, load_story

_HELP = f"""The newsroom's desk: run a newsroom, write articles, follow what readers see.

\b
Start here:
  newsroom up                       run everything on this machine
  newsroom demo                     post a developing story, step by step
  newsroom post rain.md             publish an article
  newsroom watch                    follow the life of every event

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
@click.option("--at", multiple=True, metavar="SERVICE=URL", help="Look there instead (repeat it).")
@json_option
def doctor(at: tuple[str, ...]) -> None:
    """Say what is wrong with a newsroom, and what to do: the one that runs here, and whether there is what
    `up` needs; with --at one elsewhere, over HTTP alone.
    """
    from desk.doctor import command

    sys.exit(command(given().as_json, [_place(each) for each in at]))


def _place(text: str) -> tuple[str, str]:
    service, _, address = text.partition("=")
    if service not in ("ingest", "store", "render") or not address.startswith(("http://", "https://")):
        raise click.BadParameter("write it like store=http://127.0.0.1:8002", param_hint="--at")
    return service, address


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
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script by which a shell completes this command's words.

    \b
    Examples:
      newsroom completion bash > ~/.local/share/bash-completion/completions/newsroom
      newsroom completion zsh > ~/.zfunc/_newsroom
      newsroom completion fish > ~/.config/fish/completions/newsroom.fish
    """
    made_for = get_completion_class(shell)
    if made_for is None:
        raise click.UsageError(f"{shell} is not known here")
    click.echo(made_for(main, {}, "newsroom", "_NEWSROOM_COMPLETE").source())


for _command in (
    *editing.COMMANDS,
    *scheduling.COMMANDS,
    *entries.COMMANDS,
    *following.COMMANDS,
    *storeroom.COMMANDS,
    *history.COMMANDS,
    *verifying.COMMANDS,
    *backups.COMMANDS,
    deadletters.dead_letters,
    keyring.keys,
):
    main.add_command(_command)
