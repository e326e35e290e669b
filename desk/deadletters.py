"""The operator's commands for records that could not be processed (API, "Store": `/dead-letters`)."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from typing import Any

import click

from desk import wording
from desk.answers import DeadBytes, DeadLetter, DeadLetterList, WholeDeadLetter
from desk.client import Client, Request
from desk.listing import listed
from desk.options import desk_options, given
from newsroom.times import rfc3339

_LINE_BYTES = 16
_SHOWN_BYTES = 4096
_LETTER_ID = re.compile(r"dl_[a-z2-7]{26}")
_UNSAFE = re.compile(r"[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\U0010ffff]")
"""What a terminal would act on, and what breaks a line where none was meant."""
_TURNING = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""What makes a terminal write the other way round, so that a text reads as another."""


class LetterIdType(click.ParamType[str]):
    """A letter's id, checked before anything is sent."""

    name = "LETTER"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Raises: BadParameter."""
        if not _LETTER_ID.fullmatch(str(value)):
            self.fail(
                f"{value!r} is no dead letter: `dl_` and 26 characters, as `list` prints it", param, ctx
            )
        return str(value)


@click.group("dead-letters")
def dead_letters() -> None:
    """Look at records that could not be processed; retry or drop them (needs a publisher's key)."""


@dead_letters.command("list")
@click.option("--state", type=click.Choice(["waiting", "retried", "dropped"]), help="Only those.")
@click.option("--count", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many.")
@desk_options
def list_(state: str | None, count: int) -> None:
    """Dead letters, newest first: id, state, when, what it is of and why.

    \b
    Example:
      newsroom dead-letters list --state waiting
    """
    with given().client(key_needed=True) as client:
        wanted = {"state": state} if state else {}
        found = list(
            listed(client, "/dead-letters", DeadLetterList, lambda part: part.dead_letters, count, wanted)
        )
    given().show(found, letter_lines(found))


@dead_letters.command()
@click.argument("letter_id", metavar="LETTER", type=LetterIdType())
@desk_options
def show(letter_id: str) -> None:
    """Everything a letter holds: why it was parked, its headers and bytes. With --json unshortened.

    \b
    Example:
      newsroom dead-letters show dl_m7aqsr4jmiwgi62who3wiapxc4
    """
    with given().client(key_needed=True) as client:
        found = client.ask(WholeDeadLetter, Request("GET", _address(client, letter_id)))
    given().show(found, whole_lines(found))


@dead_letters.command()
@click.argument("letter_ids", metavar="LETTER...", nargs=-1, required=True, type=LetterIdType())
@desk_options
def retry(letter_ids: tuple[str, ...]) -> None:
    """Write records again where they stood, once what was at fault is mended. Each has its effect once.

    \b
    Example:
      newsroom dead-letters retry dl_m7aqsr4jmiwgi62who3wiapxc4
    """
    _do("POST", letter_ids, "/retry")


@dead_letters.command()
@click.argument("letter_ids", metavar="LETTER...", nargs=-1, required=True, type=LetterIdType())
@desk_options
def drop(letter_ids: tuple[str, ...]) -> None:
    """Say that nobody needs these any more. They are still shown, as dropped; none can be retried then.

    \b
    Example:
      newsroom dead-letters drop dl_m7aqsr4jmiwgi62who3wiapxc4
    """
    _do("DELETE", letter_ids, "")


def _do(method: str, letter_ids: Sequence[str], action: str) -> None:
    """One after another: what was done before one is refused stays done."""
    with given().client(key_needed=True) as client:
        for letter_id in letter_ids:
            done = client.ask(DeadLetter, Request(method, f"{_address(client, letter_id)}{action}"))
            given().show(done, [f"{done.state}: {done.id}, {_of(done)}"])


def _address(client: Client, letter_id: str) -> str:
    return f"{client.addresses.store}/dead-letters/{letter_id}"


def letter_lines(letters: Sequence[DeadLetter]) -> list[str]:
    """Letters as a table; one sentence where there are none."""
    if not letters:
        return ["no dead letters"]
    rows = [
        (
            each.id,
            each.state,
            f"{each.time.astimezone():%Y-%m-%d %H:%M}",
            str(each.attempts),
            _of(each),
            wording.shortened(safe(each.reason).replace("\n", " ")),
        )
        for each in letters
    ]
    return wording.table(("ID", "STATE", "PARKED", "TIMES", "OF", "REASON"), rows)


def whole_lines(letter: WholeDeadLetter) -> list[str]:
    """A letter with its headers and the beginning of its bytes, safe for any terminal."""
    facts = {
        "state": letter.state,
        "parked": f"{rfc3339(letter.time)}, {letter.attempts} times, by {safe(letter.consumer)}",
        "reason": safe(letter.reason).replace("\n", " "),
        "stood": f"{safe(letter.topic)} partition {letter.partition} offset {letter.offset}",
        "article": letter.article_id,
        "event": letter.event_id,
        "key": _line(letter.key),
    }
    lines = [letter.id, *(f"  {name:<8} {value}" for name, value in facts.items() if value is not None)]
    lines += [f"  {safe(header.name)}: {_line(header.value)}" for header in letter.headers]
    if not letter.is_whole:
        lines.append("  too large to be kept whole: this is its beginning, and it cannot be retried")
    return [*lines, f"value, {letter.size} bytes:", *_shown(letter.value)]


def safe(text: str) -> str:
    """The text without anything that a terminal would act on: such characters are written as escapes."""
    escaped = _UNSAFE.sub(lambda found: found[0].encode("unicode_escape", "surrogatepass").decode(), text)
    return _TURNING.sub(lambda found: found[0].encode("unicode_escape").decode(), escaped)


def _shown(value: DeadBytes | None) -> list[str]:
    """The value as text where it is one, else as bytes; the beginning only."""
    if value is None:
        return ["  (none)"]
    if value.text is not None:
        lines = [f"  {line}" for line in safe(value.text[:_SHOWN_BYTES]).split("\n")]
        return lines if len(value.text) <= _SHOWN_BYTES else [*lines, "  … (the whole with --json)"]
    raw = base64.b64decode(value.base64)
    lines = [
        f"  {start:08x}  {raw[start : start + _LINE_BYTES].hex(' '):<47}  "
        f"{''.join(chr(byte) if 0x20 <= byte < 0x7F else '.' for byte in raw[start : start + _LINE_BYTES])}"
        for start in range(0, min(len(raw), _SHOWN_BYTES), _LINE_BYTES)
    ]
    return lines if len(raw) <= _SHOWN_BYTES else [*lines, "  … (the whole with --json)"]


def _line(value: DeadBytes | None) -> str:
    if value is None:
        return "(none)"
    if value.text is not None:
        return safe(value.text).replace("\n", "\\n")
    return base64.b64decode(value.base64).hex(" ")


def _of(letter: DeadLetter) -> str:
    topic = safe(letter.topic).removeprefix("newsroom.")
    return f"{topic} {letter.article_id}" if letter.article_id else topic
