"""The operator's commands for API keys (API, "Ingest": `/keys`)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import click
from pydantic import JsonValue, TypeAdapter, ValidationError

from desk import wording
from desk.answers import KeyList, NewKey
from desk.client import Request, to_body
from desk.options import desk_options, echo_json, given
from newsroom.keys import KeyName, Role
from newsroom.times import now, rfc3339

_SPAN = re.compile(r"(\d{1,5})([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 24 * 7}
_LONGEST_HOURS = 100 * 365 * 24
_JSON = {"Content-Type": "application/json"}
_key_name = TypeAdapter(KeyName)


class KeyNameType(click.ParamType[str]):
    """A key's name, checked before anything is sent."""

    name = "NAME"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Raises: BadParameter."""
        try:
            return _key_name.validate_python(value)
        except ValidationError:
            self.fail(f"{value!r} is no key name: small letters, digits and -, at most 40", param, ctx)


class Expiry(click.ParamType[datetime]):
    """A moment to come: a time with a zone, or a span from now such as 90d."""

    name = "WHEN"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Raises: BadParameter."""
        if isinstance(value, datetime):
            return value
        span = _SPAN.fullmatch(value)
        if span and int(span[1]) * _HOURS[span[2]] <= _LONGEST_HOURS:
            return now() + timedelta(hours=int(span[1]) * _HOURS[span[2]])
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(
                f"{value!r}: write a span like 90d, 12h or 4w, or a time like 2030-01-31T12:00Z", param, ctx
            )
        return moment.astimezone()


@click.group()
def keys() -> None:
    """Make, list and revoke API keys (needs a publisher's key)."""


@keys.command()
@click.argument("name", type=KeyNameType())
@click.option(
    "--role", required=True, type=click.Choice([role.value for role in Role]), help="What it may do."
)
@click.option("--expires", type=Expiry(), help="When it ends: 90d, 12h, 4w or a time. Default: never.")
@desk_options
def add(name: str, role: str, expires: datetime | None) -> None:
    """Make a key and print it, alone, on stdout. It is told this once and kept nowhere.

    \b
    Examples:
      newsroom keys add wire-desk --role editor
      newsroom keys add intern --role reporter --expires 90d > intern.key
    """
    asked: dict[str, JsonValue] = {"name": name, "role": role}
    if expires is not None:
        asked["expires_at"] = rfc3339(expires)
    with given().client(key_needed=True) as client:
        url = f"{client.addresses.ingest}/keys"
        made = client.ask(NewKey, Request("POST", url, to_body(asked), _JSON, repeatable=False))
    given().show(made, [made.secret])


@keys.command("list")
@desk_options
def list_() -> None:
    """Every key with its role and state; never its secret."""
    with given().client(key_needed=True) as client:
        found = client.ask(KeyList, Request("GET", f"{client.addresses.ingest}/keys")).keys
    given().show(found, wording.key_lines(found, now()))


@keys.command()
@click.argument("name", type=KeyNameType())
@desk_options
def revoke(name: str) -> None:
    """Make a key useless, everywhere and for good, within a second."""
    with given().client(key_needed=True) as client:
        client.tell(Request("DELETE", f"{client.addresses.ingest}/keys/{name}"))
    if given().as_json:
        echo_json({"name": name, "revoked": True})
    else:
        click.echo(f"revoked: {name}")
