"""The commands that ask what happened to an article: its revisions, the words that changed (API, "Store")."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import urlencode

import click

from desk import answers, colours, wording
from desk.client import Client, Request
from desk.editing import article_argument
from desk.options import desk_options, given
from newsroom.differences import Difference, FieldDifference
from newsroom.errors import NotFound

_BLOCKS = frozenset({"p", "h2", "h3", "blockquote", "li", "pre", "tr", "figcaption", "dt", "dd", "hr", "br"})
_revision = click.IntRange(min=1)


@click.command()
@article_argument
@desk_options
def history(article_id: str) -> None:
    """An article's revisions; with a reporter's key also those that are not for the public.

    \b
    Example:
      newsroom history rain
    """
    with given().client() as client:
        found = _history(client, article_id)
    given().show(found, wording.history_lines(found))


@click.command()
@article_argument
@click.argument("older", metavar="[FROM", type=_revision, required=False)
@click.argument("newer", metavar="TO]", type=_revision, required=False)
@desk_options
def diff(article_id: str, older: int | None, newer: int | None) -> None:
    """The words that changed from one revision to another; without two of them, with the newest change.

    What went stands in [-…-], what came in {+…+}. Without a key only how many words changed.

    \b
    Examples:
      newsroom diff rain
      newsroom diff rain 1 3
    """
    if (older is None) != (newer is None):
        raise click.UsageError("name both revisions, or none for the newest change")
    with given().client() as client:
        if older is None or newer is None:
            older, newer = _newest_change(_history(client, article_id))
        query = urlencode({"from": older, "to": newer})
        url = f"{client.addresses.store}/articles/{article_id}/diff?{query}"
        found = client.ask(Difference, Request("GET", url))
    given().show(found, difference_lines(found))


def _history(client: Client, article_id: str) -> answers.History:
    return client.ask(
        answers.History, Request("GET", f"{client.addresses.store}/articles/{article_id}/revisions")
    )


def _newest_change(found: answers.History) -> tuple[int, int]:
    """The two newest revisions that brought a text. Raises: NotFound where there are no two."""
    texts = [each.revision for each in found.revisions if each.kind not in _WITHOUT_TEXT]
    if len(texts) < 2:
        raise NotFound(f"article {found.article_id} has no two texts to compare: see `newsroom history`")
    return texts[-2], texts[-1]


_WITHOUT_TEXT = frozenset(
    {"entry_added", "entry_changed", "withdrawn", "retracted", "released", "breaking_ended", "live_entry"}
)


def difference_lines(difference: Difference) -> list[str]:
    """What changed, field by field."""
    older, newer = difference.older, difference.newer
    heading = f"article {difference.article_id}: revision {older.revision} to {newer.revision}"
    lines = [colours.strong(heading), *([f"  {newer.note}"] if newer.note else [])]
    if not difference.fields:
        return [*lines, "no field changed"]
    for each in difference.fields:
        lines += ["", f"{each.field} (+{each.added} -{each.removed})", *_field_lines(each)]
    return lines


def _field_lines(difference: FieldDifference) -> list[str]:
    """A field's words; nothing but the counts where the key is not enough for more."""
    if difference.segments is not None:
        marks: dict[str, Callable[[str], str]] = {"equal": str, "added": _came, "removed": _went}
        return ["  " + "".join(marks[segment.op](segment.text) for segment in difference.segments)]
    if difference.html is not None:
        return [f"  {line}" for line in _changed_blocks(difference.html)]
    if difference.before is None and difference.after is None:
        return []
    return [f"  {_went(str(difference.before))} {_came(str(difference.after))}"]


def _came(text: str) -> str:
    return colours.added(f"{{+{text}+}}")


def _went(text: str) -> str:
    return colours.removed(f"[-{text}-]")


def _changed_blocks(html: str) -> list[str]:
    """The blocks in which a word changed, as lines; for what lies between them one line of dots."""
    reader = _BlockReader()
    reader.feed(html)
    reader.close()
    reader.end_block()
    lines: list[str] = []
    for text, is_changed in reader.blocks:
        if is_changed:
            lines.append(text)
        elif not lines or lines[-1] != "…":
            lines.append("…")
    return lines


class _BlockReader(HTMLParser):
    """A body with `<ins>` and `<del>` as lines of text, one for each block, and whether it changed."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[tuple[str, bool]] = []
        self._parts: list[str] = []
        self._is_changed = False
        self._mark: Callable[[str], str] = str

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag in ("ins", "del"):
            self._mark = _came if tag == "ins" else _went
            self._is_changed = True
        elif tag in _BLOCKS:
            self.end_block()

    def handle_endtag(self, tag: str) -> None:
        if tag in ("ins", "del"):
            self._mark = str
        elif tag in _BLOCKS:
            self.end_block()

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        before, after = data[:1].isspace(), data[-1:].isspace()
        marked = self._mark(text) if text else ""
        self._parts.append(f"{' ' if before else ''}{marked}{' ' if after and text else ''}")

    def end_block(self) -> None:
        text = "".join(self._parts).strip()
        if text:
            self.blocks.append((text, self._is_changed))
        self._parts, self._is_changed = [], self._mark is not str


COMMANDS = (history, diff)
