"""Writes the tables of the documents from the code that has them: settings, topics and metrics in
`docs/operations.md`, commands in `docs/desk.md`.

`python -m desk.reference` writes them anew between their marks; a test holds the committed pages to them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import click
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from desk.catalogue import CHANNELS
from desk.cli import main as cli
from desk.machine import MachineSettings
from newsroom import topics
from newsroom.settings import CommonSettings
from newsroom.telemetry.metrics import CATALOGUE
from services.ingest.settings import IngestSettings
from services.render.settings import RenderSettings
from services.store.settings import StoreSettings

_DOCS = Path(__file__).parent.parent / "docs"
FILE = _DOCS / "operations.md"
DESK_FILE = _DOCS / "desk.md"
SERVICES: Mapping[str, type[CommonSettings]] = {
    "ingest": IngestSettings,
    "store": StoreSettings,
    "render": RenderSettings,
}
_OF_ALL = frozenset({"as_json", "key", "url", "store_url", "site_url"})
_context = click.Context(cli)
_DAY_MS = 24 * 60 * 60 * 1000


def settings_table() -> list[str]:
    """Every setting of the three services, the common ones first, and who reads it."""
    rows: dict[str, list[str]] = {}
    for service, model in SERVICES.items():
        for name, field in model.model_fields.items():
            row = rows.setdefault(name, ["", f"`{_default(field)}`", "", _described(field)])
            row[2] = (
                "all" if name in CommonSettings.model_fields else ", ".join(filter(None, [row[2], service]))
            )
    ordered = sorted(rows, key=lambda name: (name not in CommonSettings.model_fields, rows[name][2], name))
    return _table(
        ("setting", "default", "read by", "meaning"),
        ([f"`{_variable(name)}`", *rows[name][1:]] for name in ordered),
    )


def machine_table() -> list[str]:
    """What `newsroom up` can be told besides."""
    own = {
        name: field
        for name, field in MachineSettings.model_fields.items()
        if not any(name in model.model_fields for model in SERVICES.values())
    }
    return _table(
        ("setting", "default", "meaning"),
        ([f"`{_variable(name)}`", f"`{_default(field)}`", _described(field)] for name, field in own.items()),
    )


def topics_table() -> list[str]:
    """Every topic as it is created."""
    rows = (
        [f"`{spec.name}`", str(spec.partitions), _keeping(spec), CHANNELS[spec.name][1]]
        for spec in topics.ALL
    )
    return _table(("topic", "partitions", "keeps", "carries"), rows)


def metrics_table() -> list[str]:
    """Every metric of the newsroom's own."""
    rows = (
        [
            f"`{entry.name}`",
            entry.kind,
            entry.unit,
            ", ".join(f"`{label}`" for label in entry.labels),
            entry.meaning,
        ]
        for entry in sorted(CATALOGUE, key=lambda entry: entry.name)
    )
    return _table(("metric", "kind", "unit", "labels", "meaning"), rows)


def commands_table() -> list[str]:
    """Every command with what it takes, and its first sentence."""
    rows = ([f"`{usage}`", _options(command), _sentence(command)] for usage, command in _commands(cli, ()))
    return _table(("command", "options besides `--json` and the addresses", "what it does"), rows)


TABLES: Mapping[str, Callable[[], list[str]]] = {
    "settings": settings_table,
    "machine settings": machine_table,
    "topics": topics_table,
    "metrics": metrics_table,
}
DESK_TABLES: Mapping[str, Callable[[], list[str]]] = {"commands": commands_table}
PAGES: Mapping[Path, Mapping[str, Callable[[], list[str]]]] = {FILE: TABLES, DESK_FILE: DESK_TABLES}


def filled(text: str, tables: Mapping[str, Callable[[], list[str]]] = TABLES) -> str:
    """The page with each table as it is now. Raises: ClickException where a mark is missing."""
    for name, make in tables.items():
        begin, end = f"<!-- {name}: made by `python -m desk.reference` -->", f"<!-- end of {name} -->"
        pattern = re.compile(f"{re.escape(begin)}\n.*?{re.escape(end)}", re.DOTALL)
        block = "\n".join([begin, "", *make(), "", end])
        text, count = pattern.subn(block.replace("\\", r"\\"), text)
        if count != 1:
            raise click.ClickException(f"a page has no marks of the table {name!r}")
    return text


def _commands(group: click.Group, above: tuple[str, ...]) -> Iterable[tuple[str, click.Command]]:
    """Every command that does something, as it is typed."""
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from _commands(command, (*above, name))
        else:
            takes = [
                each.make_metavar(_context) for each in command.params if isinstance(each, click.Argument)
            ]
            yield " ".join([*above, name, *takes]), command


def _options(command: click.Command) -> str:
    names = ["/".join(each.opts[:1] + each.secondary_opts) for each in command.params if _is_own(each)]
    return ", ".join(f"`{name}`" for name in names)


def _is_own(parameter: click.Parameter) -> bool:
    """Whether it is an option of this command rather than one that every command has."""
    return isinstance(parameter, click.Option) and parameter.name not in _OF_ALL


def _sentence(command: click.Command) -> str:
    first = " ".join((command.help or "").partition("\n\n")[0].split())
    return re.split(r"(?<=\.) ", first)[0]


def _variable(name: str) -> str:
    return f"NEWSROOM_{name.upper()}"


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is None:
        return "none"
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value).lower() if isinstance(value, bool) else str(value)


def _described(field: FieldInfo) -> str:
    if not field.description:
        raise ValueError("a setting has no description")
    return field.description


def _keeping(spec: topics.TopicSpec) -> str:
    if spec.compacted:
        return "newest of each key"
    return "for ever" if spec.retention_ms < 0 else f"{spec.retention_ms // _DAY_MS} days"


def _table(heading: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    names = list(heading)
    return [_row(names), _row("---" for _ in names), *map(_row, rows)]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


@click.command()
@click.option("--check", is_flag=True, help="Only say whether the page is up to date.")
def main(check: bool) -> None:
    """Write the tables of the documents from the code."""
    for file, tables in PAGES.items():
        standing = file.read_text(encoding="utf-8")
        text = filled(standing, tables)
        if not check:
            file.write_text(text, encoding="utf-8")
        elif text != standing:
            raise click.ClickException(f"docs/{file.name} is out of date: run `python -m desk.reference`")


if __name__ == "__main__":
    main()
