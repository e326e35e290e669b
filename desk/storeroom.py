"""The commands that ask the store: which articles there are, and to have pages made again (API, "Store")."""

from __future__ import annotations

import click
from pydantic import JsonValue

from desk import wording
from desk.answers import ArticleList, Head, Rebuild
from desk.client import Client, Request, to_body
from desk.editing import article_argument
from desk.listing import listed
from desk.options import ArticleIdType, desk_options, given
from desk.progress import Rate, to_stderr

_LOOK_SECONDS = 0.5
_JSON = {"Content-Type": "application/json"}


@click.command("list")
@click.option(
    "--state",
    type=click.Choice(["public", "draft", "scheduled", "embargoed"]),
    default="public",
    show_default=True,
    help="What is not public yet needs a reporter's key.",
)
@click.option("--section", help="Only this section.")
@click.option("--tag", help="Only with this tag.")
@click.option("--count", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many.")
@desk_options
def list_(state: str, section: str | None, tag: str | None, count: int) -> None:
    """Articles: id, revision, time and headline; of those that wait, until when.

    \b
    Examples:
      newsroom list --section Kazakhstan
      newsroom list --state scheduled
    """
    asked = {"state": state, "section": section, "tag": tag}
    wanted = {name: value for name, value in asked.items() if value is not None}
    with given().client(key_needed=state != "public") as client:
        found = list(listed(client, "/articles", ArticleList, lambda part: part.articles, count, wanted))
    given().show(found, wording.article_lines(found))


@click.command()
@article_argument
@desk_options
def show(article_id: str) -> None:
    """How an article stands: what is public of it, what waits and until when. With --json its whole text.

    \b
    Example:
      newsroom show rain
    """
    with given().client() as client:
        head = client.ask(Head, Request("GET", f"{client.addresses.store}/articles/{article_id}"))
    given().show(head, wording.head_lines(head))


@click.command()
@click.argument("article_ids", metavar="[ID]...", nargs=-1, type=ArticleIdType())
@click.option("--all", "all_of_them", is_flag=True, help="Every article there is.")
@click.option(
    "--wait",
    type=click.IntRange(0, 86_400),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="Wait at most so long until the store is done; 0: do not wait.",
)
@desk_options
def republish(article_ids: tuple[str, ...], all_of_them: bool, wait: int) -> None:
    """Have pages made again from what is stored (needs a publisher's key). Readers are told nothing.

    \b
    Examples:
      newsroom republish rain snow
      newsroom republish --all --wait 600
    """
    if all_of_them == bool(article_ids):
        raise click.UsageError("name articles, or say --all")
    asked: dict[str, JsonValue] = {"all": True} if all_of_them else {"article_ids": list(article_ids)}
    with given().client(key_needed=True) as client:
        url = f"{client.addresses.store}/republications"
        rate = Rate(given().clock)
        rebuild = client.ask(Rebuild, Request("POST", url, to_body(asked), _JSON))
        rebuild = _followed(client, f"{url}/{rebuild.id}", rebuild, wait, rate)
    given().show(rebuild, wording.rebuild_lines(rebuild, rate.told(rebuild.announced)))
    if wait and not rebuild.is_done:
        click.get_current_context().exit(wording.UNFINISHED)


def _followed(client: Client, url: str, rebuild: Rebuild, wait_seconds: float, rate: Rate) -> Rebuild:
    """The rebuild as it stands when it is done, or when the time is over."""
    screen = to_stderr()
    while not rebuild.is_done and wait_seconds > 0:
        given().pause(_LOOK_SECONDS)
        wait_seconds -= _LOOK_SECONDS
        rebuild = client.ask(Rebuild, Request("GET", url))
        screen.progress(wording.rebuild_progress(rebuild, rate.told(rebuild.announced)))
    screen.clear()
    return rebuild


COMMANDS = (list_, show, republish)
