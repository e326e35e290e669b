"""`verify`: the site compared with a rebuild, as render tells it line by line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import click
import httpx
from pydantic import Field, TypeAdapter, ValidationError

from desk import colours, wording
from desk.client import Client, to_error
from desk.deadletters import safe
from desk.options import desk_options, echo_json, given, to_json
from desk.progress import Rate, to_stderr
from newsroom.articles import Contract
from newsroom.errors import Away, NewsroomError

_TOO_MUCH = ("extra", "unknown")
"""What no republication of what is stored takes away for sure."""
IDLE_SECONDS = 120.0
"""What says nothing for so long is taken for dead."""


class ProgressLine(Contract):
    """How far it is."""

    line: Literal["progress"]
    articles: int
    expected: int
    files: int


class DifferenceLine(Contract):
    """One thing that a rebuild would make otherwise."""

    line: Literal["difference"]
    what: str
    path: str
    detail: str
    article_id: str | None = None


class TotalLine(Contract):
    """The result."""

    line: Literal["total"]
    articles: int
    listings: int
    files: int
    differences: int


class FailureLine(Contract):
    """Why there is none."""

    line: Literal["failure"]
    reason: str


Line = ProgressLine | DifferenceLine | TotalLine | FailureLine
_line: TypeAdapter[Line] = TypeAdapter(Line)


class Result(Contract):
    """What it came to, for scripts."""

    equal: bool
    articles: int
    listings: int
    files: int
    differences: int
    told: tuple[DifferenceLine, ...] = Field(default=())


@click.command()
@desk_options
def verify() -> None:
    """Compare the site with a rebuild from what is stored, and say what differs (needs a publisher's key).

    Every page and listing is drawn anew and held against the files, their compressed siblings too; nothing is
    written, readers notice nothing. Exit code 0 if all is equal, 1 if anything differs: `newsroom republish`
    mends it.

    \b
    Example:
      newsroom verify
    """
    with given().client(key_needed=True) as client:
        result = _followed(client)
    if given().as_json:
        echo_json(to_json(result))
    else:
        for line in result_lines(result):
            click.echo(line)
    if not result.equal:
        click.get_current_context().exit(wording.FAILED)


def _followed(client: Client) -> Result:
    """The result; differences are printed as they are found. Raises: NewsroomError where there is none."""
    told: list[DifferenceLine] = []
    screen, rate = to_stderr(), Rate(given().clock)
    for line in _lines(client):
        if isinstance(line, ProgressLine):
            screen.progress(progress_line(line, rate))
        elif isinstance(line, DifferenceLine):
            told.append(line)
            screen.clear()
            if not given().as_json:
                click.echo(difference_line(line))
        elif isinstance(line, FailureLine):
            screen.clear()
            raise Away("the comparison", line.reason)
        else:
            screen.clear()
            return Result(
                equal=line.differences == 0,
                articles=line.articles,
                listings=line.listings,
                files=line.files,
                differences=line.differences,
                told=tuple(told),
            )
    raise Away(client.addresses.site, "the answer broke off before its end")


def _lines(client: Client) -> Iterator[Line]:
    """What render says, as it says it. Raises: NewsroomError as it was refused; Away where it broke off."""
    url = f"{client.addresses.site}/api/verification"
    try:
        with client.stream(
            "POST", url, {"Accept": "application/x-ndjson"}, IDLE_SECONDS, keyed=True
        ) as response:
            if not response.is_success:
                response.read()
                raise to_error(response)
            for text in response.iter_lines():
                yield _line.validate_json(text)
    except httpx.TransportError as error:
        raise Away(client.addresses.site, str(error) or type(error).__name__) from error
    except ValidationError as error:
        raise NewsroomError(
            f"{url} answered something that this version cannot read: is it the site's address?"
        ) from error


def progress_line(line: ProgressLine, rate: Rate) -> str:
    """How far it is, and how fast."""
    fast = f" ({told})" if (told := rate.told(line.articles)) else ""
    return f"{line.articles} of {line.expected} articles compared{fast}, {line.files} files"


def difference_line(line: DifferenceLine) -> str:
    """One difference on a line."""
    named = f" (article {line.article_id})" if line.article_id else ""
    return f"{colours.bad(f'{line.what:<8}')} {safe(line.path) or '-'}: {safe(line.detail)}{named}"


def result_lines(result: Result) -> list[str]:
    """What it came to, and what to do."""
    looked = f"{result.articles} articles, {result.listings} listings, {result.files} files"
    if result.equal:
        return [f"equal: {looked} are what a rebuild would write"]
    untold = result.differences - len(result.told)
    lines = [f"… and {untold} more"] if untold else []
    lines.append(f"{result.differences} difference{'' if result.differences == 1 else 's'} in {looked}")
    lines.append(
        "`newsroom republish ID` makes an article's pages again, `newsroom republish --all` everything"
    )
    if any(each.what in _TOO_MUCH for each in result.told):
        lines.append("what is extra or unknown stays: docs/operations.md says how it goes")
    return lines


COMMANDS = (verify,)
