"""`newsroom backup FILE` and `newsroom restore FILE`: the only commands besides `up` that speak to Kafka."""

from __future__ import annotations

from pathlib import Path

import click

from desk.options import echo_json, given, json_option
from newsroom.errors import Misconfigured

_FILE = click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))


@click.command()
@_FILE
@json_option
def backup(file: Path) -> None:
    """Copy the log of events and the keys into FILE: all that a newsroom cannot make again by itself.

    It may run meanwhile. What is there when the command begins is in the file, which is checked before it
    gets its name. Interrupted, it goes on when it is run again.

    \b
    Example:
      newsroom backup newsroom-2030-01-31.backup
    """
    from desk.reaching import backed_up

    _tell(backed_up(file, given().clock), file, f"backed up to {file}")


@click.command()
@_FILE
@json_option
def restore(file: Path) -> None:
    """Put a backup into an empty newsroom, before its first start. Its pages come out the same.

    The whole file is checked first. Interrupted, it goes on when it is run again.

    \b
    Example:
      NEWSROOM_HOME=.restored newsroom restore newsroom-2030-01-31.backup
    """
    from desk.reaching import restored

    if not file.is_file():
        raise Misconfigured(f"{file} is not there")
    _tell(restored(file, given().clock), file, f"restored from {file}")


def _tell(counts: dict[str, int], file: Path, done: str) -> None:
    size = file.stat().st_size
    if given().as_json:
        echo_json({"file": str(file), **counts, "bytes": size})
        return
    again = f", {counts['skipped']} of them before" if counts["skipped"] else ""
    click.echo(
        f"{done}: {counts['events']} events and {counts['keys']} records of keys{again} "
        f"({size / (1024 * 1024):.1f} MB), checked"
    )


COMMANDS = (backup, restore)
