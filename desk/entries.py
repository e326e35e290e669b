"""The commands of a live article: entries are added, changed and listed (API, "Ingest" and "Store")."""

from __future__ import annotations

from pathlib import Path

import click
from pydantic import JsonValue

from desk import changes, wording
from desk.answers import EntryList, ListedEntry
from desk.client import Request
from desk.editing import article_argument, send, sending_options
from desk.listing import listed
from desk.options import EntryIdType, desk_options, given
from desk.posts import Post, changed_post, read_post
from newsroom.articles import EntryText
from newsroom.errors import NewsroomError

_file = click.argument(
    "file", metavar="[FILE]", type=click.Path(path_type=Path, dir_okay=False), required=False
)


@click.group()
def entry() -> None:
    """Add and change the entries of a live article."""


@entry.command()
@article_argument
@_file
@click.option("--headline", help="Its headline.")
@click.option("--key-event", is_flag=True, help="One of the moments that matter most; needs a headline.")
@click.option("--pin", is_flag=True, help="Let it stand on top.")
@click.option("--author", help="Who wrote it.")
@click.option("--id", "entry_id", type=EntryIdType(), help="The entry's id; otherwise one is made.")
@sending_options
def add(
    article_id: str,
    file: Path | None,
    headline: str | None,
    key_event: bool,
    pin: bool,
    author: str | None,
    entry_id: str | None,
    wait: int,
    if_match: int | None,
) -> None:
    """Add an entry, from FILE.md (`-`: stdin), with or without front matter, or from a headline alone.

    \b
    Examples:
      newsroom entry add storm --headline "The bridge is closed" --key-event
      echo "Police have closed the *old* bridge." | newsroom entry add storm - --author "A. Reporter"
    """
    options = _given(headline=headline, author=author, id=entry_id)
    flags = _given(key_event=key_event or None, pinned=pin or None)
    send(changes.add_entry(article_id, read_post(file, {**options, **flags})), wait, if_match)


@entry.command()
@article_argument
@click.argument("entry_id", metavar="ENTRY", type=EntryIdType())
@_file
@click.option("--headline", help="Its headline.")
@click.option("--key-event/--no-key-event", default=None, help="Whether it is a key event.")
@click.option("--pin/--unpin", default=None, help="Whether it stands on top.")
@click.option("--author", help="Who wrote it.")
@sending_options
def change(
    article_id: str,
    entry_id: str,
    file: Path | None,
    headline: str | None,
    key_event: bool | None,
    pin: bool | None,
    author: str | None,
    wait: int,
    if_match: int | None,
) -> None:
    """Change an entry: with FILE to what that says, without FILE only in what the options say.

    Without FILE the entry is read first, and nothing happens if somebody else changes it meanwhile.

    \b
    Examples:
      newsroom entry change storm k3x7qa2m closed.md
      newsroom entry change storm k3x7qa2m --unpin
    """
    options = _given(headline=headline, author=author, key_event=key_event, pinned=pin)
    if file is not None:
        post = read_post(file, options)
    elif options:
        post, standing = _changed(article_id, entry_id, options)
        if_match = standing if if_match is None else if_match
    else:
        raise click.UsageError("say what is to change: give a FILE or options")
    send(changes.change_entry(article_id, entry_id, post), wait, if_match)


@click.command()
@article_argument
@click.option("--count", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many.")
@desk_options
def entries(article_id: str, count: int) -> None:
    """The entries of a live article, newest first.

    \b
    Example:
      newsroom entries storm
    """
    with given().client() as client:
        path = f"/articles/{article_id}/entries"
        found = list(listed(client, path, EntryList, lambda part: part.entries, count))
    given().show(found, wording.entry_lines(found))


def _changed(article_id: str, entry_id: str, options: dict[str, JsonValue]) -> tuple[Post, int]:
    """The entry as it stands with the options in their stead, and the revision that this is made on."""
    with given().client(key_needed=True) as client:
        url = f"{client.addresses.store}/articles/{article_id}/entries/{entry_id}"
        standing = client.ask(ListedEntry, Request("GET", url))
    return changed_post(_whole(standing), options), standing.revision


def _whole(standing: ListedEntry) -> EntryText:
    """The entry's text. Raises: NewsroomError where the store did not tell its body."""
    if standing.entry.body is None:
        raise NewsroomError(f"the store tells no body of entry {standing.id}: give a FILE with all of it")
    return EntryText.model_validate(standing.entry.model_dump())


def _given(**options: JsonValue) -> dict[str, JsonValue]:
    return {name: value for name, value in options.items() if value is not None}


COMMANDS = (entry, entries)
